"""Two layers and more fail at once, turn after turn: providers, the local model's process, the session store, what
templates and conditions meet, and the event itself.

What a turn meets depends on its number alone: `python -m tests.chaos.pairwise NUMBER…` plays it again and shows it.
Three turns of four have time to ask every model even where each hangs; the others have little.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from engine.conversations.guard import GuardedStore
from engine.core.plan import ModelRow
from engine.core.ports import LanguageModel
from engine.models.registry import open_model
from engine.resilience.breaker import BreakerPolicy
from engine.resilience.guarded import make_guard
from tests.chaos.bot import Bot, captured_log, declared, make_bot, make_plan
from tests.chaos.experiment import Check
from tests.chaos.layers import LAYERS, PAIRS, MoodyModel, MoodyStorage, Planned, planned
from tests.faults import wires
from tests.faults.marked import town
from tests.faults.stage import loaded
from tests.faults.wires import PROVIDERS
from tests.models import CHATML, write_tiny_model

TITLE = "faults in two layers and more at once"
TURNS = 10_000
LANES = 12
PATIENT, HASTY = 3.5, 0.8
"""Seconds that turns may take."""
GRACE = 0.05
USEFUL = 0.999
RECOVERY = 3.0
"""Seconds after the local model's process was hurt in which nobody counts on it."""

