"""`python -m routestudio`."""

from __future__ import annotations

import sys

from routestudio.app import main

if __name__ == "__main__":
    sys.exit(main())
