"""Shared by the sinks of AWS: the account, regions, the ids of FIFO destinations.

The region of a request is that of the destination itself (its ARN or URL), so one sink delivers to
several regions. The host that is spoken to is made of the API and that region; nothing else of a
routed value gets into it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from pydantic import SecretStr

from routestudio.model.cross_rules import CrossRule, RequiredWhen, Together
from routestudio.model.fields import Difference, Flag, RuleError, Secret, Text, Ui
from routestudio.model.message import Message
from routestudio.sinks._shared.aws.client import Keys
from routestudio.sinks._shared.http.endpoint import EndpointUrl, UrlRule
from routestudio.sinks.base import SinkConfig, SinkRouting, StandinAddress

FALLBACK_REGION: Final = "us-east-1"
EMULATOR_KEYS: Final = Keys(SecretStr("emulator"), SecretStr("emulator"))
_CREDENTIALS_GROUP: Final = "Credentials"
_ADVANCED: Final = "Advanced"


class AwsConfig(SinkConfig):
    """The account, and perhaps an emulator: the same for every AWS sink."""

    region: Annotated[
        str | None,
        Text(
            max=64,
            pattern=r"[a-z]{2,}(-[a-z]+)*-\d{1,2}",
            pattern_text="must be a region like eu-west-1",
        ),
        Ui(
            "Region",
            "Needed by Sequin servers, and by Check when no sample names an ARN.",
            example="eu-west-1",
            card=True,
        ),
    ] = None
    access_key_id: Annotated[
        SecretStr | None,
        Secret(max=128),
        Ui(
            "Access key id",
            "Empty: this machine's own AWS credentials.",
            _CREDENTIALS_GROUP,
            visible_when=("use_task_role", (False,)),
        ),
    ] = None
    secret_access_key: Annotated[
        SecretStr | None,
        Secret(),
        Ui(
            "Secret access key",
            "Stored outside the project file.",
            _CREDENTIALS_GROUP,
            visible_when=("use_task_role", (False,)),
        ),
    ] = None
    use_task_role: Annotated[
        bool,
        Flag(),
        Ui(
            "Task role",
            "Use environment, profile, container or instance role.",
            _CREDENTIALS_GROUP,
            card=True,
        ),
    ] = False
    use_emulator: Annotated[
        bool, Flag(), Ui("Emulator", "Send everything to one local address.", _ADVANCED)
    ] = False
    emulator_base_url: Annotated[
        EndpointUrl | None,
        UrlRule(),
        Ui(
            "Emulator URL",
            "Address of the emulator.",
            _ADVANCED,
            "http://localhost:4566",
            ("use_emulator", (True,)),
        ),
    ] = None

    rules: ClassVar[tuple[CrossRule, ...]] = (
        Together(("access_key_id", "secret_access_key")),
        RequiredWhen(
            "use_emulator",
            (True,),
            ("emulator_base_url",),
            "is required when an emulator is used",
        ),
    )

    def keys(self) -> Keys | None:
        """The access key; `None` for the default chain."""
        if self.use_task_role:
            return None
        if self.access_key_id is None or self.secret_access_key is None:
            return EMULATOR_KEYS if self.use_emulator else None
        return Keys(self.access_key_id, self.secret_access_key)

    def endpoint(self, api: str, region: str) -> EndpointUrl:
        """Where an API is in a region. `region` must be one: it becomes part of a host name."""
        if self.use_emulator and self.emulator_base_url is not None:
            return self.emulator_base_url
        domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        return EndpointUrl("https", f"{api}.{region}.{domain}", None, "/", "")


DIFFERENCES: Final = (
    Difference(
        "AWS-02",
        "Each message goes to the region of its own destination. A Sequin server sends all to the "
        "sink's region, so destinations in other regions fail.",
    ),
    Difference(
        "AWS-05",
        "The check needs no right to list: refused listing still proves the credentials. A Sequin "
        "server's check in dynamic mode fails without that right.",
    ),
    Difference(
        "AWS-KEYS",
        "Without access key and task role, the machine's own credentials are used. A Sequin "
        "server asks for one of the two.",
        "access_key_id",
    ),
)
"""Where AWS sinks knowingly differ from a Sequin server."""

CHARACTER_DIFFERENCE: Final = Difference(
    "AWS-CHARACTERS",
    "The characters U+FFFE and U+FFFF, which SQS refuses, are written as escapes of JSON, so that "
    "whoever reads the JSON gets them. A Sequin server sends them as they are, and tries for ever.",
)
"""What holds for messages that end up in a queue."""

ORDER_DIFFERENCE: Final = Difference(
    "GEN-07",
    "A request never holds two messages of one group, and after one that is to be tried again no "
    "later one of its group is sent. A Sequin server lets later ones overtake it.",
)
"""What holds wherever the service keeps the order of groups."""

FIFO_DIFFERENCES: Final = (
    ORDER_DIFFERENCE,
    Difference(
        "AWS-04",
        "A message without group id cannot go to a FIFO destination and is refused. A Sequin "
        "server crashes on it and tries for ever.",
    ),
    Difference(
        "AWS-REPEATED",
        "Two different messages with one idempotency key within five minutes: the second is "
        "refused, because a FIFO destination takes and drops it. A Sequin server loses it.",
    ),
)
"""Where sinks with FIFO destinations differ as well."""


@dataclass(frozen=True, slots=True)
class _Partitions:
    """Which AWS partitions an ARN may name, and which of them a Sequin server takes."""

    start: str = r"arn:aws(?:-cn|-us-gov)?"
    advice_pattern: str = r"arn:aws:.*"
    advice_text: str = "may be refused: a Sequin server takes ARNs that start with `arn:aws:` only"

    def difference(self, field: str) -> Difference:
        """The difference, at the routed field that holds the ARN."""
        return Difference(
            "AWS-01",
            "ARNs of China and GovCloud are taken. A Sequin server takes only the partition `aws`.",
            field,
        )


PARTITIONS: Final = _Partitions()


@dataclass(frozen=True, slots=True)
class Place:
    """A destination: its region, and its name without account and region."""

    region: str
    name: str

    @property
    def fifo(self) -> bool:
        """Whether it keeps the order of groups and drops repeated messages."""
        return self.name.endswith(".fifo")


@dataclass(frozen=True, slots=True)
class Fifo:
    """The ids of a message for a FIFO queue or topic."""

    group: str
    deduplication: str


def md5(text: str) -> str:
    """The lower-case hex MD5 of a text, as a server makes ids of it.

    docs/reference/sequin.md#hashes
    """
    return hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def fifo_ids(message: Message, routing: SinkRouting, name: str) -> Fifo:
    """The ids for a FIFO destination called `name`. Raises `RuleError` without a group id."""
    group = routing.group_id
    if group is None:
        raise RuleError(
            f"{name} is a FIFO destination, which takes no message without group id",
            hint="turn message grouping on, or give the table a primary key or group columns",
        )
    return Fifo(md5(group), md5(str(message.metadata["idempotency_key"])))


def standin_values(config: AwsConfig, address: StandinAddress) -> dict[str, Any]:
    """The values of `config` with a stand-in as its emulator, and without credentials."""
    values = {name: getattr(config, name) for name in type(config).model_fields}
    return values | {
        "use_emulator": True,
        "emulator_base_url": f"http://{address.host}:{address.port}",
        "access_key_id": None,
        "secret_access_key": None,
        "use_task_role": False,
    }
