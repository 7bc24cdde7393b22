"""The command line: a stable contract for scripts, CI and people (docs/guides/command-line.md)."""
