"""Tests of sinks and sources against other versions of their servers than the usual ones."""
