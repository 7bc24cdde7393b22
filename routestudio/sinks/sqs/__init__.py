"""Everything that is known of SQS."""
