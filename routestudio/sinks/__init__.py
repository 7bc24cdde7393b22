"""Sink types: one public module each; modules that start with `_` are shared code."""
