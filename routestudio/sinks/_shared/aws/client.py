"""AWS calls on the event loop: botocore writes, signs and reads, the link's own pool sends.

Of botocore these parts are used, each without its client: the model of an API, the serializer and
the parser of its protocol, the signer, and the chain of credentials. None of them but the last does
any I/O. Finding credentials may ask files and other machines, so that happens in a thread, once and
again before they expire. Decision 0034 weighs the other ways.
"""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import SecretStr

from routestudio import __version__
from routestudio.model.outcome import Outcome, rejected, retry, unreachable
from routestudio.sinks._shared.http.client import Answer, HttpClient, UnansweredError
from routestudio.sinks._shared.http.endpoint import retry_after

SECONDS: Final = 30.0
"""Seconds for one exchange with AWS."""

_FINDING_SECONDS: Final = 15.0
"""Seconds that finding credentials may take beside the exchange."""

_LAST_SECONDS: Final = 120
"""Credentials that end within so many seconds are waited for, and not used any more."""

_FOREIGN: Final = "the answer is not one of AWS"
_ROOTS: Final = re.compile(rb"\s*(<\?xml[^>]*>\s*)?<\w+Response[\s/>]")
"""How answers of APIs begin that speak XML."""

_REGION: Final = re.compile(r"(?![0-9]+$)(?!-)[a-zA-Z0-9-]{1,63}(?<!-)")
"""What may be part of a host name, as botocore has it."""

_AGENT: Final = f"routestudio/{__version__}"
MAX_REPLY: Final = 8 * 1024 * 1024

_XML_ERROR: Final = re.compile(
    r"<Error>.*?<Code>([\w.]+)</Code>.*?<Message>(.*?)</Message>", re.DOTALL
)

