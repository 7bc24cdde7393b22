"""Servers and clusters that speak the protocol of Redis."""
