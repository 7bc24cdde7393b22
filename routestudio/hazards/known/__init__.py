"""The catalog of hazards as data: one module per part of docs/hazards.md."""
