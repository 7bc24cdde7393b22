"""Wrappers: each module knows one thing that rows travel in, such as a dump of a topic."""
