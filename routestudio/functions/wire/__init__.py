"""How results come from a function worker: its JSON, and what the parent reads of it."""
