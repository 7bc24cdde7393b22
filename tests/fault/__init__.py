"""Faults of services, of the disk and of the program itself, judged by an independent oracle."""
