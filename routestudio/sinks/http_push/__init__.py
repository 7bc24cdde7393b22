"""Everything that is known of HTTP endpoints."""

NAMES = ("webhook",)
"""Further names of the type in YAML."""
