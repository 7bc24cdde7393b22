"""Servers that stand-ins are built on."""
