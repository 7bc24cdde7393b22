"""Tests that fail only now and then: run once more, listed, and few.

`packaging/test` runs a failed test once more. One that passes then is listed with its first failure
in the summary, to be looked into: most had a cause in the program, such as an answer that came too
early. More than `MOST` of them fail the run, since so many are no chance.
"""

from __future__ import annotations

from typing import Final

import pytest

MOST: Final = 3
"""Tests of one run that may need their second try."""

_tries = pytest.StashKey[dict[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin the list."""
    config.stash[_tries] = {}


class _Watch:
    """Notes the first failure of each test that was run again."""

    def __init__(self, tries: dict[str, str]) -> None:
        self._tries = tries

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of a test has ended; `rerun` stands for a failure before the last try."""
        if report.outcome == "rerun":  # type: ignore[comparison-overlap]
            self._tries[report.nodeid] = report.longreprtext
        elif report.failed:
            self._tries.pop(report.nodeid, None)  # it is reported as a failure


def pytest_sessionstart(session: pytest.Session) -> None:
    """Watch where the results come together: in the first process, not in those of `-n`."""
    if not hasattr(session.config, "workerinput"):
        session.config.pluginmanager.register(_Watch(session.config.stash[_tries]), "second-tries")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run when chance cannot be the reason."""
    if len(session.config.stash[_tries]) > MOST and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show each first failure."""
    tries = config.stash[_tries]
    if not tries:
        return
    terminalreporter.section(f"{len(tries)} passed only when run again (at most {MOST} may)")
    for name, text in tries.items():
        terminalreporter.line(f"--- {name}\n{text}\n")
