"""Hazards of every sink and of the file, as data; those of a service are in its sink's room."""
