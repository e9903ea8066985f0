from __future__ import annotations

import os

import pytest

from engine.backends.worker.states import StateStore, default_folders, scope_of

TOKENS = [2, 10, 20]


@pytest.fixture
def store(tmp_path):
    return StateStore((tmp_path / "states",), "scope")


def test_a_state_is_found_by_its_tokens(store):
    assert store.find(TOKENS) is None
    assert store.keep(TOKENS, b"state")
    assert store.find(TOKENS) == b"state"
    assert store.find([*TOKENS, 30]) is None


def test_another_scope_finds_nothing(store):
    store.keep(TOKENS, b"state")
    assert StateStore(store.folders, "other").find(TOKENS) is None


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data[:20] + b"X" + data[21:], lambda _: b""])
def test_a_damaged_state_is_not_found(store, damage):
    store.keep(TOKENS, b"a state of some length")
    (path,) = store.folders[0].iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert store.find(TOKENS) is None


def test_a_discarded_state_is_gone(store):
    store.keep(TOKENS, b"state")
    store.discard(TOKENS)
    assert store.find(TOKENS) is None


def test_one_process_keeps_only_a_few(store):
    kept = [store.keep([number], b"state") for number in range(5)]
    assert kept == [True, True, False, False, False]


def test_a_folder_keeps_only_the_newest(tmp_path):
    for number in range(12):
        store = StateStore((tmp_path,), "scope")
        store.keep([number], b"state")
        for age, path in enumerate(sorted(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)):
            os.utime(path, (1_000_000 - age, 1_000_000 - age))
    assert len(list(tmp_path.iterdir())) == 8


def test_where_nothing_can_be_written_the_next_folder_serves(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    store = StateStore((blocked / "states", tmp_path / "other"), "scope")
    assert store.keep(TOKENS, b"state")
    assert store.find(TOKENS) == b"state"


def test_nowhere_to_write_is_no_error(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert not StateStore((blocked,), "scope").keep(TOKENS, b"state")


def test_the_scope_follows_the_file_and_the_settings(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"model")
    other.write_bytes(b"modem")
    os.utime(one, (1, 1))
    before = scope_of(one, 2048)
    os.utime(one, (2, 2))
    assert scope_of(one, 2048) == before
    assert len({before, scope_of(one, 4096), scope_of(other, 2048)}) == 3


def test_folders(tmp_path):
    model = tmp_path / "model.gguf"
    assert default_folders(model, "off") == ()
    assert default_folders(model, str(tmp_path)) == (tmp_path,)
    assert default_folders(model, "")[0] == tmp_path / "model.gguf.states"
