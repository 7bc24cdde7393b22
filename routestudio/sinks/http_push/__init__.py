"""Everything that is known of HTTP endpoints."""
