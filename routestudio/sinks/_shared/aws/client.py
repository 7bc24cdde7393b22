"""AWS calls for the event loop: botocore signs and reads in threads, the link's own pool sends.

botocore blocks, and its connections can neither be given a deadline for a whole exchange nor be
interrupted. So a thread only builds and signs a request and reads the answer; the exchange in
between is made on the loop, through the hook `before-send`, whose return value botocore takes for
the answer (`botocore.endpoint.Endpoint._do_get_response`).
"""

from __future__ import annotations

import asyncio
import contextlib
import html
import re
import threading
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from routestudio import __version__
from routestudio.model.outcome import Outcome, rejected, retry, unreachable
from routestudio.model.secret import SecretStr
from routestudio.sinks._shared.http.client import Answer, HttpClient, UnansweredError
from routestudio.sinks._shared.http.endpoint import retry_after

THREADS: Final = 32
"""Most calls of one link at a time; more wait for a thread."""

SECONDS: Final = 30.0
"""Seconds for one exchange with AWS."""

_AROUND_SECONDS: Final = 15.0
"""Seconds that finding credentials may take beside the exchange."""

_FOREIGN: Final = "the answer is not one of AWS"
_ROOTS: Final = re.compile(rb"\s*(<\?xml[^>]*>\s*)?<\w+Response[\s/>]")
"""How answers of APIs begin that speak XML."""

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


_CLOSED: Final = object()


def _closed(*, sent: bool) -> Outcome:
    return retry("closed", "the connection was closed", unknown=sent)


class _Exchange:
    """One request on its way from a thread to the loop, and its answer on the way back."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.prepared: asyncio.Future[Any] = loop.create_future()
        self.answered: Future[Answer] = Future()

    def hand_over(self, request: Any) -> Answer:
        """In the thread: let the loop send `request`, and wait for the answer."""
        try:
            self._loop.call_soon_threadsafe(self._set, request)
            return self.answered.result()
        except (CancelledError, RuntimeError):
            # asyncio would take a `CancelledError` of the thread for the task's own.
            raise UnansweredError(_closed(sent=True)) from None

    def ended(self) -> None:
        """In the thread: the call is over, perhaps without any request."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._set, None)

    def close(self) -> None:
        """On the loop: nobody waits for the answer any more."""
        self.answered.cancel()
        self._set(_CLOSED)

    def _set(self, request: Any) -> None:
        if not self.prepared.done():
            self.prepared.set_result(request)


