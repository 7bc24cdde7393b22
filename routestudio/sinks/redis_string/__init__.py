"""Everything that is known of Redis strings."""
