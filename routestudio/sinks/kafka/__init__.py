"""Everything that is known of Kafka."""
