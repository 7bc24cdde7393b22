"""Documents of the window: a sink, a function, a sample set."""
