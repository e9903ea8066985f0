"""Lambda's side of the function, for answers that come as streams: `python -m engine.aws.runtime MODULE.HANDLER`.

Speaks Lambda's Runtime API as AWS's own client does, and besides its protocol for streams, which that client has not: a
response in chunks, whose first part is its status and headers as JSON, then eight NUL bytes, and whose trailers tell of
an error in the middle. Only a Function URL can pass a stream on, so other events get their response in one piece.
"""

from __future__ import annotations

import base64  # noqa: TID253  nothing but this process, which is for streams, imports this module
import json
import os
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPMessage  # noqa: TID253  as above
from importlib import import_module
from threading import Event as Signal
from typing import Any, NoReturn

from engine.api.response import ClientGone, Response, to_json
from engine.aws.event import Event
from engine.aws.handler import LambdaHandler, proxy_response

_PREFIX = "/2018-06-01/runtime"
_ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
_ERROR_BODY = "Lambda-Runtime-Function-Error-Body"
_PRELUDE_END = b"\0" * 8
_OURS = "something went wrong on our side"
_STREAMING = (
    ("Lambda-Runtime-Function-Response-Mode", "streaming"),
    ("Content-Type", "application/vnd.awslambda.http-integration-response"),
    ("Transfer-Encoding", "chunked"),
    ("Trailer", f"{_ERROR_TYPE}, {_ERROR_BODY}"),
)


class Context:
    """What the engine reads of an invocation: its id, and the time that it has."""

    def __init__(self, headers: HTTPMessage) -> None:
        self.aws_request_id = headers.get("Lambda-Runtime-Aws-Request-Id", "")
        self.invoked_function_arn = headers.get("Lambda-Runtime-Invoked-Function-Arn", "")
        self._deadline = int(headers.get("Lambda-Runtime-Deadline-Ms", "0"))

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self._deadline - int(time.time() * 1000))


class _Chunks:
    """The parts of a response on their way; `gone` is set when nobody takes them any more."""

    def __init__(self, connection: HTTPConnection) -> None:
        self._connection = connection
        self.gone = Signal()
        self.trailers = b""

    def send(self, data: bytes) -> None:
        """Raises `ClientGone` where the connection is closed."""
        try:
            if not self.gone.is_set():
                self._connection.send(b"%x\r\n%b\r\n" % (len(data), data))
        except OSError:
            self.gone.set()
        if self.gone.is_set():
            raise ClientGone


class RuntimeApi:
    """The Runtime API at an `address`, over one connection that is opened anew where it broke."""

    def __init__(self, address: str) -> None:
        self._connection = HTTPConnection(address)

    def next(self) -> tuple[bytes, Context, str]:
        """The next event, whenever it comes, with its context and its trace."""
        self._connection.request("GET", f"{_PREFIX}/invocation/next")
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise HTTPException(f"the Runtime API answered {answer.status}")
        return body, Context(answer.headers), answer.headers.get("Lambda-Runtime-Trace-Id", "")

    def post(self, path: str, payload: Any, error: str = "") -> None:
        """Send `payload` as JSON; `error` is the type of the error that it tells of."""
        headers = {"Content-Type": "application/json", **({_ERROR_TYPE: error} if error else {})}
        self._connection.request("POST", f"{_PREFIX}{path}", to_json(payload).encode(), headers)
        self._connection.getresponse().read()

    def stream(self, request_id: str, response: Response) -> None:
        """Send `response` in parts while its turn runs. What it raises in the middle goes into the trailers."""
        connection = self._connection
        connection.putrequest("POST", f"{_PREFIX}/invocation/{request_id}/response")
        for name, value in _STREAMING:
            connection.putheader(name, value)
        connection.endheaders()
        if connection.sock is not None:
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        chunks = _Chunks(connection)
        prelude = {"statusCode": response.status, "headers": response.headers, "cookies": []}
        try:
            chunks.send(to_json(prelude).encode() + _PRELUDE_END)
            if response.stream is not None:
                response.stream(lambda part: chunks.send(part.encode()), chunks.gone)
            elif response.body:
                chunks.send(response.body.encode())
        except ClientGone:
            pass
        except Exception as error:  # noqa: BLE001  one of the places that answer for every mistake of ours
            report = base64.b64encode(to_json(_error_report(error, _OURS)).encode()).decode()
            chunks.trailers = f"{_ERROR_TYPE}: {type(error).__name__}\r\n{_ERROR_BODY}: {report}\r\n".encode()
        if chunks.gone.is_set():
            self.close()
        else:
            connection.send(b"0\r\n%b\r\n" % chunks.trailers)
            connection.getresponse().read()

    def close(self) -> None:
        """End the connection; the next call opens another one."""
        self._connection.close()


def serve(api: RuntimeApi, handler: LambdaHandler, env: dict[str, str] | os._Environ[str] = os.environ) -> NoReturn:
    """Answer events for as long as there are any; raises `OSError` or `HTTPException` when the API is gone."""
    while True:
        body, context, trace = api.next()
        env["_X_AMZN_TRACE_ID"] = trace
        try:
            event, response = handler.respond(_event(body), context)
            if is_url(event):
                api.stream(context.aws_request_id, response)
            else:
                api.post(f"/invocation/{context.aws_request_id}/response", proxy_response(event, response.whole()))
        except OSError:
            # The invocation is over, by its time-out or by whoever asked.
            api.close()
        except Exception as error:  # noqa: BLE001  as above
            api.post(f"/invocation/{context.aws_request_id}/error", _error_report(error, _OURS), type(error).__name__)


def is_url(event: Event) -> bool:
    """Whether an event came by a Function URL."""
    return event.form == "http" and ".lambda-url." in event.host


def _event(body: bytes) -> Any:
    """The event; a text that is no JSON is one as well, which the API refuses."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


def _error_report(error: Exception, message: str) -> Mapping[str, Any]:
    return {"errorType": type(error).__name__, "errorMessage": message, "stackTrace": []}


def main(arguments: list[str], env: dict[str, str] | os._Environ[str] = os.environ) -> None:
    """Import the handler that is named, and answer events with it. A function that does not load fails the init."""
    module, _, name = arguments[0].rpartition(".")
    with closing(RuntimeApi(env["AWS_LAMBDA_RUNTIME_API"])) as api:
        try:
            handler: LambdaHandler = getattr(import_module(module.replace("/", ".")), name)
        except Exception as error:
            api.post("/init/error", _error_report(error, str(error)), type(error).__name__)
            raise
        serve(api, handler, env)


if __name__ == "__main__":
    main(sys.argv[1:])
