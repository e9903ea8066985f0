"""Guests who write in the same second: one local model, one thread, eight guests beside one.

The guests are asked through the worker process, with the shipped persona; without the examples near to their words,
which nobody gets who is not alone. How likely a text is tells, where batching changed the last bits, whether another
one was said than to a guest alone: the mean log-probability of its tokens, both read by the same fresh context.
"""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.local import shipped_prompt
from benchmarks.measure import Row, Samples
from engine.core.deadline import Deadline
from engine.core.plan import ModelRow
from engine.core.ports import LanguageModel
from engine.core.turn import Completion, Prompt
from engine.models.local import llama_cpp as ours
from engine.models.local.llama_context import BATCH, Context
from engine.models.local.model import LocalModel
from engine.models.local.worker.answering import choose_layout
from engine.models.local.worker.gguf import read_metadata
from engine.models.local.worker.inference import Request
from engine.models.local.worker.start import LocalSettings
from engine.models.registry import open_model
from tools.demo_model import ensure

TEXTS = (
    "最近、猫を飼い始めたんだ。",
    "今日、昇進が決まったよ。",
    "釣りに行ってきた。大漁だったよ。",
    "娘がピアノの発表会でね。",
    "新しいギターを買ったんだ。",
    "マラソンを完走したよ。",
    "庭でトマトが採れた。",
    "古い映画を見てきた。",
)
CONTEXT = 4096
"""Tokens, as the shipped pipeline has it; all of the persona's examples have room in it."""

TOKENS = 32
"""Generated for each guest where speed is measured."""

STEP = 4_000
"""Milliseconds that the shipped pipeline gives its local model."""


def rows(rounds: int) -> Iterator[Row]:
    path, rounds = ensure("gemma3"), max(3, rounds // 10)
    prompts = [shipped_prompt(text=text) for text in TEXTS]
    slowest, lone, unlikelier = _guests(path, rounds, prompts)
    yield Row(
        id="crowd.slowest",
        what="the slowest of eight guests at once",
        ours=slowest,
        peer="a lone guest",
        theirs=lone,
        at_least=0.25,
        at_most=STEP,
    )
    yield Row(
        id="crowd.likelihood",
        what="by how much a word of theirs is less likely, where a text is another one",
        ours=unlikelier,
        unit=(1.0, ""),
    )
    yield _speed(path, rounds, prompts)


def _guests(path: Path, rounds: int, prompts: Sequence[Prompt]) -> tuple[Samples, Samples, Samples]:
    """Of each round the slowest answer of a crowd, the mean of lone ones, and by how much a word is less likely."""
    slowest, lone, unlikelier = [], [], []
    with tempfile.TemporaryDirectory() as cache, ThreadPoolExecutor(len(prompts)) as pool:
        for _ in range(rounds):
            with _opened(path, cache, prompts[0]) as model:
                alone = [_ask(model, prompt) for prompt in prompts]
            with _opened(path, cache, prompts[0]) as model:
                together = list(pool.map(_ask, [model] * len(prompts), prompts))
            slowest.append(max(answer.seconds for answer in together))
            lone.append(statistics.mean(answer.seconds for answer in alone))
            unlikelier.append(max(_unlikelier(path, prompts, alone, together)))
    return Samples(tuple(slowest)), Samples(tuple(lone)), Samples(tuple(unlikelier))


@contextlib.contextmanager
def _opened(path: Path, cache: str, prompt: Prompt) -> Iterator[LanguageModel]:
    """A model that has read the persona, and nothing else."""
    settings = {"path": str(path), "context": CONTEXT, "max_tokens": 64, "threads": 1, "temperature": 0.0}
    model = open_model(ModelRow(id="small", backend="llama.cpp", settings={**settings, "cache": cache}), {})
    with contextlib.closing(model):
        if not isinstance(model, LocalModel):
            raise TypeError(model.status().detail)
        model.prepare(prompt)
        model.wait_prepared(Deadline.after(600))
        yield model


def _speed(path: Path, rounds: int, prompts: Sequence[Prompt]) -> Row:
    """Seconds a token while texts of one length are continued, the prompts' evaluation left out."""
    settings = LocalSettings(
        path=str(path), context=CONTEXT, max_tokens=TOKENS, threads=1, temperature=0.0, cache="off"
    )
    metadata = read_metadata(path)
    engine, layout = ours.load(settings, metadata), choose_layout(settings, metadata)
    shown = [layout.lay_out(prompt) for prompt in prompts]
    requests = [Request(text=one.text, prefix=one.prefix, over=bool, max_tokens=TOKENS) for one in shown]
    times: Mapping[int, list[float]] = {1: [], len(requests): []}
    _seconds_a_token(engine, requests)
    for _ in range(rounds):
        for guests, taken in times.items():
            taken.append(_seconds_a_token(engine, requests[:guests]))
    return Row(
        id="crowd.speed",
        what="a token of eight guests at once",
        ours=Samples(tuple(times[len(requests)])),
        peer="of one guest",
        theirs=Samples(tuple(times[1])),
        at_least=1.5,
    )


def _seconds_a_token(engine: ours.LlamaCpp, requests: Sequence[Request]) -> float:
    began, tokens = time.perf_counter(), 0
    answering = [engine.generate(request) for request in requests]
    while answering:
        for one in tuple(answering):
            try:
                next(one)
            except StopIteration as end:
                answering.remove(one)
                tokens += end.value.completion_tokens
        engine.step()
    return (time.perf_counter() - began) / tokens


def _ask(model: LanguageModel, prompt: Prompt) -> Completion:
    return model.generate(prompt, Deadline.after(600))


def _unlikelier(
    path: Path, prompts: Sequence[Prompt], alone: Sequence[Completion], together: Sequence[Completion]
) -> Iterator[float]:
    """By how much a word is less likely, for each guest; nothing where the texts are the same."""
    for prompt, one, other in zip(prompts, alone, together, strict=True):
        same = one.text == other.text
        yield 0.0 if same else _likelihood(path, prompt, one.text) - _likelihood(path, prompt, other.text)


def _likelihood(path: Path, prompt: Prompt, answer: str) -> float:
    """The mean log-probability of a token of `answer`."""
    settings = LocalSettings(path=str(path), context=CONTEXT, max_tokens=TOKENS)
    metadata = read_metadata(path)
    context, layout = Context(settings, 1, 0), choose_layout(settings, metadata)
    text = layout.lay_out(prompt).text
    tokens = context.tokens(f"{text} {answer}", add_bos=True)
    begun = len(context.tokens(text, add_bos=True))
    for start in range(0, begun, BATCH):
        [row] = context.decode([(0, start, tokens[start : min(start + BATCH, begun)])], bool)
    logs = []
    for place in range(begun, len(tokens)):
        logs.append(context.log_probability(context.logits(row), tokens[place]))
        [row] = context.decode([(0, place, tokens[place : place + 1])], bool)
    return statistics.mean(logs)