PIPELINE = """
version: 1
name: pairwise
locale: ja
deadline: {deadline}s
persona: {{name: 美砂樹}}
replies: [replies.yml]
models: {models}
steps:
  - {{id: grown_up, kind: set, vars: {{adult: client.age >= 20}}}}
  - {{id: canned, kind: replies, threshold: 80}}
  - id: small_talk
    kind: generate
    model: local
    prompt: local.j2
    timeout: 400ms
    escalate_when: [refusal, repetition, {{if: output.tokens > client.age + 100, reason: too long}}]
  - {{id: ask_large, kind: generate, models: [openai, bedrock, huggingface], prompt: prompt.j2}}
  - {{id: sorry, kind: say, reply: sorry}}
"""
REPLIES = """
replies:
  - {id: password, match: [{contains: 合言葉}], when: client.place != '大阪', say: ["{{ client.name }}さん、どうぞ。"]}
  - {id: sorry, say: [ごめんなさいね]}
"""
ENGINES = {"canned", "local", "external", "fallback"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What became of a turn: its proxy response, how long it took, and whether somebody could have answered."""

    turn: Planned
    response: Any
    seconds: float
    could_answer: bool

    @property
    def limit(self) -> float:
        return HASTY if is_hasty(self.turn.seed) else PATIENT

    @property
    def body(self) -> Mapping[str, Any]:
        return dict(json.loads(self.response["body"]))

    @property
    def useful(self) -> bool:
        return self.response["statusCode"] == 200 and self.body["engine"] != "fallback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    patient: Bot
    hasty: Bot
    local: MoodyModel
    models: Mapping[str, LanguageModel]

    def play(self, turn: Planned) -> Played:
        healthy = time.monotonic() - self.local.harmed_at > RECOVERY and self.local.status().state == "ready"
        shut = {name for name in PROVIDERS if self.models[name].status().state == "unavailable"}
        bot = self.hasty if is_hasty(turn.seed) else self.patient
        began = time.monotonic()
        response = bot.handler(turn.event, None)
        seconds = time.monotonic() - began
        healthy = healthy and time.monotonic() - self.local.harmed_at > RECOVERY
        could = _could_answer(turn, response, shut, local_is_healthy=healthy)
        return Played(turn=turn, response=response, seconds=seconds, could_answer=could)


def is_hasty(seed: int) -> bool:
    return seed % 4 == 0


@contextmanager
def scene() -> Iterator[Scene]:
    with tempfile.TemporaryDirectory() as folder, town() as urls:
        path = write_tiny_model(Path(folder) / "tiny.gguf", chat_template=CHATML, context=2048)
        settings = {"path": str(path), "max_tokens": 8, "context": 2048, "threads": 1, "temperature": 0.0}
        local = MoodyModel(open_model(ModelRow(id="local", backend="llama.cpp", settings=settings), {}))
        # So patient and so quick to try again, because else hardly a call would be made with so many faults.
        guard = make_guard(BreakerPolicy(least_calls=20, failure_share=0.9, open_seconds=0.02))
        models: dict[str, LanguageModel] = {name: guard(loaded(name, urls[name]), name) for name in PROVIDERS}
        models["local"] = local
        store = GuardedStore(MoodyStorage(f"{folder}/rooms.db", 1.0), "moody")
        rows = {**json.loads(declared(*PROVIDERS)), "local": {"backend": "llama.cpp", "path": str(path)}}
        bots = [
            make_bot(
                make_plan(PIPELINE.format(deadline=seconds, models=json.dumps(rows)), REPLIES, {}, local=LOCAL_PROMPT),
                models,
                rooms=store,
            )
            for seconds in (PATIENT, HASTY)
        ]
        try:
            _wait_for(local)
            yield Scene(patient=bots[0], hasty=bots[1], local=local, models=models)
        finally:
            local.close()
            store.close()


LOCAL_PROMPT = "{{ client.name }}さんと{{ client.place }}で話す。"


def _wait_for(local: MoodyModel) -> None:
    while local.status().state == "loading":
        time.sleep(0.05)


def run(share: float) -> Iterator[Check]:
    yield from turns(max(LANES, round(TURNS * share)))


def turns(number: int, *, grace: float = GRACE, useful: float = USEFUL) -> Iterator[Check]:
    with captured_log() as log, scene() as on, ThreadPoolExecutor(LANES) as pool:
        played = list(pool.map(on.play, map(planned, range(1, number + 1))))
        records = [*log, *(str(record) for bot in (on.patient, on.hasty) for record in bot.records)]
    yield from report(played, grace, useful)
    hidden = sum(wires.SECRET not in record for record in records)
    yield Check(what="log records without a key", right=hidden, asked=len(records))


def report(played: Sequence[Played], grace: float, useful: float) -> Iterator[Check]:
    broken = [one for one in played if not is_well_formed(one)]
    yield _check("answers that are well-formed, and as the event deserves", played, broken)
    late = [one for one in played if one.seconds > one.limit + grace]
    slowest = max(one.seconds - one.limit for one in played)
    yield _check(f"answers within {PATIENT} s or {HASTY} s", played, late, f"at most {slowest * 1000:+.0f} ms")
    able = [one for one in played if one.could_answer]
    useless = [one for one in able if not one.useful]
    yield Check(
        what=f"turns that somebody could answer: at least {useful:.1%} get more than an apology",
        right=int(len(useless) <= (1 - useful) * len(able)),
        asked=1,
        figures=_figures(f"{len(able) - len(useless):,} of {len(able):,}", useless),
    )
    faults = Counter(pair for one in played for pair in PAIRS if set(pair) <= one.turn.faults.keys())
    ends = Counter(str(one.body.get("engine") or one.response["statusCode"]) for one in played)
    figures = f"{min(faults[pair] for pair in PAIRS)} to {max(faults.values())} times; " + ", ".join(
        f"{end} {count:,}" for end, count in ends.most_common()
    )
    tried = sum(faults[pair] > 0 for pair in PAIRS)
    yield Check(
        what=f"pairs of the {len(LAYERS)} layers that failed at once", right=tried, asked=len(PAIRS), figures=figures
    )


def _check(what: str, played: Sequence[Played], wrong: Sequence[Played], figures: str = "") -> Check:
    return Check(what=what, right=len(played) - len(wrong), asked=len(played), figures=_figures(figures, wrong))


def _figures(figures: str, wrong: Sequence[Played]) -> str:
    turns = "turns " + ", ".join(str(one.turn.seed) for one in wrong[:8])
    return "; ".join(part for part in (figures, turns if wrong else "") if part)


def is_well_formed(one: Played) -> bool:
    """Whether any client would understand the response, and it is no other than the event allows."""
    response = one.response
    if set(response) < {"statusCode", "headers", "body"} or wires.SECRET in json.dumps(response):
        return False
    body, status = one.body, response["statusCode"]
    if one.turn.status is not None or status != 200:
        return status == one.turn.status and {"error", "code"} == set(body)
    spoken = {body["reply"], body["message"], body["response"]}
    return len(spoken) == 1 and bool(body["reply"].strip()) and body["engine"] in ENGINES and "usage" in body


def _could_answer(turn: Planned, response: Mapping[str, Any], shut: set[str], *, local_is_healthy: bool) -> bool:
    """A model that its circuit breaker kept shut, when the turn began or when it was to be asked, could not."""
    if turn.status is not None or is_hasty(turn.seed):
        return False
    shut |= {event["data"]["model"] for event in json.loads(response["body"]).get("trace", ()) if _is_shut(event)}
    well = [name for name in PROVIDERS if name not in turn.faults and name not in shut]
    # Templates of the reply and of the small talk ask for the user's attributes, that of the large models does not.
    told = turn.faults.get("templates") in {None, "other types", "long"}
    return bool(well) or (told and (turn.canned or ("local" not in turn.faults and local_is_healthy)))


def _is_shut(event: Mapping[str, Any]) -> bool:
    return event["event"] == "skipped" and "circuit breaker" in event["data"]["problem"]


def main(numbers: Sequence[str]) -> None:
    with scene() as on:
        for number in numbers:
            one = on.play(planned(int(number)))
            Console().print_json(data={"faults": dict(one.turn.faults), "seconds": one.seconds, "body": one.body})


if __name__ == "__main__":
    main(sys.argv[1:])
