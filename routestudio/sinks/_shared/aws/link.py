"""Shared by the sinks of AWS: requests of limited size, outcomes of entries, connection test."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol

from routestudio.model.outcome import DELIVERED, CheckStep, Outcome, rejected, retry
from routestudio.sinks._shared.aws.client import AwsClient, AwsError, entry_outcome
from routestudio.sinks._shared.aws.fields import (
    EMULATOR_KEYS,
    FALLBACK_REGION,
    AwsConfig,
    Fifo,
    Place,
)
from routestudio.sinks._shared.halves import Refused, in_halves
from routestudio.sinks._shared.http.client import UnansweredError
from routestudio.sinks._shared.http.endpoint import EndpointUrl
from routestudio.sinks._shared.http.service import (
    CHECK_SECONDS,
    ServiceLink,
    Verdict,
    failed,
    passed,
    unsure,
)
from routestudio.sinks._shared.repeats import SentIds
from routestudio.sinks.base import Payload, SinkRouting

DEDUPLICATION_SECONDS: Final = 300.0
"""Seconds in which a FIFO queue or topic drops a message whose deduplication id came before."""

_SURE: Final = "only a delivery proves it; deliver one sample to be sure"
_REPEATED: Final = rejected(
    "repeated",
    "another message with the same idempotency key went to this FIFO destination in the last five "
    "minutes, so AWS would drop this one; give messages their own commit_lsn and commit_idx",
)


class AwsRecord(Protocol):
    """One entry of a request; `size` in bytes, as the service counts them."""

    @property
    def size(self) -> int: ...


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """What one request may hold: entries, their bytes, and the bytes of one (`None`: all)."""

    entries: int
    size: int
    entry: int | None = None


class AwsLink(ServiceLink):
    """Delivers entries in requests of limited size; only the failed ones are tried again.

    No two records of a batch belong to one group (`Link.send`), so requests keep no order.
    """

    noun: ClassVar[str]
    """What a destination is called: queue, topic, stream."""
    api: ClassVar[str]
    """Name of the API, as in host names and in botocore."""
    right: ClassVar[str]
    """The right that sending needs, e.g. `sqs:SendMessage`."""
    sending: ClassVar[tuple[str, str, str]]
    """The call that sends, and its parameters for the destination and for the entries."""
    listing: ClassVar[tuple[str, Mapping[str, Any], str]]
    """A call that any valid credentials can try, its parameters, and the right that it needs."""

    def __init__(self, config: AwsConfig, limits: RequestLimits) -> None:
        self.config = config
        self.limits = limits
        keys = config.keys()
        secrets = [keys.id, keys.secret] if keys and keys is not EMULATOR_KEYS else []
        super().__init__(
            config.endpoint(self.api, config.region or FALLBACK_REGION),
            secrets=[secret.get_secret_value() for secret in secrets],
        )
        self._aws = AwsClient(self.api, keys, self._client)
        self._regions: dict[str, str] = {}

    @abstractmethod
    def destination(self, target: Any) -> str:
        """The ARN or URL that a routing names."""

    @abstractmethod
    def parse(self, destination: str) -> Place:
        """The place that a valid ARN or URL names."""

    @abstractmethod
    async def put(self, records: Sequence[Any]) -> list[Outcome]:
        """Send one request, within the limits. May raise `AwsError` and `UnansweredError`."""

    @abstractmethod
    async def inspect(self, destination: str) -> str | Verdict:
        """What the destination is, in a few words, or why it takes nothing.

        May raise `AwsError` and `UnansweredError`.
        """

    async def ask(
        self, region: str, operation: str, parameters: Mapping[str, Any], *, check: bool = False
    ) -> dict[str, Any]:
        """One call in a region; with the deadline of a check, or of a delivery."""
        seconds = CHECK_SECONDS if check else self.timeout
        base = self.config.endpoint(self.api, region)
        url = base.origin + base.path
        return await self._aws.call(url, region, operation, parameters, seconds=seconds)

    async def deliver(self, batch: Sequence[AwsRecord]) -> Sequence[Outcome]:
        outcomes: dict[int, Outcome] = {}
        waiting: Sequence[int] = range(len(batch))
        while waiting:
            chunk, waiting = self._cut(batch, waiting, outcomes)
            found = await in_halves([batch[index] for index in chunk], self._request)
            outcomes.update(zip(chunk, found, strict=True))
        return [outcomes[index] for index in range(len(batch))]

    def _cut(
        self, batch: Sequence[AwsRecord], waiting: Sequence[int], outcomes: dict[int, Outcome]
    ) -> tuple[list[int], list[int]]:
        """The records of the next request and those after it; what cannot go gets its outcome."""
        chunk: list[int] = []
        later: list[int] = []
        size = 0
        limits = self.limits
        largest = limits.size if limits.entry is None else min(limits.entry, limits.size)
        for index in waiting:
            record = batch[index]
            if record.size > largest:
                text = f"has {record.size:,} bytes; one message may have {largest:,}"
                outcomes[index] = rejected("too_large", text)
            elif len(chunk) >= limits.entries or size + record.size > limits.size:
                later.append(index)
            else:
                chunk.append(index)
                size += record.size
        return chunk, later

    async def _request(self, records: Sequence[AwsRecord]) -> Sequence[Outcome] | Refused:
        """One request."""
        try:
            return await self.put(records)
        except UnansweredError as failure:
            return [failure.outcome] * len(records)
        except AwsError as error:
            outcome = error.outcome(self.right)
            about_all = error.denied or error.missing or error.status not in (400, 413)
            return Refused(outcome, outcome.status == "rejected" and not about_all)

    async def close(self) -> None:
        await self._aws.close()
        await super().close()

    # --- check ---

    def place(self, target: Any) -> EndpointUrl:
        region = self.parse(self.destination(target)).region
        base = self.config.endpoint(self.api, region)
        self._regions.setdefault(str(base), region)
        return base

    async def check(self, targets: Sequence[SinkRouting]) -> AsyncIterator[CheckStep]:
        if not targets and self.config.region is None and not self.config.use_emulator:
            yield CheckStep(
                "authenticate", "inconclusive", "there is neither a region nor a destination",
                hint="enter the region, or preview samples first",
            )  # fmt: skip
            return
        async with aclosing(super().check(targets)) as steps:  # type: ignore[type-var]
            async for step in steps:
                yield step

    async def authenticate(self, base: EndpointUrl) -> Verdict:
        operation, parameters, right = self.listing
        region = self._regions.get(str(base)) or self.config.region or FALLBACK_REGION
        try:
            await self.ask(region, operation, parameters, check=True)
        except AwsError as error:
            if error.denied:
                return passed(f"AWS accepts the credentials; {right} is not needed and not granted")
            return self._refused(error)
        except UnansweredError as failure:
            if failure.outcome.code != "credentials":
                raise
            return failed(
                failure.outcome.reason, "enter an access key, or sign in to AWS on this machine"
            )
        if self.config.use_emulator:
            return passed("the emulator answers")
        return passed(f"AWS accepts the credentials in {region}")

    async def prove(self, target: Any) -> Verdict:
        """What the target is; then an empty request, which writes nothing but asks for the right.

        AWS looks at rights first, so a refusal proves that the right is missing. That it finds
        fault with the emptiness proves nothing: the order is not documented.
        """
        found: str | Verdict
        found, unread = "", ""
        destination = self.destination(target)
        try:
            found = await self.inspect(destination)
        except AwsError as error:
            if error.missing:
                return self._gone(target)
            if not error.denied:
                return self._refused(error)
            unread = error.text
        if isinstance(found, Verdict):
            return found
        operation, named, entries = self.sending
        region = self.parse(destination).region
        parameters = {named: destination, entries: []}
        try:
            await self.ask(region, operation, parameters, check=True)
        except AwsError as error:
            if error.denied:
                return failed(
                    f"the right {self.right} is missing: {error.text}",
                    f"allow {self.right} on it in the policy of this user or role",
                )
            if error.missing:
                return self._gone(target)
            if error.credentials or error.foreign or error.passing:
                return self._refused(error)
        if unread:
            return unsure(f"its attributes may not be read: {unread}", _SURE)
        return passed(f"{found}, and {self.right} was not refused")

    def shown(self, target: Any) -> str:
        place = self.parse(self.destination(target))
        return f"{place.name} in {place.region}"

    def _gone(self, target: Any) -> Verdict:
        return failed(
            f"there is no {self.noun} {self.shown(target)}",
            f"create the {self.noun}, or correct the destination",
        )

    def _refused(self, error: AwsError) -> Verdict:
        if error.foreign:
            return failed(error.text, "check the URL of the emulator, or the way to AWS")
        if error.credentials:
            return failed(
                f"AWS refuses the credentials: {error.text}", "check access key id and secret key"
            )
        if error.passing:
            return unsure(f"AWS answers: {error.text}", "try again later")
        return failed(f"AWS answers {error.code}: {error.text}", "correct the destination")


@dataclass(frozen=True, slots=True)
class Entry:
    """A message for a queue or a topic at `destination`; `fifo` when that keeps order."""

    kind: str
    destination: str
    body: str
    size: int
    fifo: Fifo | None

    def describe(self) -> dict[str, Any]:
        """The entry as plain data."""
        shown: dict[str, Any] = {"kind": self.kind, "destination": self.destination}
        if self.fifo:
            shown["message_group_id"] = self.fifo.group
            shown["message_deduplication_id"] = self.fifo.deduplication
        return {**shown, "body": self.body}


class EntryLink(AwsLink):
    """Sends entries by `SendMessageBatch` or `PublishBatch`, which answer alike."""

    body: ClassVar[str]
    """The parameter of an entry that holds its text."""

    def __init__(self, config: AwsConfig, limits: RequestLimits) -> None:
        super().__init__(config, limits)
        self._sent = SentIds()

    async def put(self, records: Sequence[Entry]) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}
        entries = []
        for index, record in enumerate(records):
            entry = {"Id": str(index), self.body: record.body}
            if record.fifo is not None:
                if self._repeated(record, record.fifo):
                    outcomes[index] = _REPEATED
                    continue
                entry["MessageGroupId"] = record.fifo.group
                entry["MessageDeduplicationId"] = record.fifo.deduplication
            entries.append(entry)
        if entries:
            destination = records[0].destination
            operation, named, listed = self.sending
            parameters = {named: destination, listed: entries}
            answer = await self.ask(self.parse(destination).region, operation, parameters)
            outcomes |= _entry_outcomes(answer)
        lost = retry("unanswered", "AWS did not report an outcome for this entry", unknown=True)
        return [outcomes.get(index, lost) for index in range(len(records))]

    def _repeated(self, record: Entry, ids: Fifo) -> bool:
        """Whether another message went out with this id; the same one again is none.

        AWS would take this one and drop it. A retry of the same message relies on just that.
        """
        key = (record.destination, ids.deduplication)
        return self._sent.repeated(key, (ids.group, record.body), DEDUPLICATION_SECONDS)


def _entry_outcomes(answer: Mapping[str, Any]) -> dict[int, Outcome]:
    """By position of the entry: the answer's result for those that it names."""
    found = {_position(item): DELIVERED for item in answer.get("Successful") or ()}
    for item in answer.get("Failed") or ():
        found[_position(item)] = entry_outcome(
            str(item.get("Code") or "Failed"),
            str(item.get("Message") or ""),
            sender_fault=bool(item.get("SenderFault")),
        )
    return found


def _position(item: Mapping[str, Any]) -> int:
    """Which entry is named; -1 when it is none that was sent."""
    name = str(item.get("Id"))
    return int(name) if name.isascii() and name.isdigit() and len(name) < 6 else -1


def json_body(payload: Payload) -> bytes:
    """A payload as JSON that SQS takes: two characters that it refuses become escapes of JSON.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    names the characters; JSON escapes the other ones that SQS refuses anyway.
    """
    body = payload.json
    if b"\xef\xbf" in body:
        body = body.replace(b"\xef\xbf\xbe", b"\\ufffe").replace(b"\xef\xbf\xbf", b"\\uffff")
    return body
