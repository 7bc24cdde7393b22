"""Everything that is known of RabbitMQ."""
