"""Elixir functions: the subset that Sequin servers accept, evaluated without Elixir."""
