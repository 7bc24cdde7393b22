"""Everything that is known of Redis streams."""
