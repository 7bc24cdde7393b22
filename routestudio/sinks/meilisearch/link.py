"""How changes travel to Meilisearch: requests become tasks, which are followed to their end.

Statuses, error types and codes: Meilisearch's documentation of tasks and errors, and the OpenAPI
description of version 1.15.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from routestudio.model.outcome import DELIVERED, Outcome, rejected, retry, unreachable
from routestudio.sinks._shared.halves import Refused, in_halves
from routestudio.sinks._shared.http.client import Answer, UnansweredError
from routestudio.sinks._shared.http.endpoint import DOTS, EndpointUrl
from routestudio.sinks._shared.http.service import (
    ServiceLink,
    Verdict,
    error_text,
    failed,
    passed,
    segment,
    unsure,
)
from routestudio.sinks._shared.waves import in_waves
from routestudio.sinks.base import InOrder

TASK_SECONDS: Final = 600.0
"""How long a task is followed, from when it was accepted; its server may have a long queue."""
SILENCE_SECONDS: Final = 30.0
"""How long nothing may be heard of a task before following it is given up."""
_FIRST_WAIT: Final = 0.05
_LAST_WAIT: Final = 1.0

OF_INDEX: Final = frozenset(
    {"feature_not_enabled", "index_creation_failed", "index_not_found",
     "index_primary_key_already_exists", "index_primary_key_multiple_candidates_found",
     "index_primary_key_no_candidate_found", "invalid_index_primary_key", "invalid_index_uid"}
)  # fmt: skip
"""Codes of refusals that concern a whole request, so that splitting it cannot help."""
_ROUTES: Final = {"index": "documents", "delete": "documents/delete-batch",
                  "function": "documents/edit"}  # fmt: skip
_RIGHTS: Final = {
    "index": "the key needs documents.add, tasks.get and, for a new index, indexes.create",
    "delete": "the key needs documents.delete and tasks.get",
    "function": "the key needs documents.* and tasks.get",
}


@dataclass(frozen=True, slots=True, repr=False)
class Change:
    """What one message does to an index: `body` is the document, the id or the edit, as JSON."""

    url: str
    action: str
    index: str
    primary_key: str
    id: int | str | None
    body: bytes

    @property
    def size(self) -> int:
        return len(self.body) + 1

    @property
    def path(self) -> str:
        """The path of the request, without its query."""
        return f"/indexes/{segment(self.index)}/{_ROUTES[self.action]}"

    def describe(self) -> dict[str, Any]:
        body = self.body.decode("utf-8", "replace")
        query = "?" + urlencode({"primaryKey": self.primary_key}) if self.action == "index" else ""
        found: dict[str, Any] = {
            "method": "POST",
            "url": self.url + self.path + query,
            "headers": {"authorization": f"Bearer {DOTS}"},
            "body": f"[{body}]" if self.action == "delete" else body,
        }
        if self.id is not None:
            found["id"] = self.id
        return found


class LostTaskError(Exception):
    """It is not known what became of a task. `outcome` explains why."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.outcome = retry(code, reason, unknown=True)


