"""Functions from Python to Elixir and back, for what both languages can say with equal meaning."""
