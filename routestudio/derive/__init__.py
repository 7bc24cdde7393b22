"""Pure derivations from a sink type: forms, docs, starters, schema, YAML."""
