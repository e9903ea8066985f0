"""Every fault of a provider, against every provider: the right type, the right next step, in time, and no key shown.

Each runs through the handler and a pipeline whose next step is another provider, or an apology; what chance decides
(when and in which pieces bytes come, how long a retry waits) comes from a seed.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from random import Random

from engine.core.deadline import Deadline
from engine.core.errors import BackendError
from engine.core.plan import Plan
from engine.core.ports import LanguageModel, ModelStatus
from engine.core.turn import Completion, Engine, Prompt
from engine.models.providers.external import ExternalModel
from engine.resilience.guarded import make_guard
from tests.chaos.bot import Answer, captured_log, declared, make_bot, make_plan
from tests.chaos.experiment import Check
from tests.faults import behaviours, wires
from tests.faults.catalogue import FAULTS, UNREACHABLE, Fault
from tests.faults.peer import Peer
from tests.faults.stage import loaded
from tests.faults.wires import PROVIDERS, Provider

TITLE = "every fault of a provider, against every provider, by its step's time-out"
TIMEOUT = 1.0
GRACE = 0.05
SEEDS = 20
LANES = 4

PIPELINE = """
version: 1
name: providers
locale: ja
deadline: {deadline}s
persona: {{name: 美砂樹}}
replies: [replies.yml]
models: {models}
steps:
  - {{id: ask, kind: generate, model: {asked}, prompt: prompt.j2, timeout: {timeout}s}}
  - {{id: ask_next, kind: generate, model: {next}, prompt: prompt.j2, when: "not ('謝って' in text)"}}
  - {{id: sorry, kind: say, reply: sorry}}
