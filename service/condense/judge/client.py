"""JudgeClient (EDGE http): questions to an OpenAI-compatible API, within limits of time and size.

The address is the operator's own setting, so private addresses are allowed, unlike those of feeds. Redirects
are not followed, and variables such as HTTPS_PROXY are ignored: article text and key go nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from service.core.secret import Secret

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

MAX_REPLY_BYTES = 64 * 1024  # of a completion; a valid one takes about two
MAX_LIST_BYTES = 4 * 1024 * 1024  # of a list of models, which resellers describe at length
CONNECT_SECONDS = 10.0
CHUNK_BYTES = 16 * 1024
MAX_LISTED_MODELS = 1_000

UNSUPPORTED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})
"""The statuses of a server that does not know an option of a request."""

OPTION_FORMS = (("temperature", "response_format"), ("temperature",), ())
"""The options of a request, tried in this order: servers differ in whether they know `response_format`, and
a few models refuse a `temperature`."""

UNAVAILABLE = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }
)
"""The statuses that are not about the question: the next one would get the same."""


class JudgeProblem(StrEnum):
    """Why a question has no answer. REFUSED: the reply is no answer to it. TIMEOUT: of all its requests."""

    UNAVAILABLE = "unavailable"
    STATUS = "status"
    REDIRECT = "redirect"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    TIMEOUT = "timeout"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question without an answer; `detail` is a clause for people."""

    problem: JudgeProblem
    detail: str


@dataclass(slots=True)
class JudgeClient:
    """Sends questions to the API at `url` (its base address), in `async with`."""

    url: str
    model: str
    key: Secret
    _session: ClientSession | None = None
    _form: int = 0  # in OPTION_FORMS: the first that the server accepted

    async def __aenter__(self) -> Self:
        import aiohttp  # noqa: PLC0415 - takes 0.6 s, which a service without a judge need not

        authorization = {"Authorization": f"Bearer {self.key.reveal()}"} if self.key else {}
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            headers={"Accept": "application/json", "Accept-Encoding": "identity", **authorization},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def complete(
        self, messages: Sequence[Mapping[str, str]], response_format: Mapping[str, Any]
    ) -> str | Unanswered:
        """Return the text of the model's reply, or why there is none. The caller limits the time."""
        options = {"temperature": 0, "response_format": response_format}
        problem = Unanswered(JudgeProblem.STATUS, "it accepts no form of the request")
        for number in range(self._form, len(OPTION_FORMS)):
            form = {name: options[name] for name in OPTION_FORMS[number]}
            content = {"model": self.model, "messages": messages, **form}
            reply = await self._request("POST", "/chat/completions", content, MAX_REPLY_BYTES)
            if isinstance(reply, bytes):
                self._form = number
                return _content(reply)
            status, problem = reply
            if status not in UNSUPPORTED:
                break
        return problem

    async def models(self) -> list[str] | Unanswered:
        """Return the names of the models that the server lists. The caller limits the time."""
        reply = await self._request("GET", "/models", None, MAX_LIST_BYTES)
        if not isinstance(reply, bytes):
            return reply[1]
        listed = _decoded(reply).get("data")
        if not isinstance(listed, list):
            return Unanswered(JudgeProblem.MALFORMED, "its list of models cannot be read")
        names = (one.get("id") for one in listed[:MAX_LISTED_MODELS] if isinstance(one, dict))
        return [name for name in names if isinstance(name, str)]

    async def _request(
        self, method: str, path: str, content: Mapping[str, Any] | None, max_bytes: int
    ) -> bytes | tuple[int, Unanswered]:
        """Return the body of the response, or its status (0: none) and the problem."""
        import aiohttp  # noqa: PLC0415 - as in __aenter__

        if self._session is None:
            raise RuntimeError("a JudgeClient is used in `async with`")
        try:
            async with self._session.request(
                method, f"{self.url}{path}", json=content, allow_redirects=False
            ) as response:
                return await _body(response, max_bytes)
        except aiohttp.ClientConnectionError as error:
            return 0, Unanswered(JudgeProblem.UNAVAILABLE, self._reason(error))
        except (aiohttp.ClientError, OSError, ValueError):
            # The text of such an error may quote a header of the request.
            return 0, Unanswered(JudgeProblem.MALFORMED, "its response is not valid HTTP")

    def _reason(self, error: Exception) -> str:
        import aiohttp  # noqa: PLC0415 - as in __aenter__

        host = urlsplit(self.url).hostname
        for kind, clause in (
            (aiohttp.ClientConnectorDNSError, f"no address was found for the name {host}"),
            (aiohttp.ClientConnectorCertificateError, f"the certificate of {host} could not be trusted"),
            (aiohttp.ClientConnectorError, f"no connection to {host} could be made"),
            (
                aiohttp.ServerTimeoutError,
                f"no connection to {host} could be made in {CONNECT_SECONDS:g} seconds",
            ),
        ):
            if isinstance(error, kind):
                return clause
        return f"{host} closed the connection"


async def _body(response: ClientResponse, max_bytes: int) -> bytes | tuple[int, Unanswered]:
    """Return the body of a response with status 200."""
    status = response.status
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return status, Unanswered(JudgeProblem.REDIRECT, "it redirects to another address")
    if status != HTTPStatus.OK:
        problem = JudgeProblem.UNAVAILABLE if status in UNAVAILABLE else JudgeProblem.STATUS
        return status, Unanswered(problem, f"it answered with the status {status}")
    body = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        body += chunk
        if len(body) > max_bytes:
            response.close()
            return status, Unanswered(
                JudgeProblem.TOO_LARGE, f"its reply has more than {max_bytes >> 10:,} kB"
            )
    return bytes(body)


def _content(reply: bytes) -> str | Unanswered:
    """Return the text of the first choice in a reply of the API."""
    try:
        text = _decoded(reply)["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        text = None
    if isinstance(text, str):
        return text
    return Unanswered(JudgeProblem.MALFORMED, "its reply is not one of a chat model")


def _decoded(reply: bytes) -> dict[str, Any]:
    """Return the JSON object of a reply; an empty one if it is none."""
    try:
        found = json.loads(reply)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
