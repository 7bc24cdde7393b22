"""Everything that is known of Kafka."""

PROPOSED = True
"""It is what a new project delivers to when nobody chooses."""
