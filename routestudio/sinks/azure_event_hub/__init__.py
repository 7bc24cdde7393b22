"""Everything that is known of Azure Event Hubs."""
