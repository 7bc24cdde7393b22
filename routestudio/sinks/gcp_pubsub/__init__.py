"""Everything that is known of Google Pub/Sub."""
