from __future__ import annotations

import argparse
import io
import logging
import os
import select
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from engine.cli.output import LineHandler, LineWriter, output_file, watch_models, write_output


@pytest.mark.parametrize(
    ("name", "told"),
    [("", "is a folder: name a file"), ("file.txt/deep/a.html", "file.txt` is no folder")],
)
def test_a_file_that_cannot_be_written_is_told_before_the_work(tmp_path, name, told):
    (tmp_path / "file.txt").touch()
    with pytest.raises(argparse.ArgumentTypeError, match=told):
        output_file(str(tmp_path / name))


def test_folders_that_are_missing_are_made(tmp_path):
    path = output_file(str(tmp_path / "reports" / "junit.xml"))
    assert not path.parent.exists()
    write_output(path, "<あ file='\udcff'/>")
    assert path.read_text("utf-8") == "<あ file='\\udcff'/>"


@pytest.fixture
def pipe():
    """Both ends: a descriptor to read from, a stream to write to."""
    reading, writing = os.pipe()
    with io.TextIOWrapper(io.FileIO(writing, "w"), encoding="ascii") as stream:
        yield reading, stream


def read_up_to(reading: int, words: bytes) -> bytes:
    seen = b""
    while words not in seen:
        assert select.select([reading], [], [], 10)[0], "nothing more comes"
        seen += os.read(reading, 65536)
    return seen


def fill(writing: int) -> None:
    """Fills a pipe, so that whoever writes has to wait from the first line on."""
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, bytes(select.PIPE_BUF))
    os.set_blocking(writing, True)


def test_lines_arrive_in_order_and_what_the_encoding_lacks_is_escaped(pipe):
    reading, stream = pipe
    say = LineWriter(stream)
    for number in range(100):
        say(f"line {number}")
    say("美")
    say.finish(30)
    assert os.read(reading, 65536) == "".join(f"line {number}\n" for number in range(100)).encode() + b"\\u7f8e\n"
    os.close(reading)


def test_a_reader_who_does_not_read_holds_nobody_up_and_is_told_of_it(pipe):
    reading, stream = pipe
    fill(stream.fileno())
    say = LineWriter(stream, room=10)
    for _ in range(50):
        say("x")
    say.finish(0.0)
    seen = read_up_to(reading, b"left out")
    assert b"lines were left out, because nobody read them" in seen
    say("and on")
    assert read_up_to(reading, b"and on\n")
    os.close(reading)


def test_a_reader_who_goes_away_costs_the_lines_only(pipe):
    reading, stream = pipe
    os.close(reading)
    say = LineWriter(stream)
    for _ in range(100):
        say("x" * 10_000)
    say.finish(30)


def test_a_disk_without_room():
    with Path("/dev/full").open("w", encoding="utf-8") as stream:
        say = LineWriter(stream)
        say("x")
        say.finish(30)


def test_warnings_become_lines(pipe):
    reading, stream = pipe
    lines = LineWriter(stream)
    LineHandler(lines).emit(logging.makeLogRecord({"msg": "a %s", "args": ("session",)}))
    lines.finish(30)
    assert os.read(reading, 65536) == b"a session\n"
    os.close(reading)


def watched(*states: dict[str, tuple[str, str]]) -> list[str]:
    looks = iter(states)

    def health() -> dict:
        return {"models": {name: {"state": state, "detail": detail} for name, (state, detail) in next(looks).items()}}

    said: list[str] = []
    watch_models(health, threading.Event(), said.append, interval=0)
    return said


def test_each_state_is_said_once_until_nothing_loads():
    said = watched(
        {"small": ("loading", "a.gguf"), "openai": ("unavailable", "OPENAI_API_KEY is not set")},
        {"small": ("loading", "a.gguf"), "openai": ("unavailable", "OPENAI_API_KEY is not set")},
        {"small": ("ready", "a.gguf with llama.cpp"), "openai": ("unavailable", "OPENAI_API_KEY is not set")},
    )
    assert said[:2] == ["  model small is loading: a.gguf", "  model openai is unavailable: OPENAI_API_KEY is not set"]
    assert said[2].startswith("  model small is ready after ")
    assert len(said) == 3


def test_a_stop_ends_the_watch():
    stop = threading.Event()
    stop.set()
    said: list[str] = []
    watch_models(lambda: {"models": {"small": {"state": "loading", "detail": ""}}}, stop, said.append)
    assert said == ["  model small is loading"]