class AwsClient:
    """Calls of one AWS API with one set of credentials; a client of botocore for each region.

    `keys` `None` means the default chain: environment, profile, container and instance role.
    Several calls may run at the same time. `http` is the caller's, and closed by it.
    """

    def __init__(self, api: str, keys: Keys | None, http: HttpClient) -> None:
        self._api = api
        self._keys = keys
        self._http = http
        self._executor: ThreadPoolExecutor | None = None
        self._open: set[_Exchange] = set()
        self._lock = threading.Lock()
        self._session: Any = None
        self._clients: dict[tuple[str, str], Any] = {}
        self._current = threading.local()

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
        loop = asyncio.get_running_loop()
        exchange = _Exchange(loop)
        self._open.add(exchange)
        if self._executor is None:
            self._executor = ThreadPoolExecutor(THREADS, f"aws {self._api}")
        done = loop.run_in_executor(
            self._executor, self._run, exchange, (region, url), operation, dict(parameters)
        )
        sent = False
        try:
            async with asyncio.timeout(seconds + _AROUND_SECONDS):
                request = await exchange.prepared
                if request is _CLOSED:
                    raise UnansweredError(_closed(sent=False))
                if request is not None:
                    sent = True
                    await self._exchange(exchange, request, seconds)
                return await done
        except TimeoutError:
            text = "finding AWS credentials took too long"
            raise UnansweredError(
                retry("timeout", text, unknown=True) if sent else unreachable("credentials", text)
            ) from None
        finally:
            self._open.discard(exchange)
            exchange.close()
            done.cancel()

    async def close(self) -> None:
        """Let every waiting thread go; their calls end as unanswered. May be called again."""
        for exchange in tuple(self._open):
            exchange.close()
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            clients, self._clients, self._session = self._clients, {}, None
        for client in clients.values():
            client.close()

    async def _exchange(self, exchange: _Exchange, request: Any, seconds: float) -> None:
        headers = [
            (_bytes(name), _bytes(value))
            for name, value in request.headers.items()
            if _bytes(name).lower() != b"content-length"
        ]
        body = request.body or b""
        try:
            answer = await self._http.exchange(
                request.method, request.url, headers, _bytes(body), timeout=seconds, keep=MAX_REPLY
            )
        except UnansweredError as failure:
            if not exchange.answered.done():
                exchange.answered.set_exception(failure)
        else:
            if not exchange.answered.done():
                exchange.answered.set_result(answer)

    def _run(
        self, exchange: _Exchange, place: tuple[str, str], operation: str, parameters: Any
    ) -> dict[str, Any]:
        """In a thread: one call of botocore, with its errors as those of this module."""
        from botocore.exceptions import BotoCoreError, ClientError, InvalidRegionError

        self._current.exchange = exchange
        try:
            answer: dict[str, Any] = getattr(self._client(*place), operation)(**parameters)
        except ClientError as error:
            raise self._error(error.response) from None
        except UnansweredError:
            raise
        except InvalidRegionError:
            text = f"`{place[0][:80]}` is not a region"
            raise UnansweredError(rejected("region", text)) from None
        except Exception as error:
            if exchange.answered.done():
                # Whatever reading an answer may raise: it has not the form that AWS gives it.
                raise self._strange(exchange.answered.result()) from None
            if not isinstance(error, BotoCoreError):
                raise
            text = self._http.clean(str(error))
            raise UnansweredError(unreachable("credentials", _client_text(error, text))) from None
        finally:
            del self._current.exchange
            exchange.ended()
        if not answer.get("ResponseMetadata", {}).get("RequestId"):
            # Emulators leave the id of the request out; the content of their answer counts anyway.
            plain = exchange.answered.result()
            if not (isinstance(plain.json(), dict) or _ROOTS.match(plain.body)):
                raise self._strange(plain)
        return answer

    def _strange(self, answer: Answer) -> AwsError:
        """The error for an answer that has not the form that AWS gives it."""
        text = f"HTTP {answer.status}, and {_FOREIGN}"
        if start := self._http.clean(answer.excerpt(80)):
            text += f": {start}"
        return AwsError("not_aws", text, answer.status, foreign=True)

    def _client(self, region: str, url: str) -> Any:
        """The client of a region. botocore may not make two at the same time."""
        with self._lock:
            client = self._clients.get((region, url))
            if client is None:
                client = self._clients[region, url] = self._create(region, url)
        return client

    def _create(self, region: str, url: str) -> Any:
        from botocore.config import Config
        from botocore.session import Session

        if self._session is None:
            self._session = Session()
        keys = self._keys
        client = self._session.create_client(
            self._api,
            region_name=region,
            endpoint_url=url,
            aws_access_key_id=keys.id.get_secret_value() if keys else None,
            aws_secret_access_key=keys.secret.get_secret_value() if keys else None,
            config=Config(
                parameter_validation=False,
                retries={"total_max_attempts": 1, "mode": "standard"},
                user_agent_extra=f"routestudio/{__version__}",
            ),
        )
        client.meta.events.register("before-send", self._before_send)
        return client

    def _before_send(self, request: Any, **_: Any) -> Any:
        from botocore.awsrequest import AWSResponse

        answer = self._current.exchange.hand_over(request)
        return AWSResponse(request.url, answer.status, answer.headers, _Body(answer.body))

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


class _Body:
    """The body of an answer in the form that botocore reads."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def stream(self, **_: Any) -> list[bytes]:
        return [self._data]


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def _client_text(error: Exception, text: str) -> str:
    if type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError"):
        return (
            "no AWS credentials were found; environment, profile, container role and instance "
            "role were asked"
        )
    return f"the AWS client cannot be used: {text}"
