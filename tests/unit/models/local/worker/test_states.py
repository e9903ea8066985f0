from __future__ import annotations

import contextlib
import os

import pytest

from engine.models.local.worker.states import StateStore, default_folders, scope_of

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


def plant(folder, name, data):
    """A whole state under a name that will be looked for."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)


@pytest.fixture
def whole(store):
    """The name and the bytes of a state, as whoever wants to plant one knows them."""
    store.keep(TOKENS, b"state")
    (path,) = store.folders[0].iterdir()
    return path.name, path.read_bytes()


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o707, 0o722, 0o1777])
def test_a_folder_in_which_others_may_write_is_not_read(tmp_path, whole, mode):
    folder = tmp_path / "open"
    plant(folder, *whole)
    folder.chmod(mode)
    assert StateStore((folder,), "scope").find(TOKENS) is None


@pytest.mark.parametrize("mode", [0o666, 0o664, 0o606])
def test_a_state_that_others_may_change_is_not_read(store, whole, mode):
    (store.folders[0] / whole[0]).chmod(mode)
    assert store.find(TOKENS) is None


def test_neither_a_link_to_a_folder_nor_one_to_a_state_is_followed(tmp_path, store, whole):
    link = tmp_path / "link"
    link.symlink_to(store.folders[0])
    assert StateStore((link,), "scope").find(TOKENS) is None
    assert not StateStore((link,), "scope").keep(TOKENS, b"state")
    state = store.folders[0] / whole[0]
    state.rename(tmp_path / "elsewhere")
    state.symlink_to(tmp_path / "elsewhere")
    assert store.find(TOKENS) is None


def test_a_pipe_under_the_name_of_a_state_is_not_waited_for(store, whole):
    (store.folders[0] / whole[0]).unlink()
    os.mkfifo(store.folders[0] / whole[0])
    assert store.find(TOKENS) is None


def test_a_folder_of_ours_that_a_mask_left_open_is_closed_before_it_is_used(tmp_path):
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    store = StateStore((folder,), "scope")
    assert store.keep(TOKENS, b"state")
    assert folder.stat().st_mode & 0o022 == 0
    assert store.find(TOKENS) == b"state"


AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for several users")
STRANGER, READER = 54321, 54322


@contextlib.contextmanager
def acting_as(user):
    """This process with the rights of that user."""
    os.setegid(user)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
def everyones(tmp_path_factory):
    """A folder like that for temporary files, which everyone may reach."""
    folder = tmp_path_factory.mktemp("everyones")
    for part in (folder, *folder.parents):
        if part.stat().st_uid == os.geteuid() and part.name.startswith(("pytest", "everyones")):
            part.chmod(0o1777 if part == folder else 0o755)
    return folder


@AS_ROOT
def test_a_state_that_another_user_planted_is_not_read(everyones, whole):
    folder = everyones / "states"
    with acting_as(STRANGER):
        plant(folder, *whole)
        assert StateStore((folder,), "scope").find(TOKENS) == b"state"
    for reader in (0, READER):
        with acting_as(reader):
            assert StateStore((folder,), "scope").find(TOKENS) is None
            assert not StateStore((folder,), "scope").keep(TOKENS, b"state")


@AS_ROOT
def test_a_state_that_another_user_planted_in_a_folder_of_ours_is_not_read(store, whole):
    os.chown(store.folders[0] / whole[0], STRANGER, STRANGER)
    assert store.find(TOKENS) is None


@AS_ROOT
def test_what_root_prepared_others_may_read(everyones):
    folder = everyones / "states"
    assert StateStore((folder,), "scope").keep(TOKENS, b"state")
    with acting_as(READER):
        assert StateStore((folder,), "scope").find(TOKENS) == b"state"
        assert not StateStore((folder,), "scope").keep([1], b"state")


@AS_ROOT
def test_the_owner_of_the_model_may_have_written(everyones):
    folder = everyones / "states"
    with acting_as(STRANGER):
        assert StateStore((folder,), "scope").keep(TOKENS, b"state")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert StateStore((folder,), "scope").find(TOKENS) is None
    assert StateStore((folder,), "scope", frozenset({STRANGER})).find(TOKENS) == b"state"
