"""What may befall a model's process, with SmolLM2 in each engine: the turn goes on at once, the next has an answer."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from engine.core.plan import ModelRow
from engine.core.ports import LanguageModel
from engine.core.record import replace
from engine.models.local.model import LocalModel
from engine.models.local.settings import read_settings
from engine.models.local.worker.child import worker_command
from engine.models.local.worker.start import settings_to_json
from engine.models.local.worker.supervisor import Supervisor
from engine.models.registry import open_model
from tests.chaos.bot import Answer, Bot, make_bot, make_plan
from tests.chaos.experiment import Check
from tests.models import for_gpt4all
from tools.demo_model import ensure

TITLE = "what may befall the process of a local model"
ENGINES = ("llama.cpp", "gpt4all")
ROUNDS = 20
STALL = 60.0
GRACE = 0.05
AT_ONCE = 0.25
"""Seconds from the end of a process to the turn's answer."""
REPAIR = 2.0
"""Seconds, beside the loading, in which the model has to be back."""
LONG = 120.0
CROWD = 16
ADDRESS_SPACES = {"llama.cpp": (120, 200, 300, 360), "gpt4all": (120, 200, 280)}
"""Megabytes: enough to start an interpreter, too few to read the file, to load the model or to compute with it."""

PIPELINE = """
version: 1
name: worker
locale: en
deadline: {deadline}s
persona: {{name: Misaki}}
replies: [replies.yml]
models: {{small: {{backend: auto, path: nowhere.gguf}}}}
steps:
  - {{id: talk, kind: generate, model: small, prompt: prompt.j2}}
  - {{id: sorry, kind: say, reply: sorry}}
"""
REPLIES = "replies: [{id: sorry, say: [I am out of words.]}]"
STORY = "Tell me a very long story about the sea."


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A bot with one local model, and how long its loading took."""

    bot: Bot
    model: LanguageModel
    deadline: float

    @property
    def pid(self) -> int:
        return int(self.model.status().data["pid"])

    @property
    def load_seconds(self) -> float:
        return float(self.model.status().data["load_seconds"] or 0.0)

    def well(self, answer: Answer, grace: float) -> bool:
        """An answer of the model or the apology, by the deadline."""
        return answer.status == 200 and answer.end in ("local", "fallback") and answer.seconds <= self.deadline + grace

    def recovered(self, since: float, grace: float) -> bool:
        """Asks until the model answers; whether that is soon enough after `since`."""
        while time.monotonic() < since + LONG:
            began = time.monotonic()
            if self.bot.ask("Hello.").end == "local":
                return began - since <= REPAIR + self.load_seconds + grace
            time.sleep(0.05)
        return False


def open_row(row: ModelRow) -> LanguageModel:
    return open_model(row, {})


def open_starving(row: ModelRow, megabytes: int, folder: Path) -> LanguageModel:
    """Like `open_row`, but its first worker has so little address space; `folder` is empty."""
    settings, command = read_settings(row, {}), worker_command({})
    limited = f'mkdir "{folder}/first" 2>/dev/null && ulimit -v {megabytes * 1024}; exec "$0" "$@"'
    command = replace(command, arguments=("/bin/sh", "-c", limited, *command.arguments))
    order = {"op": "load", "settings": settings_to_json(settings)}
    return LocalModel(row, settings, Supervisor(command, (row.backend,), order))


@contextmanager
def patient(
    path: Path,
    backend: str,
    deadline: float,
    *,
    ready: bool = True,
    tokens: int = 24,
    opened: Callable[[ModelRow], LanguageModel] = open_row,
) -> Iterator[Patient]:
    plan = make_plan(PIPELINE.format(deadline=deadline), REPLIES, {})
    settings = {"path": str(path), "threads": 1, "max_tokens": tokens, "context": 1024, "cache": "off"}
    model = opened(ModelRow(id="small", backend=backend, settings=settings))
    with closing(make_bot(plan, {"small": model}).app) as app:
        one = Patient(bot=make_bot(app.plan, {"small": model}), model=model, deadline=deadline)
        until = time.monotonic() + LONG
        while ready and one.bot.ask("Hello.").end != "local":
            if time.monotonic() > until:
                raise RuntimeError(f"{path.name} does not load in {backend}: {model.status().detail}")
        yield one


def run(share: float) -> Iterator[Check]:
    with tempfile.TemporaryDirectory() as folder:
        models = model_files(Path(folder))
        before = belongings()
        for backend in ENGINES:
            yield from signals(models[backend], backend, max(1, round(ROUNDS * share)))
            yield hang(models[backend], backend, max(1, round(ROUNDS * share)))
            yield corrupt(models[backend], backend)
            yield no_memory(models[backend], backend)
            yield crowd(models[backend], backend)
        with ThreadPoolExecutor(len(ENGINES)) as pool:
            yield from pool.map(lambda backend: stall(models[backend], backend, STALL * share), ENGINES)
        yield left_open(before)


def model_files(folder: Path) -> dict[str, Path]:
    smollm2 = ensure("smollm2")
    return {"llama.cpp": smollm2, "gpt4all": for_gpt4all(smollm2, folder / "smollm2.gguf")}


def signals(path: Path, backend: str, rounds: int, grace: float = 0.0) -> Iterator[Check]:
    """The process is ended in the middle of an answer, at another moment each time."""
    for number in (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT):
        right, slowest = 0, 0.0
        with patient(path, backend, 4.0, tokens=900) as one:
            for seed in range(rounds):
                ended: list[float] = []

                def end(victim: int = one.pid, ended: list[float] = ended, number: int = number) -> None:
                    ended.append(time.monotonic())
                    os.kill(victim, number)

                timer = threading.Timer(random.Random(seed).uniform(0.1, 0.6), end)
                timer.start()
                answer = one.bot.ask(STORY)
                seconds = time.monotonic() - ended[0] if ended else LONG
                timer.join()
                slowest = max(slowest, seconds)
                back = one.recovered(time.monotonic(), grace)
                right += one.well(answer, GRACE + grace) and seconds <= AT_ONCE + grace and back
        yield _check(backend, f"{number.name} in the middle of an answer", right, rounds, f"{slowest * 1000:.0f} ms")


def hang(path: Path, backend: str, rounds: int, grace: float = 0.0, deadline: float = 0.8) -> Check:
    """The process stops in the middle of an answer and does not go on."""
    right, slowest = 0, 0.0
    with patient(path, backend, deadline, tokens=900) as one:
        for seed in range(rounds):
            timer = threading.Timer(random.Random(seed).uniform(0.05, 0.3), os.kill, (one.pid, signal.SIGSTOP))
            timer.start()
            answer = one.bot.ask(STORY)
            timer.join()
            back = one.recovered(time.monotonic(), grace)
            slowest = max(slowest, answer.seconds)
            right += one.well(answer, GRACE + grace) and answer.end == "fallback" and back
    what = f"SIGSTOP in the middle of an answer, {deadline:g} s for the turn"
    return _check(backend, what, right, rounds, f"{slowest * 1000:.0f} ms")


def corrupt(path: Path, backend: str, grace: float = 0.0) -> Check:
    """A file that is damaged, and put right later."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "model.gguf"
        whole = path.read_bytes()
        place.write_bytes(whole[: len(whole) // 2])
        with patient(place, backend, 4.0, ready=False) as one:
            answer = one.bot.ask("Hello.")
            place.write_bytes(whole)
            back = one.recovered(time.monotonic(), grace)
            right = one.well(answer, GRACE + grace) and answer.end == "fallback" and back
    return _check(backend, "half a file, then the whole one", right, 1, f"{answer.seconds * 1000:.0f} ms")


def no_memory(path: Path, backend: str, grace: float = 0.0) -> Check:
    """The first process gets too little address space to load the model; the reason is told, and the next one loads."""
    right, slowest = 0, 0.0
    for megabytes in ADDRESS_SPACES[backend]:
        with tempfile.TemporaryDirectory() as folder:
            opened = partial(open_starving, megabytes=megabytes, folder=Path(folder))
            with patient(path, backend, 4.0, ready=False, opened=opened) as one:
                answer = one.bot.ask("Hello.")
                settle(lambda model=one.model: model.status().state != "loading")
                lost = one.model.status()
                back = one.recovered(time.monotonic(), grace)
        slowest = max(slowest, answer.seconds)
        told = lost.state == "unavailable" and lost.data["starts"] == 1 and f"{backend}: " in lost.detail
        right += one.well(answer, GRACE + grace) and answer.end == "fallback" and told and back
    return _check(backend, "too little memory to load", right, len(ADDRESS_SPACES[backend]), f"{slowest * 1000:.0f} ms")


def crowd(path: Path, backend: str, grace: float = 0.0, deadline: float = 3.0) -> Check:
    """Many threads ask at once, more than may wait."""
    with patient(path, backend, deadline) as one, ThreadPoolExecutor(CROWD) as pool:
        starts = one.model.status().data["starts"]
        answers = list(pool.map(one.bot.ask, [f"Say {number}." for number in range(CROWD)]))
        back = one.recovered(time.monotonic(), grace) and one.model.status().data["starts"] == starts
    right = sum(one.well(answer, GRACE + grace) for answer in answers) if back else 0
    local = sum(answer.end == "local" for answer in answers)
    return _check(backend, f"{CROWD} threads at once", right, CROWD, f"{local} answered by the model")


def stall(path: Path, backend: str, seconds: float, grace: float = 0.0) -> Check:
    """A load that does not go on; every turn meanwhile has its answer."""
    with patient(path, backend, 1.0, ready=False) as one:
        victim = one.pid
        os.kill(victim, signal.SIGSTOP)
        until, answers = time.monotonic() + seconds, []
        while time.monotonic() < until:
            answers.append(one.bot.ask("Hello."))
            time.sleep(min(1.0, max(0.0, until - time.monotonic())))
        os.kill(victim, signal.SIGCONT)
        back = one.recovered(time.monotonic(), grace)
    right = sum(one.well(answer, GRACE + grace) and answer.end == "fallback" for answer in answers) if back else 0
    slowest = max(answer.seconds for answer in answers)
    what = f"a load of {seconds:g} s, 1 s for each turn"
    return _check(backend, what, right, len(answers), f"{slowest * 1000:.0f} ms")


def belongings() -> tuple[int, int]:
    """Threads and open descriptors of this process."""
    return threading.active_count(), sum(1 for _ in Path("/proc/self/fd").iterdir())


def left_open(before: tuple[int, int]) -> Check:
    """No more than there were; what came before may end meanwhile."""

    def is_left() -> bool:
        return any(now > then for now, then in zip(belongings(), before, strict=True))

    settle(lambda: not is_left())
    figures = f"{before} → {belongings()}"
    return Check(what="threads and descriptors are as before", right=int(not is_left()), asked=1, figures=figures)


def settle(done: Callable[[], bool]) -> None:
    """Waits for what happens soon: a process that fails, threads that were told to end."""
    until = time.monotonic() + LONG
    while not done() and time.monotonic() < until:
        time.sleep(0.01)


def _check(backend: str, what: str, right: int, asked: int, figures: str) -> Check:
    return Check(what=f"{backend}: {what}", right=int(right), asked=asked, figures=figures)