_CREDENTIALS: Final = frozenset(
    {"AuthFailure", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature",
     "IncompleteSignatureException", "InvalidAccessKeyId", "InvalidClientTokenId",
     "InvalidSecurity", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
     "NotAuthorized", "OptInRequired", "RequestExpired", "SignatureDoesNotMatch",
     "UnrecognizedClientException"}
)  # fmt: skip
_DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException",
     "KMSAccessDenied", "KMSAccessDeniedException", "KmsAccessDenied"}
)  # fmt: skip
_MISSING: Final = frozenset(
    {"AWS.SimpleQueueService.NonExistentQueue", "NotFound", "NotFoundException",
     "QueueDoesNotExist", "ResourceNotFoundException"}
)  # fmt: skip
_PASSING: Final = frozenset(
    {"BandwidthLimitExceeded", "KMSThrottling", "KMSThrottlingException", "KmsThrottled",
     "LimitExceededException", "OverLimit", "PriorRequestNotComplete",
     "ProvisionedThroughputExceeded", "ProvisionedThroughputExceededException",
     "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException",
     "ResourceInUseException", "ServiceUnavailable", "SlowDown", "Throttled",
     "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequestsException"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key."""

    id: SecretStr
    secret: SecretStr


class AwsError(Exception):
    """AWS answered with an error, or something that is not AWS answered (`foreign`)."""

    def __init__(
        self,
        code: str,
        text: str,
        status: int,
        *,
        after: float | None = None,
        foreign: bool = False,
    ) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text, self.status, self.after = code, text, status, after
        self.foreign = foreign

    @property
    def credentials(self) -> bool:
        """Whether the credentials were refused, so that no request can succeed."""
        return self.code in _CREDENTIALS

    @property
    def denied(self) -> bool:
        """Whether a right is missing; the credentials themselves are good."""
        return self.code in _DENIED

    @property
    def missing(self) -> bool:
        """Whether the destination does not exist."""
        return self.code in _MISSING

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later."""
        return self.code in _PASSING or self.status in (408, 429) or self.status >= 500

    def outcome(self, right: str) -> Outcome:
        """What it means for every record of the request; `right` is what sending needs."""
        if self.foreign and 200 <= self.status < 300:
            # Something took the request, and may have acted on it, whatever it is.
            return retry("not_aws", self.text, unknown=True)
        if self.foreign:
            return unreachable("not_aws", self.text)
        if self.credentials:
            return unreachable(self.code, f"AWS refused the credentials: {self.text}")
        if self.denied:
            return rejected(self.code, f"the right {right} is missing: {self.text}")
        if self.passing:
            lost = self.status >= 500 and self.code not in _PASSING
            return retry(self.code, self.text, after=self.after, unknown=lost)
        return rejected(self.code, self.text)


def entry_outcome(code: str, text: str, *, sender_fault: bool) -> Outcome:
    """The outcome of one entry that AWS refused within an accepted request."""
    if sender_fault and code not in _PASSING:
        return rejected(code, text or code)
    return retry(code, text or code)


_CLOSED: Final = retry("closed", "the connection was closed")
_LATE: Final = unreachable("credentials", "finding AWS credentials took too long")


@dataclass(frozen=True, slots=True)
class _Api:
    """What botocore knows of one API, and as whom to sign. `operations` by Python's names."""

    model: Any
    operations: Mapping[str, Any]
    serializer: Any
    parser: Any
    credentials: Any
    frozen: Any

    @property
    def ageing(self) -> bool:
        """Whether the credentials should be replaced by new ones."""
        needed = getattr(self.credentials, "refresh_needed", None)
        return needed is not None and bool(needed())

    @property
    def outdated(self) -> bool:
        """Whether the credentials may end before AWS has read a request."""
        return self.ageing and bool(self.credentials.refresh_needed(_LAST_SECONDS))


class AwsClient:
    """Calls of one AWS API with one set of credentials, in any region.

    `keys` `None` means the default chain: environment, profile, container and instance role.
    Several calls may run at the same time. `http` is the caller's, and closed by it.
    """

    def __init__(self, api: str, keys: Keys | None, http: HttpClient) -> None:
        self._name = api
        self._keys = keys
        self._http = http
        self._api: _Api | None = None
        self._finding: asyncio.Future[_Api] | None = None

    async def call(
        self,
        url: str,
        region: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        seconds: float = SECONDS,
    ) -> dict[str, Any]:
        """The answer of one operation, e.g. `send_message_batch`, of the API at `url`.

        Nothing is tried twice. Raises `AwsError` for an error that was answered and
        `UnansweredError` when there was no answer.
        """
        if not _REGION.fullmatch(region):
            raise UnansweredError(rejected("region", f"`{region[:80]}` is not a region"))
        api = await self._ready()
        request = _signed(api, url, region, operation, parameters)
        headers = [
            (_bytes(name), _bytes(value))
            for name, value in request.headers.items()
            if _bytes(name).lower() != b"content-length"
        ]
        body = _bytes(request.body or b"")
        answer = await self._http.exchange(
            request.method, request.url, headers, body, timeout=seconds, keep=MAX_REPLY
        )
        return self._read(api, operation, answer)

    async def close(self) -> None:
        """Calls that wait for credentials end as unanswered. May be called again."""
        finding, self._finding, self._api = self._finding, None, None
        if finding is not None:
            finding.cancel()

    async def _ready(self) -> _Api:
        """The API with credentials that still hold. Raises `UnansweredError`."""
        api = self._api
        if api is not None and not api.ageing:
            return api
        # Asked first: a search changes what `outdated` looks at, and not the frozen ones.
        holds = api is not None and not api.outdated
        finding = self._find()
        if api is not None and holds:
            return api
        # Several calls wait for one search, and the end of one of them does not end it.
        await asyncio.wait((finding,), timeout=_FINDING_SECONDS)
        if not finding.done():
            raise UnansweredError(_LATE)
        if finding.cancelled():
            raise UnansweredError(_CLOSED)
        if (error := finding.exception()) is not None:
            raise self._unfound(error) from None
        return finding.result()

    def _find(self) -> asyncio.Future[_Api]:
        """The search for credentials that is under way, or a new one in another thread."""
        if self._finding is not None and not self._finding.done():
            return self._finding
        executor = ThreadPoolExecutor(1, f"aws {self._name}")
        loop = asyncio.get_running_loop()
        finding = loop.run_in_executor(executor, _found, self._name, self._keys, self._api)
        finding.add_done_callback(self._took)
        executor.shutdown(wait=False)
        self._finding = finding
        return finding

    def _unfound(self, error: BaseException) -> BaseException:
        """The error of a call for that of a search; one that is our own fault stays as it is."""
        from botocore.exceptions import BotoCoreError

        if not isinstance(error, BotoCoreError | OSError | RuntimeError):
            return error
        text = self._http.clean(str(error))
        return UnansweredError(unreachable("credentials", _client_text(error, text)))

    def _took(self, finding: asyncio.Future[_Api]) -> None:
        if not finding.cancelled() and finding.exception() is None and finding is self._finding:
            self._api = finding.result()

    def _read(self, api: _Api, operation: str, answer: Answer) -> dict[str, Any]:
        """What an answer holds. Raises `AwsError`."""
        shape = api.operations[operation].output_shape
        response = {
            "status_code": answer.status, "headers": answer.headers, "body": answer.body,
            "context": {"operation_name": operation},
        }  # fmt: skip
        try:
            parsed: dict[str, Any] = api.parser.parse(response, shape)
        except Exception:
            # Whatever reading an answer may raise: it has not the form that AWS gives it.
            raise self._strange(answer) from None
        if answer.status >= 300:
            raise self._error(parsed)
        if parsed.get("ResponseMetadata", {}).get("RequestId"):
            return parsed
        # Emulators leave the id of the request out; the content of their answer counts anyway.
        if not (isinstance(answer.json(), dict) or _ROOTS.match(answer.body)):
            raise self._strange(answer)
        return parsed

    def _strange(self, answer: Answer) -> AwsError:
        """The error for an answer that has not the form that AWS gives it."""
        text = f"HTTP {answer.status}, and {_FOREIGN}"
        if start := self._http.clean(answer.excerpt(80)):
            text += f": {start}"
        return AwsError("not_aws", text, answer.status, foreign=True)

    def _error(self, response: Mapping[str, Any]) -> AwsError:
        """The error that an answer holds; one without AWS' form comes from something else."""
        error, metadata = response.get("Error", {}), response.get("ResponseMetadata", {})
        code, text = str(error.get("Code") or "Unknown"), str(error.get("Message") or "")
        if code.isdigit() and (found := _XML_ERROR.search(text)):
            # What stands before an API may answer in XML although the API speaks JSON.
            code, text = found[1], html.unescape(found[2])
        status = int(metadata.get("HTTPStatusCode") or 0)
        text = self._http.clean(" ".join(text.split())[:500])
        headers = metadata.get("HTTPHeaders", {})
        if code == "Unknown" or code.isdigit():
            passing = status in (408, 429) or status >= 500
            text = f"HTTP {status}, and {_FOREIGN}"
            return AwsError("not_aws" if not passing else f"http_{status}", text, status,
                            after=retry_after(headers.get("retry-after")),
                            foreign=not passing)  # fmt: skip
        return AwsError(code.rpartition("#")[2], text or code, status,
                        after=retry_after(headers.get("retry-after")))  # fmt: skip


def _found(name: str, keys: Keys | None, known: _Api | None) -> _Api:
    """In a thread: the model of an API, and credentials, new ones where `known` ones age."""
    from botocore import xform_name
    from botocore.credentials import Credentials
    from botocore.exceptions import NoCredentialsError
    from botocore.parsers import create_parser
    from botocore.serialize import create_serializer
    from botocore.session import Session

    if known is not None:
        return replace(known, frozen=known.credentials.get_frozen_credentials())
    session = Session()
    if keys is None:
        credentials = session.get_credentials()
    else:
        credentials = Credentials(keys.id.get_secret_value(), keys.secret.get_secret_value())
    if credentials is None:
        raise NoCredentialsError
    model = session.get_service_model(name)
    operations = {xform_name(each): model.operation_model(each) for each in model.operation_names}
    # Of several protocols later versions choose one; earlier ones know one.
    protocol = getattr(model, "resolved_protocol", model.protocol)
    return _Api(
        model, operations, create_serializer(protocol, include_validation=False),
        create_parser(protocol), credentials, credentials.get_frozen_credentials(),
    )  # fmt: skip


def _signed(api: _Api, url: str, region: str, operation: str, parameters: Mapping[str, Any]) -> Any:
    """The request of one operation with its signature."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import create_request_object, prepare_request_dict

    fields = api.serializer.serialize_to_request(dict(parameters), api.operations[operation])
    prepare_request_dict(fields, endpoint_url=url, user_agent=_AGENT)
    request = create_request_object(fields)
    # The signer asks for the body, and would write a form anew each time.
    request.data = request.body
    SigV4Auth(api.frozen, api.model.signing_name, region).add_auth(request)
    return request.prepare()


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def _client_text(error: BaseException, text: str) -> str:
    if type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError"):
        return (
            "no AWS credentials were found; environment, profile, container role and instance "
            "role were asked"
        )
    return f"the AWS client cannot be used: {text}"
