"""The engine itself, in this process, with tiny weights."""

from __future__ import annotations

import itertools
import math
import signal
import subprocess

import llama_cpp
import pytest

from engine.models.local.llama_context import BATCH, Context, _reason
from engine.models.local.llama_cpp import load
from engine.models.local.worker.child import worker_command
from engine.models.local.worker.gguf import read_metadata
from engine.models.local.worker.inference import DoesNotFit, LoadError, OutOfTime, Request
from engine.models.local.worker.start import LocalSettings
from tests.models import with_value

PERSONA = "a long persona " * 100


@pytest.fixture
def loaded(tiny_path):
    """Engines of the tiny model; settings may be changed."""

    def loaded(**changes):
        settings = {"context": 2048, "temperature": 0, "max_tokens": 8, "cache": "off", "parallel": 4} | changes
        return load(LocalSettings(path=str(tiny_path), **settings), read_metadata(tiny_path))

    return loaded


@pytest.fixture
def engine(loaded):
    return loaded()


def request(text, prefix=0, max_tokens=8, over=bool, **more):
    return Request(text=text, prefix=prefix, over=over, max_tokens=max_tokens, **more)


def answers(engine, *requests):
    """What becomes of requests that are made at the same time: a generation, or how it failed."""
    waiting = {number: engine.generate(request) for number, request in enumerate(requests)}
    ends = {}
    while waiting:
        for number, answering in tuple(waiting.items()):
            try:
                next(answering)
            except StopIteration as end:
                ends[number] = end.value
            except (DoesNotFit, OutOfTime) as error:
                ends[number] = type(error)
        waiting = {number: answering for number, answering in waiting.items() if number not in ends}
        engine.step()
    return [ends[number] for number in range(len(requests))]


def answer(engine, request):
    return answers(engine, request)[0]


def evaluated(engine):
    """The sizes of what is evaluated from now on: for each step a list of what its sequences gave to it."""
    steps = []
    decode = engine._context.decode

    def noting(parts, over):
        steps.append([len(tokens) for _, _, tokens in parts])
        return decode(parts, over)

    engine._context.decode = noting
    return steps


def test_confidence_is_the_geometric_mean_of_the_tokens_probabilities(engine):
    logs = []
    measure = engine._context.log_probability
    engine._context.log_probability = lambda *given: logs.append(measure(*given)) or logs[-1]
    generation = answer(engine, request("hello"))
    assert generation.confidence == pytest.approx(math.prod(map(math.exp, logs)) ** (1 / len(logs)))
    assert 0 < generation.confidence < 1
    assert generation.completion_tokens in {len(logs), len(logs) - 1}


@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_tokens_are_those_that_llama_cpp_chooses(loaded, tiny_path, temperature):
    sampling = {"temperature": temperature, "top_p": 0.9, "top_k": 7, "min_p": 0.05, "repeat_penalty": 1.3, "seed": 3}
    engine = loaded(**sampling)
    plain = llama_cpp.Llama(str(tiny_path), n_ctx=2048, n_batch=BATCH, n_threads=1, verbose=False)
    plain.set_seed(3)
    tokens = engine._tokens("hello")
    names = {"temp": temperature, "top_p": 0.9, "top_k": 7, "min_p": 0.05, "repeat_penalty": 1.3}
    theirs = itertools.takewhile(lambda token: token != plain.token_eos(), plain.generate(tokens, **names))
    chosen = b"".join(engine._context.piece(token) for token in itertools.islice(theirs, 64))
    assert answer(engine, request("hello", max_tokens=64)).text == chosen.decode("utf-8", "ignore").lstrip(" \t")


def test_guests_are_answered_at_once_and_as_if_alone(engine):
    texts = ["hello", "good evening", "a", "what is there to drink"]
    alone = [answer(engine, request(text)) for text in texts]
    steps = evaluated(engine)
    together = answers(engine, *map(request, texts))
    assert [one.text for one in together] == [one.text for one in alone]
    assert [one.confidence for one in together] == pytest.approx([one.confidence for one in alone], abs=1e-3)
    assert [1] * len(texts) in steps
    assert len(steps) < 12


def test_more_guests_than_sequences_take_their_turn(engine):
    together = answers(engine, *(request(f"guest {number}") for number in range(11)))
    assert [one.text for one in together] == [answer(engine, request(f"guest {number}")).text for number in range(11)]


