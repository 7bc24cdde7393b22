"""The engine: samples, preview, checks, delivery and stand-ins, without Qt."""
