"""Everything that is known of Redis streams."""

NAMES = ("redis",)
"""Further names of the type in YAML."""
