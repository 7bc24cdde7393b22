"""A server that is not installed: a skipped test on a laptop, a failed one in CI."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip the test because `what` is not there; fail it when `CI=true`."""
    reason = f"{what} is not installed; `bash packaging/test` installs it"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"CI=true: {reason}", pytrace=False)
    pytest.skip(reason)


def program(name: str) -> str:
    """Return the path of an installed program, or end the test as `missing` does."""
    return shutil.which(name) or missing(name)
