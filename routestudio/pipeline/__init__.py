"""The pipeline: stages of one message, and batching, ordering, retry and delivery of many."""
