"""The engine itself, in this process, with tiny weights."""

from __future__ import annotations

import math
import signal
import subprocess

import pytest

from engine.core.deadline import Deadline
from engine.models.local.llama_cpp import _reason, load
from engine.models.local.worker.child import worker_command
from engine.models.local.worker.gguf import read_metadata
from engine.models.local.worker.inference import DoesNotFit, LoadError, OutOfTime, Request
from engine.models.local.worker.start import LocalSettings
from tests.fakes.clock import FakeClock
from tests.models import with_value

PERSONA = "a long persona " * 100


@pytest.fixture
def engine(tiny_path):
    settings = LocalSettings(path=str(tiny_path), context=2048, temperature=0, max_tokens=8, cache="off")
    return load(settings, read_metadata(tiny_path))


def request(text, prefix=0, seconds=5.0, max_tokens=8):
    deadline = Deadline.after(seconds, FakeClock())
    return Request(text=text, prefix=prefix, stop=(), max_tokens=max_tokens, deadline=deadline)


def test_confidence_is_the_geometric_mean_of_the_tokens_probabilities(engine):
    logs = []
    measure = engine._log_probability
    engine._log_probability = lambda token: logs.append(measure(token)) or logs[-1]
    generation = engine.generate(request("hello"))
    assert generation.confidence == pytest.approx(math.prod(map(math.exp, logs)) ** (1 / len(logs)))
    assert 0 < generation.confidence < 1
    assert generation.completion_tokens in {len(logs), len(logs) - 1}


def test_the_settings_of_sampling_reach_the_sampler(tiny_path):
    sampling = {"top_p": 0.5, "top_k": 7, "min_p": 0.2, "repeat_penalty": 1.3}
    settings = LocalSettings(path=str(tiny_path), context=256, temperature=0.4, cache="off", **sampling)
    engine = load(settings, read_metadata(tiny_path))
    asked = []
    generate = engine._llama.generate
    engine._llama.generate = lambda tokens, **given: asked.append(given) or generate(tokens, **given)
    engine.generate(request("hello"))
    assert asked == [{"temp": 0.4, **sampling}]


def test_what_the_last_prompt_shares_is_not_evaluated_again(engine):
    evaluated = []
    evaluate = engine._llama.eval
    engine._llama.eval = lambda tokens: evaluated.append(len(tokens)) or evaluate(tokens)
    engine.generate(request(PERSONA + "one"))
    first = sum(evaluated)
    evaluated.clear()
    engine.generate(request(PERSONA + "two"))
    assert first > 1000
    assert sum(evaluated) < 30


def test_a_prompt_that_no_turn_has_time_for_is_read_over_many_turns(engine):
    looks = 0

    def interrupted():
        """At every fortieth look; a chunk of any size takes some twenty-five."""
        nonlocal looks
        looks += 1
        return looks % 40 == 0

    attempts = 1
    while not engine.prepare(PERSONA, len(PERSONA), interrupted):
        attempts += 1
    assert 1 < attempts < 200


def test_a_deadline_before_the_first_token(engine):
    with pytest.raises(OutOfTime):
        engine.generate(request(PERSONA, seconds=0))
    assert engine.generate(request(PERSONA)).completion_tokens


def test_a_deadline_during_the_answer(engine):
    clock = FakeClock()
    piece = engine._piece
    engine._piece = lambda token: clock.advance(2.0) or piece(token)
    deadline = Deadline.after(5.0, clock)
    generation = engine.generate(Request(text="hello", prefix=0, stop=(), max_tokens=8, deadline=deadline))
    assert (generation.finish_reason, generation.completion_tokens) == ("deadline", 3)
    assert generation.text


def test_a_prompt_that_leaves_no_room_for_the_answer(engine):
    with pytest.raises(DoesNotFit):
        engine.generate(request("hello", max_tokens=2045))


def test_a_file_that_does_not_load(tmp_path, tiny_path):
    path = tmp_path / "cut.gguf"
    path.write_bytes(tiny_path.read_bytes()[:20_000])
    with pytest.raises(LoadError, match=r"llama\.cpp cannot load it"):
        load(LocalSettings(path=str(path)), read_metadata(tiny_path))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda data: with_value(data, "general.architecture", b"qwen9"), "unknown model architecture: 'qwen9'"),
        (lambda data: with_value(data, "tokenizer.ggml.model", b"xlama"), "unknown tokenizer: 'xlama'"),
        (lambda data: data[:-5000], "is not within the file bounds, model is corrupted or incomplete"),
        (lambda data: data[: len(data) // 2], "is not within the file bounds, model is corrupted or incomplete"),
    ],
)
def test_a_file_that_is_refused_shows_the_reason_of_llama_cpp(tiny_path, tmp_path, spoil, reason):
    path = tmp_path / "spoiled.gguf"
    path.write_bytes(spoil(tiny_path.read_bytes()))
    with pytest.raises(LoadError) as caught:
        load(LocalSettings(path=str(path), context=128, cache="off"), read_metadata(path))
    assert str(caught.value).startswith("llama.cpp cannot load it: ")
    assert reason in str(caught.value)


def test_what_llama_cpp_lists_of_a_file_is_no_reason():
    lines = [
        "print_info: rope_finetuned        = unknown\n",
        "ggml_gallocr_reserve_n_impl: failed to allocate CPU buffer of size 103024640\n",
        "graph_reserve: failed to allocate compute buffers\n",
    ]
    assert _reason(lines) == "failed to allocate CPU buffer of size 103024640"


def test_a_worker_that_llama_cpp_aborts_ends_at_once_without_a_debugger(tmp_path):
    for name in ("gdb", "lldb"):
        debugger = tmp_path / name
        debugger.write_text(f"#!/bin/sh\necho {name} looks at it >&2\n")
        debugger.chmod(0o755)
    command = worker_command({"PATH": f"{tmp_path}:/usr/bin:/bin"})
    abort = "from llama_cpp.llama_cpp import _lib; _lib.ggml_abort(b'place.c', 1, b'no memory')"
    ended = subprocess.run(
        (command.arguments[0], "-c", abort), env=dict(command.environment), capture_output=True, text=True, check=False
    )
    assert ended.returncode == -signal.SIGABRT
    assert ended.stderr == "place.c:1: no memory\n"