class TaskLink(ServiceLink):
    """A link whose requests are answered by a task's number; subclasses define what is
    requested."""

    service = "Meilisearch"

    async def followed(self, uid: int) -> dict[str, Any]:
        """The task when it has ended. Raises `LostTaskError`; asks ever less often."""
        clock = asyncio.get_running_loop().time
        start = heard = clock()
        wait, last = _FIRST_WAIT, "it is not finished"
        while True:
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, _LAST_WAIT)
            try:
                answer = await self.call("GET", f"/tasks/{uid}")
            except UnansweredError as failure:
                last = failure.outcome.reason
            else:
                task = answer.json()
                if answer.ok and isinstance(task, dict):
                    heard, last = clock(), f"it is {task.get('status')}"
                    if task.get("status") in ("succeeded", "failed", "canceled"):
                        return task
                else:
                    last = self.refusal(answer).reason
                    if answer.status in (401, 403, 404):
                        raise LostTaskError("task_lost", f"task {uid} cannot be read: {last}")
            if clock() - heard > SILENCE_SECONDS:
                raise LostTaskError("task_lost", f"nothing is heard of task {uid}: {last}")
            if clock() - start > TASK_SECONDS:
                text = f"task {uid} did not end within {TASK_SECONDS:g} s: {last}"
                raise LostTaskError("task_timeout", text)

    def ended(self, task: dict[str, Any]) -> tuple[Outcome, bool]:
        """The outcome of a task, and whether a part of what it held may fare better."""
        if task["status"] == "succeeded":
            return DELIVERED, False
        if task["status"] == "canceled":
            return retry("task_canceled", f"task {task.get('uid')} was canceled"), False
        error = task.get("error")
        error = error if isinstance(error, dict) else {}
        code = str(error.get("code") or "task_failed")
        reason = self.clean(str(error.get("message") or "no reason given"))[:500]
        if error.get("type") in ("internal", "system"):
            return retry(code, reason), False
        return rejected(code, reason), code not in OF_INDEX

    def refusal(self, answer: Answer) -> Outcome:
        """The outcome of a request that did not become a task."""
        text, code = error_text(answer, "message"), error_text(answer, "code")
        outcome = self.refused(answer, text)
        if answer.status == 403:
            # Also a key that may not write here: rejecting all would empty the source.
            return unreachable("http_403", f"the credentials were refused: {outcome.reason}")
        if error_text(answer, "type") in ("internal", "system"):
            outcome = replace(outcome, status="retry")
        return replace(outcome, code=code or outcome.code)


