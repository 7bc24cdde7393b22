"""What a sink's connection test says in each situation, run for real and kept in `docs/checks`.

A test fills one table per sink type and calls `finish`, which compares it with the page in
`docs/checks/<key>.md`. After a wanted change write the pages anew with
`ROUTESTUDIO_WRITE_CHECKS=1 pytest -k check_table`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from routestudio.model.outcome import CheckStep
from routestudio.sinks.base import Sink

FOLDER: Final = Path(__file__).parents[2] / "docs" / "checks"

SITUATIONS: Final = (
    "right credentials",
    "wrong credentials",
    "missing right",
    "missing target",
    "unreachable",
    "wrong protocol",
    "timeout",
)
Mode = Literal["static", "dynamic"]
MODES: Final[tuple[Mode, ...]] = ("static", "dynamic")

_ADDRESS = re.compile(r"(?<![\w.])(?:127\.0\.0\.1|localhost|\[::1\]|::1)(:\d+)?(?![\w.])")


def deciding(steps: Sequence[CheckStep]) -> CheckStep:
    """The step that settles the verdict: the first failed or inconclusive one, else the last."""
    for status in ("failed", "inconclusive"):
        for step in steps:
            if step.status == status:
                return step
    return next(step for step in reversed(steps) if step.status == "passed")


class CheckTable:
    """The outcomes of one sink type's checks against `service`, e.g. "nats-server".

    `hide` maps text that differs from run to run to what stands for it on the page.
    """

    def __init__(
        self, sink: type[Sink], service: str, hide: Mapping[str, str] | None = None
    ) -> None:
        self._sink = sink
        self._service = service
        self._hide = dict(hide or {})
        self._rows: list[tuple[str, Mode, str, str, str, str]] = []

    async def run(
        self,
        situation: str,
        mode: Mode,
        config: Any,
        targets: Sequence[Any],
        expect: str,
        *,
        variant: str = "",
    ) -> list[CheckStep]:
        """Check `config` and add a row; `expect` is e.g. "authenticate failed" or "target passed".

        In static mode `targets` is the one destination; in dynamic mode those of the samples.
        `variant` tells rows of one situation apart.
        """
        assert situation in SITUATIONS
        assert mode == "dynamic" or len(targets) == 1, "static mode has one destination"
        link = self._sink.connect(config)
        try:
            steps = [step async for step in link.check(targets)]
        finally:
            await link.close()
        step = deciding(steps)
        assert f"{step.step} {step.status}" == expect, steps
        if step.status == "failed":
            assert step.hint, "a failed step says what to do"
        name = f"{situation}: {variant}" if variant else situation
        told = step.hint or ""
        self._rows.append((name, mode, step.status, step.step, step.detail, told))
        return steps

    async def run_both(
        self, situation: str, config: Any, target: Any, expect: str, *, variant: str = ""
    ) -> None:
        """The same in both modes, with one destination; in dynamic mode as if from samples."""
        for mode in MODES:
            await self.run(situation, mode, config, [target], expect, variant=variant)

    def impossible(self, situation: str, reason: str, modes: Sequence[Mode] = MODES) -> None:
        """Add a row for a situation that this service cannot have, or that cannot be made here."""
        assert situation in SITUATIONS
        self._rows += [(situation, mode, "none", "", reason, "") for mode in modes]

    def finish(self) -> None:
        """Require every situation in both modes, and the page in `docs/checks` to say the same."""
        found = {(row[0].partition(":")[0], row[1]) for row in self._rows}
        missing = [(s, m) for s in SITUATIONS for m in MODES if (s, m) not in found]
        assert not missing, f"situations without a row: {missing}"
        file, text = FOLDER / f"{self._sink.key}.md", self.text()
        if os.environ.get("ROUTESTUDIO_WRITE_CHECKS"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        assert file.read_text() == text, f"write {file.name} anew with ROUTESTUDIO_WRITE_CHECKS=1"

    def text(self) -> str:
        """The page."""
        modes: dict[tuple[str, ...], list[str]] = {}
        for name, mode, *found in self._rows:
            modes.setdefault((name, *found), []).append(mode)
        rows = sorted(modes.items(), key=lambda row: SITUATIONS.index(row[0][0].partition(":")[0]))
        lines = [
            f"# Connection test of {self._sink.title}",
            "",
            "<!-- Written by the tests (`ROUTESTUDIO_WRITE_CHECKS=1 pytest -k check_table`). -->",
            "",
            f"Results of the check in each situation when it was run against {self._service}. "
            "The step is the one that settles the verdict.",
            "",
            "| Situation | Mode | Verdict | Step | Result | What to do |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        lines += [
            f"| {name} | {', '.join(sorted(mode, reverse=True))} | {status} | {step} "
            f"| {self._stable(says)} | {self._stable(todo)} |"
            for (name, status, step, says, todo), mode in rows
        ]
        return "\n".join([*lines, ""])

    def _stable(self, text: str) -> str:
        for given, shown in self._hide.items():
            text = text.replace(given, shown)
        text = _ADDRESS.sub(lambda m: "HOST:PORT" if m.group(1) else "HOST", text)
        return text.replace("|", "\\|").replace("<", "&lt;")
