"""`python -m tests.fault`: every fault test, and the tables of what was counted.

`--kills` and `--rounds` say how often; other arguments go to pytest, such as `-k redis`.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pytest


def main() -> int:
    """Run the tests; the exit code is pytest's."""
    parser = argparse.ArgumentParser(prog="python -m tests.fault", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="runs that are killed (default 50)")
    parser.add_argument("--rounds", type=int, default=1, help="rounds of every fault (default 1)")
    options, more = parser.parse_known_args()
    os.environ["ROUTESTUDIO_KILL_RUNS"] = str(options.kills)
    os.environ["ROUTESTUDIO_FAULT_ROUNDS"] = str(options.rounds)
    folder = Path(__file__).parent
    return int(pytest.main([str(folder), "--rootdir", str(folder.parents[1]), "-q", *more]))


if __name__ == "__main__":
    sys.exit(main())
