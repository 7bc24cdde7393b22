"""Functions from Python to Elixir and back, for what both languages can express with equal
meaning."""
