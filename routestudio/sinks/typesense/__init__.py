"""Everything that is known of Typesense."""
