"""`misaki serve`: answers on a port of this machine, by the API and at Lambda's local path by the handler."""

from __future__ import annotations

import argparse
import errno
import gc
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

from engine import __version__
from engine.api.answer import Log
from engine.api.policy import Policy
from engine.api.service import make_service
from engine.app import App, load_app
from engine.aws.handler import make_handler
from engine.cli.environment import add_pipeline, conversation_env, keep_rooms, pipeline_path
from engine.cli.gaps import collect_gaps
from engine.cli.output import LineHandler, LineWriter, watch_models
from engine.cli.reload import Reloader
from engine.core.errors import reason_of
from engine.core.language import said, tell
from engine.web.access import Access
from engine.web.app import INVOCATIONS, Hosted
from engine.web.playground import Playground
from engine.web.server import WebServer

DRAIN = 8.0
"""Seconds that a stop waits for requests that are being answered."""
LAST_LINES = 1.0
"""Seconds that it waits for its last lines to be read."""

Say = Callable[[str], None]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=9000, help="port, 0 for a free one (default: %(default)s)")
    add_pipeline(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serves until SIGINT or SIGTERM; 1 where the pipeline does not load or the port is taken."""
    started = time.monotonic()
    env = conversation_env(arguments)
    kept = keep_rooms(env)
    app = load_app(env)
    # What is loaded stays: the collector need not look through it again and again, while turns wait.
    gc.freeze()
    try:
        say, warn = LineWriter(sys.stdout), LineWriter(sys.stderr)
        logging.getLogger().addHandler(LineHandler(warn))
        log = partial(_say_record, say)
        playground = _playground(app, env, log)
        server = _listen(arguments, app, env, log, playground)
        if server is None:
            return 1
        reloader = Reloader(app, env, say, None if playground is None else playground.hear)
        signals = _signals()
        server.start()
        _announce(app, server.url, time.monotonic() - started, say)
        if playground is not None:
            page = f"{server.url}/#{playground.pen}"
            say("  " + tell("open {page} in a browser to talk with her and to edit", page=page))
        say(f"  {said(kept)}")
        _watch_until(signals, app, reloader, say)
        say(tell("stopping"))
        server.stop(DRAIN)
        if playground is not None:
            playground.close()
        for lines in (say, warn):
            lines.finish(LAST_LINES)
    finally:
        app.close()
    return 0


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise argparse.ArgumentTypeError(tell("`{text}` is no port: expected 0 to 65535", text=text))
    return int(text)


def _playground(app: App, env: Mapping[str, str], log: Log) -> Playground | None:
    """`None` where callers have to show who they are: anybody at this machine could open the page."""
    policy = Policy.from_env(env)
    is_open = not policy.gate.client_token and policy.gate.verifier is None
    return Playground(app, policy, log, pipeline_path(env)) if is_open else None


def _listen(
    arguments: argparse.Namespace, app: App, env: Mapping[str, str], log: Log, playground: Playground | None
) -> WebServer | None:
    policy = Policy.from_env(env)
    collect_gaps(app, env)
    handler = make_handler(app, env, log=log, keeper=app.rooms)
    hosted = Hosted(
        service=make_service(app, policy, log, app.rooms),
        invoke=lambda event, request_id: handler(event, SimpleNamespace(aws_request_id=request_id)),
        policy=policy,
        access=Access.from_env(arguments.host, env),
        greeting=_greeting(app),
        playground=playground,
    )
    try:
        return WebServer((arguments.host, arguments.port), hosted)
    except OSError as error:
        place = f"{arguments.host}:{arguments.port}"
        why = reason_of(error).partition(" (while")[0]
        remedy = "--port" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "--host"
        refused = tell(
            "cannot listen on {place}: {reason}; try another {remedy}", place=place, reason=why, remedy=remedy
        )
        print(f"misaki serve: {refused}", file=sys.stderr)
        return None


def _signals() -> SimpleQueue[int]:
    """Every SIGINT and SIGTERM from now on, so that a stop is orderly from the first line that is printed.

    A handler may run while another one does: an event's lock, unlike this queue, would then be waited for without end.
    """
    signals: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: signals.put(number))
    return signals


def _watch_until(signals: SimpleQueue[int], app: App, reloader: Reloader, say: Say) -> None:
    """Watches models and files until the first of the `signals`."""
    stop = threading.Event()
    here = copy_context()
    threading.Thread(target=here.run, args=(watch_models, app.health, stop, say), name="watch", daemon=True).start()
    # No daemon: one that is in the midst of the analyser when the process ends aborts it.
    threading.Thread(target=copy_context().run, args=(reloader.watch, stop), name="reload").start()
    signals.get()
    stop.set()


def _announce(app: App, url: str, seconds: float, say: Say) -> None:
    health = app.health()
    loaded = tell(
        "{name} with {count} replies, loaded in {seconds:.2f} s",
        name=health["pipeline"],
        count=health["replies"],
        seconds=seconds,
    )
    say(f"misaki {__version__}: {loaded}")
    for notice in health.get("notices", ()):
        say(tell("  note: {notice}", notice=notice))
    say(tell("listening on {url} (Ctrl-C stops); try", url=url))
    greeting = _said_first(app)
    say(f"""  curl -s {url}/chat -d '{{"input": "{greeting}"}}'""")
    say(f"""  curl -s {url}{INVOCATIONS} -d '{{"input": "{greeting}"}}'""")


def _said_first(app: App) -> str:
    """What a user may say to the bot in its own language."""
    return "こんばんは" if app.plan.locale.startswith("ja") else "Good evening"


def _greeting(app: App) -> str:
    return (
        f"{app.health()['pipeline']} is listening.\n"
        f'POST /chat with JSON such as {{"input": "{_said_first(app)}"}}; GET /health tells which models are ready.\n'
    )


def _say_record(say: Say, record: Mapping[str, Any]) -> None:
    """Writes a handler's record as one short line."""
    words = [record["method"], record["path"], record["status"]]
    words += [record[key] for key in ("engine", "reply_id", "model", "code") if record.get(key)]
    words += [f"{step}: {reason}" for step, reason in record.get("escalations", ())]
    say(f"{time.strftime('%H:%M:%S')} {' '.join(map(str, words))} {record['milliseconds']:.0f} ms")
    for line in record.get("frames", ()):
        say(f"  {line}")
