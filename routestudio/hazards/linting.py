"""Asks every rule about a sink, and evaluates the messages that rules look at."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from routestudio.hazards import catalog, rules, variants
from routestudio.model.function import Language
from routestudio.model.hazard import Finding
from routestudio.model.message import Message
from routestudio.pipeline.stages import Stages
from routestudio.sinks.hazard_view import Keys, Outcome, Pair, SinkView
from routestudio.sinks.hazards import RULES, Rule

log = logging.getLogger(__name__)

assert rules.MODULES, "the rules register themselves when their modules are imported"


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The messages of a project's samples and their variants after a sink's stages."""

    outcomes: tuple[Outcome, ...]
    bare: tuple[Pair, ...]
    reads: tuple[Pair, ...]
    olds: tuple[Pair, ...]
    typings: tuple[Pair, ...]


async def evaluate(
    stages: Stages, samples: Mapping[str, Sequence[Message]], keys: Keys
) -> Evaluated:
    """Apply `stages` to messages by sample file, and to their variants, in one call.

    Raises `WorkerError` when there is no function worker.
    """
    rows = [(file, message) for file, messages in samples.items() for message in messages]
    # Every variant keeps the metadata of the message that it was made of.
    files = {id(message.metadata): file for file, message in rows}
    messages = [message for _, message in rows]
    sets = (
        variants.deletes(messages, keys),
        variants.backfills(messages),
        variants.formers(messages, keys),
        variants.typings(messages),
    )
    extra = [variant for pairs in sets for pair in pairs for variant in pair]
    staged = await stages.apply([*messages, *extra])
    outcomes = tuple(Outcome(f, s) for (f, _), s in zip(rows, staged, strict=False))
    made = iter(staged[len(messages) :])

    def pairs(of: Sequence[tuple[Message, Message]]) -> tuple[Pair, ...]:
        found = []
        for first, _ in of:
            file = files[id(first.metadata)]
            found.append(Pair(Outcome(file, next(made)), Outcome(file, next(made))))
        return tuple(found)

    return Evaluated(outcomes, pairs(sets[0]), pairs(sets[1]), pairs(sets[2]), pairs(sets[3]))


def findings(view: SinkView) -> Iterator[Finding]:
    """What all rules find in one sink, in the order of the catalog's parts."""
    python = any(f.function.language is Language.PYTHON and f.function.kind.entry_point
                 for f in view.functions)  # fmt: skip
    for item in RULES.values():
        hazard = catalog.BY_ID.get(item.id)
        concerned = hazard is None or not hazard.sinks or view.type in hazard.sinks
        if not concerned or (item.server and python):
            continue
        yield from _asked(item, view)


def _asked(item: Rule, view: SinkView) -> Iterator[Finding]:
    try:
        found = list(item.check(view))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        # A hostile project must not keep the other rules from being asked.
        log.exception("rule %s failed", item.id)
        return
    default = catalog.BY_ID[item.id].severity if item.id in catalog.BY_ID else "warning"
    for finding in found:
        yield finding if finding.severity else replace(finding, severity=default)