"""
REPLIES = "replies: [{id: sorry, say: [ごめんなさいね]}]"


@dataclass(slots=True)
class Watched:
    """A model, with what it raised."""

    inner: ExternalModel
    engine: Engine = "external"
    errors: list[BackendError] = field(default_factory=list)

    def generate(self, prompt: Prompt, deadline: Deadline) -> Completion:
        try:
            return self.inner.generate(prompt, deadline)
        except BackendError as error:
            self.errors.append(error)
            raise

    def status(self) -> ModelStatus:
        return self.inner.status()

    def close(self) -> None:
        self.inner.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A peer and a loaded model for each provider, for one turn at a time; `elsewhere` by the name of a fault, models
    that look for their provider where it is not.
    """

    peers: dict[Provider, Peer]
    models: dict[Provider, ExternalModel]
    elsewhere: dict[str, dict[Provider, ExternalModel]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    fault: Fault
    provider: Provider
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was wrong with a case; nothing where all was as it should be."""

    wrong: tuple[str, ...]
    seconds: float


def run(share: float) -> Iterator[Check]:
    yield from check((*UNREACHABLE, *FAULTS), max(1, round(SEEDS * share)))


def check(faults: Sequence[Fault], seeds: int, *, timeout: float = TIMEOUT, grace: float = GRACE) -> Iterator[Check]:
    with ExitStack() as stack, captured_log() as log:
        lanes: SimpleQueue[Lane] = SimpleQueue()
        places = {fault.name: stack.enter_context(fault.place()) for fault in faults if fault.place is not None}
        for _ in range(LANES):
            lanes.put(stack.enter_context(_lane(places)))
        plans = {asked: _plan(asked, timeout) for asked in PROVIDERS}
        pool = stack.enter_context(ThreadPoolExecutor(LANES))
        for fault in faults:
            cases = [Case(fault=fault, provider=name, seed=seed) for name in PROVIDERS for seed in range(seeds)]
            results = list(pool.map(lambda case: _try(case, plans[case.provider], lanes, timeout, grace), cases))
            yield _summary(fault, results)
        hidden = [line for line in log if wires.SECRET not in line]
    yield Check(what="log records of the engine and of SDKs without a key", right=len(hidden), asked=len(log))


def _summary(fault: Fault, results: Sequence[Result]) -> Check:
    wrong = dict.fromkeys(word for result in results for word in result.wrong)
    slowest = max(result.seconds for result in results)
    return Check(
        what=f"{fault.name}: {fault.raises.__name__}",
        right=sum(not result.wrong for result in results),
        asked=len(results),
        figures="; ".join([f"{slowest * 1000:.0f} ms", *wrong]),
    )


def _try(case: Case, plan: Plan, lanes: SimpleQueue[Lane], timeout: float, grace: float) -> Result:
    lane = lanes.get()
    try:
        return _turn(case, plan, lane, timeout, grace)
    finally:
        lanes.put(lane)


def _turn(case: Case, plan: Plan, lane: Lane, timeout: float, grace: float) -> Result:
    chance = Random(f"{case.provider} {case.fault.name} {case.seed}")
    following = _following(case.provider)
    lane.peers[case.provider].play(behaviours.unsteady(case.fault.behave(case.provider), chance))
    lane.peers[following].play(behaviours.respond(wires.answer(following)))
    watched = Watched(lane.elsewhere.get(case.fault.name, lane.models)[case.provider])
    guard = make_guard()
    models: dict[str, LanguageModel] = {
        case.provider: guard(watched, case.provider),
        following: guard(lane.models[following], following),
    }
    bot = make_bot(plan, models)
    apologises = case.seed % 2 == 1
    answer = bot.ask("謝ってよ" if apologises else "猫は好き？")
    told = (str(answer.response), repr(bot), repr(models), repr(bot.app.health()), *map(_told, watched.errors))
    checks = {
        "wrong type": _typed(case.fault, watched.errors),
        "wrong next step": _next_step(case, answer) == ("sorry" if apologises else "ask_next"),
        "wrong number of calls": len(lane.peers[case.provider].received) in _calls(case.fault, timeout),
        "late": answer.seconds <= timeout + grace,
        "a key shows": not any(wires.SECRET in text for text in told),
    }
    return Result(wrong=tuple(word for word, right in checks.items() if not right), seconds=answer.seconds)


def _typed(fault: Fault, errors: Sequence[BackendError]) -> bool:
    kinds = {(type(error), error.retryable, error.retry_after) for error in errors}
    return kinds == {(fault.raises, fault.retryable, fault.retry_after)}


def _next_step(case: Case, answer: Answer) -> str | None:
    """The step that answered, if the turn went on to it for the reason and from the model that it should."""
    escalation = {"step": "ask", "reason": case.fault.raises.reason, "model": case.provider}
    as_told = answer.status == 200 and answer.body["escalations"] == [escalation]
    return str(answer.body["step"]) if as_told else None


def _calls(fault: Fault, timeout: float) -> tuple[int, ...]:
    """Every turn has a new budget here, which allows one more call; it is not made where the first one took too long,
    or the provider asks for a longer wait than there is time.
    """
    if fault.place is not None:
        return (0,)
    return (1, 2) if fault.retryable and (fault.retry_after or 0.0) < timeout else (1,)


def _told(error: BackendError) -> str:
    return "".join(traceback.format_exception(error)) + repr(vars(error)) + repr(error)


def _following(provider: Provider) -> Provider:
    return PROVIDERS[(PROVIDERS.index(provider) + 1) % len(PROVIDERS)]


def _plan(asked: Provider, timeout: float) -> Plan:
    following = _following(asked)
    return make_plan(
        PIPELINE.format(
            models=declared(asked, following), asked=asked, next=following, timeout=timeout, deadline=5 * timeout
        ),
        REPLIES,
        {},
    )


@contextmanager
def _lane(places: Mapping[str, str]) -> Iterator[Lane]:
    with ExitStack() as stack:
        peers = {name: stack.enter_context(Peer([behaviours.silence])) for name in PROVIDERS}
        models = {name: loaded(name, peers[name].url) for name in PROVIDERS}
        elsewhere = {fault: {name: loaded(name, url) for name in PROVIDERS} for fault, url in places.items()}
        yield Lane(peers=peers, models=models, elsewhere=elsewhere)
