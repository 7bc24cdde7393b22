"""Everything that is known of Meilisearch."""
