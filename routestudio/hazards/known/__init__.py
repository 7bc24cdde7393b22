"""The catalog of hazards as data: one module per part of the sink reference, in our own words."""
