"""Files far larger than memory, in any row format: `python -m tests.large`."""
