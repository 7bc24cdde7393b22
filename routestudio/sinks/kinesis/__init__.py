"""Everything that is known of Kinesis."""