class MeilisearchLink(TaskLink):
    """Requests that enqueue tasks, and following each task to its end."""

    def __init__(self, base: EndpointUrl, key: str, primary_key: str, timeout: float) -> None:
        headers = {"authorization": f"Bearer {key}"}
        super().__init__(base, headers=headers, secrets=[key], timeout=timeout)
        self._primary_key = primary_key

    async def deliver(self, batch: Sequence[Change]) -> Sequence[Outcome]:
        if batch[0].action == "function":
            if isinstance(batch, InOrder):
                return await self._edit_in_order(batch)
            return await self._edit(batch)
        # In order, because a later document may replace an earlier one.
        return await in_halves(batch, self._write)

    async def _write(self, batch: Sequence[Change]) -> Sequence[Outcome] | Refused:
        """Documents or ids in one task; one that failed has changed nothing."""
        try:
            outcome, splits = await self._written(batch)
        except (UnansweredError, LostTaskError) as failure:
            return [failure.outcome] * len(batch)
        if outcome.status == "rejected":
            return Refused(outcome, splits)
        return [outcome] * len(batch)

    async def _written(self, batch: Sequence[Change]) -> tuple[Outcome, bool]:
        """The outcome of one task, and whether a part of the batch may fare better."""
        bodies = [change.body for change in batch]
        if batch[0].action == "index":
            kind, body = "application/x-ndjson", b"\n".join(bodies)
            query = {"primaryKey": self._primary_key}
        else:
            kind, body, query = "application/json", b"[" + b",".join(bodies) + b"]", {}
        answer = await self.call("POST", batch[0].path, query=query, body=body, content_type=kind,
                                 gzip=len(body) > 1024)  # fmt: skip
        if not answer.ok:
            outcome = self.refusal(answer)
            splits = answer.status in (400, 413) and outcome.code not in OF_INDEX
            return outcome, splits
        return self.ended(await self.followed(task_of(answer)))

    async def _edit_in_order(self, batch: InOrder) -> list[Outcome]:
        """Each edit is one task, so the next one of its group waits until that has ended."""
        found: dict[int, Outcome] = {}

        async def edit(wave: Sequence[int]) -> None:
            found.update(zip(wave, await self._edit([batch[i] for i in wave]), strict=True))

        await in_waves(batch, found, edit)
        return [found[index] for index in range(len(batch))]

    async def _edit(self, batch: Sequence[Change]) -> list[Outcome]:
        """One request per edit, then their tasks, which Meilisearch carries out in order."""
        found: list[Outcome | int] = []
        for change in batch:
            try:
                answer = await self.call("POST", change.path, body=change.body)
                found.append(task_of(answer) if answer.ok else self._refused_edit(answer))
            except LostTaskError as lost:
                found.append(_unsure_edit(lost.outcome))
            except UnansweredError as failure:
                found.append(_unsure_edit(failure.outcome))
                # The rest was not sent, so it may be tried again without any risk.
                rest = replace(failure.outcome, unknown=False)
                found += [rest] * (len(batch) - len(found))
                break
        outcomes = []
        for item in found:
            try:
                outcomes.append(
                    item if isinstance(item, Outcome) else self.ended(await self.followed(item))[0]
                )
            except LostTaskError as lost:
                outcomes.append(_unsure_edit(lost.outcome))
        return outcomes

    def _refused_edit(self, answer: Answer) -> Outcome:
        outcome = self.refusal(answer)
        # A gateway's word, not Meilisearch's: the request may have come through.
        if answer.status in (408, 500, 502, 504) and not error_text(answer, "code"):
            return _unsure_edit(replace(outcome, unknown=True))
        return outcome

    async def authenticate(self, base: EndpointUrl) -> Verdict:
        health = await self.call("GET", "/health")
        if not health.ok or error_text(health, "status") != "available":
            return failed(
                f"this is not Meilisearch, or not ready: /health answers HTTP {health.status}",
                "check host, port and path of the endpoint URL",
            )
        tasks = await self.call("GET", "/tasks", query={"limit": 1})
        if tasks.ok:
            return passed("Meilisearch is available, and the key may read tasks")
        if tasks.status not in (401, 403):
            return self._odd(tasks)
        if (await self.call("GET", "/indexes", query={"limit": 1})).ok:
            return failed("the key may not read tasks", "give it the action tasks.get, without "
                          "which nobody knows what became of a write")  # fmt: skip
        reason = error_text(tasks, "message") or f"HTTP {tasks.status}"
        return failed(
            f"Meilisearch refuses the key: {reason}",
            "check the API key; it needs documents.add, documents.delete and tasks.get",
        )

    async def prove(self, target: Any) -> Verdict:
        name, rights = target.index_name, _RIGHTS[target.action]
        answer = await self.call("GET", f"/indexes/{segment(name)}")
        if not answer.ok and answer.status not in (403, 404):
            return self._odd(answer)
        if answer.ok and (found := error_text(answer, "primaryKey")) not in ("", self._primary_key):
            return failed(
                f"the primary key of `{name}` is `{found}`, not `{self._primary_key}`",
                f"set the sink's primary key to `{found}`, or route elsewhere",
            )
        # A request without a body is refused before it becomes a task, but after its rights.
        kind = "application/x-ndjson" if target.action == "index" else "application/json"
        path = f"/indexes/{segment(name)}/{_ROUTES[target.action]}"
        probe = await self.call("POST", path, headers={"content-type": kind})
        if probe.status in (401, 403):
            return failed(f"the key may not write to `{name}`", rights)
        if probe.status != 400:
            return unsure(f"it is not clear whether the key may write to `{name}`", rights)
        if answer.status == 404:
            return unsure(f"there is no index `{name}` yet; its first document creates it", rights)
        if answer.status == 403:
            return unsure(
                f"the key may write to `{name}`, but not look at it", "give it indexes.get"
            )
        if target.action == "function":
            features = await self.call("GET", "/experimental-features")
            if features.ok and error_text(features, "editDocumentsByFunction") != "true":
                hint = "turn the experimental feature editDocumentsByFunction on"
                return failed("editing by function is off", hint)
        return passed(f"the index `{name}` exists, and the key may write to it")

    def shown(self, target: Any) -> str:
        return f"{target.action} {target.index_name}"

    def _odd(self, answer: Answer) -> Verdict:
        text = error_text(answer, "message") or answer.excerpt()
        return failed(f"Meilisearch answers HTTP {answer.status}: {text}",
                      "check the index's name and the state of the server")  # fmt: skip


def task_of(answer: Answer) -> int:
    """The number of the task that a request became. Raises `LostTaskError`."""
    found = answer.json()
    uid = found.get("taskUid") if isinstance(found, dict) else None
    if type(uid) is not int:
        raise LostTaskError("no_task", "the answer names no task")
    return uid


def _unsure_edit(outcome: Outcome) -> Outcome:
    """An edit may count or append, so one that was perhaps done is not tried again."""
    if not outcome.unknown:
        return outcome
    reason = f"{outcome.reason}; the edit may have been done, so it is not repeated"
    return rejected("unknown_edit", reason)
