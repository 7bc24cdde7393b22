"""What the check of the Kafka sink knows of brokers and topics: whether they can take the samples.

Settings come from DescribeConfigs (Kafka's documentation, "Topic Configs"); a user without the
right DESCRIBE_CONFIGS cannot ask for them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from routestudio.model.outcome import CheckStep, StepStatus
from routestudio.model.wording import counted
from routestudio.sinks.kafka.settings import unreachable_text

if TYPE_CHECKING:
    from routestudio.sinks.kafka.sink import KafkaRecord

_CONNECT_SECONDS: Final = 3.0
_MAX_BROKERS: Final = 100
ADVERTISED: Final = (
    "set advertised.listeners of the broker to an address that this machine can reach"
)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that exists: its partitions, settings (`None` when they cannot be read), samples."""

    name: str
    partitions: Mapping[int, Any]
    settings: Mapping[str, str] | None
    samples: Sequence[KafkaRecord]

    @property
    def shown(self) -> str:
        """The topic in words."""
        count = len(self.partitions)
        return f"topic {self.name} exists with {count} partition{'s' if count != 1 else ''}"

    def leaders(self) -> set[int]:
        """The ids of the brokers that lead its partitions."""
        return {partition.leader for partition in self.partitions.values()}

    def _number(self, name: str) -> int:
        text = (self.settings or {}).get(name, "")
        return int(text) if text.isdecimal() else 0

    @property
    def _compacted(self) -> bool:
        return "compact" in (self.settings or {}).get("cleanup.policy", "")

    def objection(self, compression: str) -> tuple[StepStatus, str, str] | None:
        """Why it does not take the samples, with a verdict and what to do."""
        leaderless = [number for number, found in self.partitions.items() if found.leader < 0]
        if leaderless:
            return (
                "failed",
                f"topic {self.name}: partition {leaderless[0]} has no leader, so nothing can be "
                "written to it",
                "bring back the brokers that hold the partition",
            )
        if wanting := self._too_few_in_sync():
            return "failed", wanting, "bring back the brokers that hold the partition"
        if wanting := self._more_than_replicas():
            return (
                "inconclusive",
                f"topic {self.name}: {wanting}; brokers before Kafka 3.7 refuse every record",
                "lower min.insync.replicas, or deliver one sample to be sure",
            )
        keyless = sum(1 for record in self.samples if not record.key)
        if self._compacted and keyless:
            return (
                "failed",
                f"topic {self.name} is compacted (cleanup.policy) and refuses records without a "
                f"key; {keyless:,} of {len(self.samples):,} sample records have none",
                "give each message a message_key or a group, or choose another topic",
            )
        limit = self._number("max.message.bytes")
        largest = max((batch_size(record) for record in self.samples), default=0)
        if 0 < limit < largest:
            text = (
                f"topic {self.name} takes {limit:,} bytes (max.message.bytes), and one of the "
                f"sample records has {largest:,}"
            )
            if compression != "none":
                return (
                    "inconclusive", f"{text} before compression", "deliver one sample to be sure",
                )  # fmt: skip
            return "failed", text, "raise max.message.bytes of the topic, or send less"
        return None

    def _too_few_in_sync(self) -> str:
        """Which partition has too few replicas in sync to be written to with acks=all."""
        least = self._number("min.insync.replicas")
        for number, found in self.partitions.items():
            # A minimum above the number of replicas counts as that number.
            wanted = min(least, len(found.replicas))
            if len(found.isrs) < wanted:
                return (
                    f"topic {self.name}: partition {number} has "
                    f"{counted(len(found.isrs), 'replica')} in sync and "
                    f"takes nothing with fewer than {wanted} (min.insync.replicas)"
                )
        return ""

    def _more_than_replicas(self) -> str:
        """Whether more replicas are asked for than there are. Seen: 3.5.2 refuses, 3.9 writes."""
        least = self._number("min.insync.replicas")
        replicas = min((len(p.replicas) for p in self.partitions.values()), default=0)
        if least <= replicas:
            return ""
        return f"min.insync.replicas is {least} with {counted(replicas, 'replica')}"

    def remarks(self) -> str:
        """What its settings mean for whoever writes; begins with `; ` unless empty."""
        if self.settings is None:
            return (
                "; its settings cannot be read (the right DESCRIBE_CONFIGS), so whether it takes "
                "the size and the keys of the samples is not known"
            )
        found = []
        if self._compacted:
            found.append("it is compacted: every record needs a key")
        return "".join(f"; {text}" for text in found)


def batch_size(record: KafkaRecord) -> int:
    """Bytes of a batch that holds this record alone (message format v2), without compression."""
    key = record.key or b""
    fields = 4 + _varint(len(key) if record.key else -1) + len(key)  # attributes, deltas, headers
    fields += _varint(len(record.value)) + len(record.value)
    return 61 + _varint(fields) + fields


def _varint(number: int) -> int:
    """Bytes of a number as a zigzag varint."""
    zigzag = number * 2 if number >= 0 else -number * 2 - 1
    return max(1, (zigzag.bit_length() + 6) // 7)


async def unreachable(brokers: Iterable[Any]) -> dict[int, str]:
    """Brokers that refuse a connection or do not answer, by id, with the reason."""

    async def attempt(broker: Any) -> tuple[int, str | None]:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                _, writer = await asyncio.open_connection(broker.host, broker.port)
        except TimeoutError:
            return broker.id, f"no answer in {_CONNECT_SECONDS:g} s"
        except OSError as error:
            return broker.id, os.strerror(error.errno) if error.errno else str(error)
        writer.close()
        return broker.id, None

    found = await asyncio.gather(*map(attempt, list(brokers)[:_MAX_BROKERS]))
    return {number: why for number, why in found if why is not None}


def unreachable_steps(
    brokers: Mapping[int, Any], lost: Mapping[int, str], topics: Sequence[Topic], hosts: set[str]
) -> list[CheckStep]:
    """Steps that name the brokers that cannot be reached; failed where a topic is led by one."""
    texts = {
        number: unreachable_text(f"{brokers[number].host}:{brokers[number].port}", hosts, why)
        for number, why in lost.items()
    }
    found, said = [], set()
    for topic in topics:
        for number in sorted(topic.leaders() & set(texts)):
            said.add(number)
            found.append(CheckStep("target", "failed", f"topic {topic.name}: {texts[number]}", 0.0,
                                   ADVERTISED, topic.name))  # fmt: skip
            break
    for number, text in texts.items():
        if number not in said:
            status: StepStatus = "failed" if len(lost) == len(brokers) else "inconclusive"
            found.append(CheckStep("connect", status, text, 0.0, ADVERTISED))
    return found
