"""Panels of the window: preview, check, run, what arrived, problems, log."""
