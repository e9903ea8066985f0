"""`misaki chat`: holds a conversation in the terminal, or over a pipe, one line a turn."""

from __future__ import annotations

import argparse
import shlex
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from engine.api.conversation import TEXT_LIMIT
from engine.app import App, load_app
from engine.chat.trace import trace_lines
from engine.cli.env_file import Usage
from engine.cli.environment import add_pipeline, conversation_env, keep_rooms, pipeline_path
from engine.cli.gaps import collect_gaps
from engine.cli.output import Terminal, output_file, watch_models
from engine.core.events import Event, Outcome, Sentence
from engine.core.language import phrase, said, tell
from engine.core.turn import ChatRequest, Principal
from engine.golden.listen import Listener, NotSaved, Reply
from engine.models.secrets import Secrets
from engine.pipeline.compile import learn_kinds
from engine.text.cleaning import clean

_HELP = phrase("/quit ends, /reset starts a new conversation, /trace shows what the engine decides")

_GUEST = Principal(kind="user", id="terminal")
"""Whoever sits at this terminal is the same guest each time."""
PATIENCE = 120.0
"""Seconds that a conversation waits for models to load before it starts without them."""


def configure(parser: argparse.ArgumentParser) -> None:
    add_pipeline(parser)
    parser.add_argument("--trace", action="store_true", help="show the trace of every turn")
    parser.add_argument(
        "--save", metavar="FILE", type=output_file, help="keep the conversation as a golden: NAME.golden.yml"
    )


def run(arguments: argparse.Namespace) -> int:
    """0 at the end of the conversation, 1 where a turn over a pipe had no answer, 2 where it cannot be saved."""
    env = conversation_env(arguments)
    if arguments.save is None:
        kept = keep_rooms(env)
        app = load_app(env)
        collect_gaps(app, env)
        return _talk(app, lambda asked, hear: app.reply(asked, listen=hear), trace=arguments.trace, notice=kept)
    try:
        listener = Listener(arguments.save, Secrets(env))
    except NotSaved as error:
        raise Usage(str(error)) from None
    app = load_app(env, listener.wrap)
    try:
        return _talk(app, listener.between(app), trace=arguments.trace)
    finally:
        # However it ends: whoever stops it with Ctrl-C has talked for a while, too.
        if listener.save(app.plan, pipeline_path(env), env):
            command = f"misaki test {shlex.quote(str(arguments.save))}"
            print(tell("saved {file}; `{command}` plays it", file=arguments.save, command=command))


def _talk(app: App, reply: Reply, *, trace: bool, notice: str = "") -> int:
    try:
        console = Terminal()
        persona = app.plan.persona
        at_terminal = sys.stdin.isatty()
        _await_models(app.health, console, quiet=not at_terminal)
        if at_terminal:
            threading.Thread(target=learn_kinds, args=(app.plan,), name="kinds").start()
            console.print(f"[bold]{escape(persona.name)}[/] [dim]{said(_HELP)}[/]")
            console.print(Text(said(notice), "dim"))
        talk = Conversation(reply, console, name=persona.name, trace=trace)
        answered = talk.hold(_lines(persona.labels.user))
        return int(not answered and not at_terminal)
    finally:
        app.close()


def _await_models(health: Callable[[], Mapping[str, Any]], console: Console, *, quiet: bool) -> None:
    """Lets models that load in the background get ready, so that the first turn has them."""
    patience = threading.Event()
    timer = threading.Timer(PATIENCE, patience.set)
    timer.start()
    try:
        watch_models(health, patience, (lambda _: None) if quiet else (lambda line: console.print(Text(line, "dim"))))
    finally:
        timer.cancel()


class Conversation:
    """Keeps the session of one conversation and shows its turns."""

    def __init__(
        self,
        reply: Reply,
        console: Console,
        *,
        name: str,
        trace: bool = False,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._reply = reply
        self._console = console
        self._name = name
        self._trace = trace
        self._new_id = new_id
        self._session = new_id()
        self._unanswered = False

    def hold(self, lines: Iterator[str]) -> bool:
        """Whether every turn had an answer."""
        for line in lines:
            text = clean(line)
            if text == "/quit":
                break
            if text:
                self._command(text) if text.startswith("/") else self._turn(text)
        return not self._unanswered

    def _command(self, text: str) -> None:
        if text == "/reset":
            self._session = self._new_id()
            self._console.print(Text(tell("a new conversation"), "dim"))
        elif text == "/trace":
            self._trace = not self._trace
            self._console.print(Text(tell("trace on") if self._trace else tell("trace off"), "dim"))
        else:
            self._console.print(f"[dim]{said(_HELP)}[/]")

    def _turn(self, text: str) -> None:
        if len(text) > TEXT_LIMIT:
            self._console.print(Text(tell("at most {most} characters, please", most=TEXT_LIMIT), "red"))
            return
        asked = ChatRequest(text=text, session_id=self._session, principal=_GUEST, streamed=True)
        result = self._reply(asked, self._hear)
        outcome = result.outcome
        if outcome.reply is None:
            self._unanswered = True
            self._console.print(Text(tell("no step could answer"), "red"))
            for escalation in outcome.escalations:
                why = f": {escalation.detail}" if escalation.detail else ""
                who = phrase("{step} with {model}", step=escalation.step, model=escalation.model)
                line = tell(
                    "    {who} gave up ({reason}){why}",
                    who=who if escalation.model else escalation.step,
                    reason=escalation.reason,
                    why=why,
                )
                self._console.print(Text(line, "dim"))
        else:
            self._console.print()
        self._console.print(Text(summary(outcome, result.latency_ms), style="dim"))
        if self._trace:
            for line, seconds in trace_lines(outcome):
                self._console.print(Text(f"    {line} {seconds * 1000:.1f} ms", "dim"))

    def _hear(self, event: Event) -> None:
        """Shows each sentence when it is there."""
        if isinstance(event, Sentence):
            name = Text.assemble((self._name, "bold magenta"), "  ") if event.index == 0 else ""
            self._console.print(Text.assemble(name, event.text), end="", soft_wrap=True)


def summary(outcome: Outcome, latency_ms: float) -> str:
    """Tells on one line who answered, how long it took and how sure the model was."""
    completion = outcome.completion
    words: list[Any] = [outcome.engine, outcome.step, outcome.reply_id, completion.model if completion else None]
    if completion and completion.completion_tokens is not None:
        words.append(tell("{count} tokens", count=completion.completion_tokens))
    if completion and completion.confidence is not None:
        words.append(tell("confidence {sure:.2f}", sure=completion.confidence))
    words.append(f"{latency_ms:.0f} ms")
    words += [
        tell("{step} gave up: {reason}", step=escalation.step, reason=escalation.reason)
        for escalation in outcome.escalations
    ]
    return "    " + " · ".join(dict.fromkeys(str(word) for word in words if word))


def _lines(label: str) -> Iterator[str]:
    """Reads what the user types, with a prompt and line editing at a terminal, as it is from a pipe."""
    if not sys.stdin.isatty():
        yield from (line.decode("utf-8", "replace") for line in sys.stdin.buffer)
        return
    import readline  # noqa: F401  its import gives `input` editing and a history

    while True:
        try:
            yield input(f"{label}> ")
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print()
            raise
