"""Everything that is known of Elasticsearch."""
