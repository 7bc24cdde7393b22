"""Everything that is known of SNS."""
