"""Where a server's rows come from: Kafka topics and Redis streams."""
