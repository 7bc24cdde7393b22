"""Services that fail, each started once, and the tables at the end of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fault.service import Service
from tests.fault.services import started
from tests.fault.tables import tables


@pytest.fixture(scope="session")
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The service of the sink that the test names."""
    folder = tmp_path_factory.mktemp(request.param)
    with started(request.param, folder, request.getfixturevalue) as found:
        yield found


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what was counted, also when tests ran in several processes."""
    found: dict[str, list[dict[str, Any]]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name.startswith("table:") and getattr(report, "when", "") == "call":
                    found.setdefault(name.removeprefix("table:"), []).append(value)
    for line in tables(found):
        terminalreporter.write_line(line)
