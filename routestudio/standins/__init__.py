"""Local services for a laptop without any: they speak the real protocol to the real client."""
