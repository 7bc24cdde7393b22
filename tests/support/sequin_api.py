"""The management API of a Sequin server, as far as the plan needs it: strict, and recorded.

Built from the API's documentation (authentication, errors) and from the request that the server's
own command line makes for `config export`; the configuration behind it is `sequin_model`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.support.http_server import HttpReceiver, Received, Reply
from tests.support.sequin_model import SequinModel
from tests.support.strict_server import as_json


@dataclass
class SequinApi:
    """A running server. `faults` are answered first, one per request."""

    receiver: HttpReceiver
    token: str
    model: SequinModel = field(default_factory=SequinModel)
    old: bool = False

    def __post_init__(self) -> None:
        self.receiver.answer = self.answer

    @property
    def url(self) -> str:
        """The address without a path."""
        return self.receiver.url

    def answer(self, request: Received) -> Reply:
        """Carry out one request, or refuse it as the documentation says."""
        parts = urlsplit(request.target)
        if parts.path != "/api/config/export" or self.old:
            return as_json(404, {"summary": "Not found"})
        if request.header("authorization") != f"Bearer {self.token}":
            return as_json(
                401, {"summary": "The API token you provided is invalid or has expired."}
            )
        if request.method != "GET" or request.body:
            return as_json(404, {"summary": "Not found"})
        query = parse_qs(parts.query, strict_parsing=True)
        if set(query) != {"show-sensitive"} or query["show-sensitive"] not in (["true"], ["false"]):
            return as_json(400, {"summary": "bad query"})
        text = self.model.export(show_sensitive=query["show-sensitive"] == ["true"])
        return as_json(200, {"yaml": text})
