"""The one way that vendor SDKs reach the network: through the call that is under way in this context.

An SDK builds the request, signs it and reads the answer; the exchange itself is ours. `Call` holds the deadline for
it and remembers what went wrong, because SDKs wrap or swallow what their transport raises. An answer that is not a
JSON object with a success status never reaches an SDK.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from engine.core.deadline import Deadline
from engine.core.errors import BackendError, BadRequest, Malformed
from engine.models.http.transport import HttpRequest, HttpResponse, exchange
from engine.models.providers.classify import refusal


@dataclass(slots=True, kw_only=True)
class Call:
    """One request of one model; `secrets` must not show in any error, `parameters` may be refused by name."""

    backend: str
    deadline: Deadline
    secrets: tuple[str, ...] = field(repr=False)
    parameters: frozenset[str] = frozenset()
    response: HttpResponse | None = None
    failure: BackendError | None = None

    def send(self, request: HttpRequest) -> HttpResponse:
        """The provider's answer: a success with a JSON object for a body. Raises `BackendError` for anything else."""
        try:
            response = exchange(request, self.deadline, self.backend)
            if not 200 <= response.status < 300:
                raise refusal(response, self.backend, secrets=self.secrets, parameters=self.parameters)
            _require_json_object(response, self.backend)
        except BackendError as error:
            self.failure = error
            raise
        self.response = response
        return response

    def explain(self) -> BackendError:
        """What to raise for an exception that the SDK raised, whatever it looked like by then."""
        if self.failure is not None:
            return self.failure
        if self.response is not None:
            return Malformed(
                f"the answer of {self.backend} is not shaped as agreed", backend=self.backend, retryable=True
            )
        return BadRequest(
            f"the request to {self.backend} could not be built from this prompt", backend=self.backend, called=False
        )


_CURRENT: ContextVar[Call] = ContextVar("call")


@contextmanager
def under_way(call: Call) -> Iterator[Call]:
    """Let SDKs used in this context send through `call`."""
    token = _CURRENT.set(call)
    try:
        yield call
    finally:
        _CURRENT.reset(token)


def current() -> Call:
    """The call under way; raises `LookupError` outside of one, so that no SDK reaches the network on its own."""
    return _CURRENT.get()


def _require_json_object(response: HttpResponse, backend: str) -> None:
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        raise Malformed(f"the answer of {backend} is not JSON", backend=backend, status=200, retryable=True) from None
    if not isinstance(body, dict):
        raise Malformed(f"the answer of {backend} is not a JSON object", backend=backend, status=200, retryable=True)
    if body.get("error"):
        raise Malformed(f"{backend} answered 200 with an error", backend=backend, status=200, retryable=True)
