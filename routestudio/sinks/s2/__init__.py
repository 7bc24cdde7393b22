"""Everything that is known of S2."""
