"""User functions: languages, allow-lists, diagnostics, the worker process and its pool."""
