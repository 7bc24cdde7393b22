"""Everything that is known of NATS."""