def test_what_prompts_share_is_evaluated_once(engine):
    steps = evaluated(engine)
    answers(engine, *(request(f"{PERSONA}{number}", len(PERSONA)) for number in range(4)))
    assert sum(map(sum, steps)) < len(PERSONA) + 100
    steps.clear()
    answer(engine, request(PERSONA + "another"))
    assert sum(map(sum, steps)) < 30


def test_an_answer_of_several_attempts_reads_its_prompt_once(engine):
    steps = evaluated(engine)
    answers(engine, *(request("a word or two " * 20, attempt=number) for number in range(4)))
    assert sum(map(sum, steps)) < 280 + 100


def test_attempts_differ_by_their_seed(loaded):
    engine = loaded(temperature=2.0, seed=7)
    first, again, other = answers(engine, request("hello"), request("hello"), request("hello", attempt=1))
    assert first.text == again.text != other.text


def test_guests_whose_prompts_do_not_fit_beside_each_other_wait(loaded):
    engine = loaded(context=512, max_tokens=200)
    prompts = [request(f"{number} " + "x" * 300, max_tokens=200) for number in range(6)]
    steps = evaluated(engine)
    assert all(one.completion_tokens > 100 or one.finish_reason == "stop" for one in answers(engine, *prompts))
    assert max(map(len, steps)) < 4


def test_what_nobody_asks_for_again_gives_way(loaded):
    engine = loaded(context=512, max_tokens=8)
    for number in range(20):
        assert answer(engine, request(f"{number} " + "y" * 480)).completion_tokens


def test_a_guest_who_leaves_frees_the_sequence_and_ends_nobody_else(engine):
    left = []

    def text(_stream, _confidence):
        left.append(True)

    leaving = [request(str(n), max_tokens=1000, over=lambda: bool(left), on_text=text) for n in range(3)]
    *gone, stays = answers(engine, *leaving, request("stays", max_tokens=20))
    assert {one.finish_reason for one in gone} == {"deadline"}
    assert stays.text == answer(engine, request("stays", max_tokens=20)).text
    assert all(sequence.owner is None for sequence in engine._sequences)


def late_at_look(number):
    looks = itertools.count(1)
    return lambda: next(looks) >= number


def test_a_prompt_that_no_turn_has_time_for_is_read_over_many_turns(engine):
    attempts = 1
    # With the fortieth look at the clock the time is over; a chunk of any size takes some twenty-five.
    while answer(engine, request(PERSONA, over=late_at_look(40))) is OutOfTime:
        attempts += 1
    assert 1 < attempts < 200


def test_reading_ahead_keeps_the_persona_for_those_who_come(engine):
    steps = evaluated(engine)
    ahead = engine.prepare(request(PERSONA, len(PERSONA), max_tokens=0))
    while next(ahead, "done") is None:
        engine.step()
    assert sum(map(sum, steps)) > 1000
    steps.clear()
    answer(engine, request(PERSONA + "one", len(PERSONA)))
    assert sum(map(sum, steps)) < 30


def test_a_deadline_before_the_first_token(engine):
    assert answer(engine, request(PERSONA, over=lambda: True)) is OutOfTime
    assert answer(engine, request(PERSONA)).completion_tokens


def test_a_deadline_during_the_answer(engine):
    tokens = []
    late = request("hello", over=lambda: len(tokens) == 3, on_text=lambda *_: tokens.append(1))
    generation = answer(engine, late)
    assert (generation.finish_reason, generation.completion_tokens) == ("deadline", 3)
    assert generation.text


def test_a_failed_step_fails_the_answers_in_it_and_no_later_one(engine):
    answering = engine.generate(request("hello"))
    next(answering)
    decode, engine._context.decode = engine._context.decode, fail
    with pytest.raises(RuntimeError) as caught:
        engine.step()
    with pytest.raises(RuntimeError):
        answering.throw(caught.value)
    engine._context.decode = decode
    assert answer(engine, request("hello")).completion_tokens


def fail(*_):
    raise RuntimeError("llama_decode returned -3")


def test_a_prompt_that_leaves_no_room_for_the_answer(engine):
    assert answer(engine, request("hello", max_tokens=2045)) is DoesNotFit


def test_there_are_fewer_sequences_where_memory_is_short(tiny_path, monkeypatch):
    settings = LocalSettings(path=str(tiny_path), context=2048)
    wide = Context(settings, 8, 600)
    monkeypatch.setattr("engine.models.local.llama_context._free_memory", lambda: 0)
    narrow = Context(settings, 8, 600)
    assert (wide.sequences, wide.size) == (8, 2048 + 7 * 600)
    assert (narrow.sequences, narrow.size) == (1, 2048)


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
