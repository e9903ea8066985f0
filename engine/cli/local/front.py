"""What the local server answers, apart from sockets: it hands requests to the Lambda handler.

Beside the handler's own paths there are a greeting at `GET /`, and Lambda's local path, where the posted JSON is the
event and the handler's proxy response is the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.api.body import BODY_LIMIT, EVENT_LIMIT, read_event_json
from engine.api.errors import RequestError
from engine.api.policy import Policy
from engine.api.request import Request
from engine.api.response import refuse, to_json
from engine.aws.event import Event
from engine.aws.handler import Handler, proxy_response
from engine.cli.local.events import Incoming, LocalContext, function_url_event, path_of

INVOCATIONS = "/2015-03-31/functions/function/invocations"
_ORIGINS = 64

Response = dict[str, Any]


class Front:
    """Answers with proxy responses and never raises."""

    def __init__(self, handler: Handler, policy: Policy, *, greeting: str = "") -> None:
        self._handler = handler
        self._policy = policy
        self._greeting = greeting
        self._turned_away: dict[str, Response] = {}

    def body_limit(self, target: str) -> int:
        return EVENT_LIMIT if _is_invocation(path_of(target)) else BODY_LIMIT

    def answer(self, incoming: Incoming) -> Response:
        if incoming.method in ("GET", "HEAD") and incoming.path == "/":
            return {"statusCode": 200, "headers": _TEXT, "body": self._greeting}
        try:
            return self._hand_over(incoming)
        except RequestError as error:
            return self.refuse(incoming, error)

    def turn_away(self, incoming: Incoming) -> Response:
        """The answer to a request that there is no room for; nothing looks at its body. Made once for an origin,
        because in a flood it is all that there is time for.
        """
        origin = incoming.headers.get("origin", "")
        response = self._turned_away.get(origin)
        if response is None:
            message = "too many requests at once: try again in a moment"
            response = self.refuse(incoming, RequestError(503, "busy", message, {"Retry-After": "1"}))
            if len(self._turned_away) < _ORIGINS:
                self._turned_away[origin] = response
        return response

    def refuse(self, incoming: Incoming, error: RequestError) -> Response:
        """An error with the headers that let a page on another origin read it."""
        request = Request(method=incoming.method, path=incoming.path, headers=incoming.headers)
        return proxy_response(Event(form="http", request=request), refuse(request, self._policy, error))

    def _hand_over(self, incoming: Incoming) -> Response:
        context = LocalContext()
        if not _is_invocation(incoming.path):
            return self._handler(function_url_event(incoming, context), context)
        if incoming.method != "POST":
            raise RequestError(405, "method_not_allowed", f"`{INVOCATIONS}` takes POST", {"Allow": "POST"})
        return self._invoke(incoming, context)

    def _invoke(self, incoming: Incoming, context: LocalContext) -> Response:
        """As Lambda's own emulator does it, but that a client token, where one is set, is asked for here too."""
        if not self._policy.authorises(incoming.headers.get("authorization", "")):
            message = "this service needs `Authorization: Bearer …` with its client token"
            raise RequestError(401, "authorization_invalid", message, {"WWW-Authenticate": "Bearer"})
        event = read_event_json(incoming.body)
        return {"statusCode": 200, "headers": _JSON, "body": to_json(self._handler(event, context))}


def _is_invocation(path: str) -> bool:
    """Whether `path` is Lambda's, behind any base path and for any name of a function."""
    version, functions, _, invocations = INVOCATIONS.split("/")[1:]
    parts = [part for part in path.split("/") if part]
    return parts[-4:-2] == [version, functions] and parts[-1] == invocations


_TEXT: Mapping[str, str] = {"Content-Type": "text/plain; charset=utf-8"}
_JSON: Mapping[str, str] = {"Content-Type": "application/json"}
