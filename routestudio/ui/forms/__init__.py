"""Forms built from form specs: one builder, one widget per kind of field."""
