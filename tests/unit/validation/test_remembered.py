"""What was found to be right is not looked at again, until something that matters to it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.validation.remembered import MANY, run_remembered

WRITTEN = Path(".cache") / "checked"


def replies(*more):
    numbered = (f"{{id: r{number}, match: [{number}番の席を予約したい], say: [x]}}" for number in range(MANY))
    return (*numbered, *more)


def test_what_was_right_is_not_looked_at_again(subject):
    assert run_remembered(subject(*replies())) == []
    again = subject(*replies())
    assert run_remembered(again) == []
    assert "index" not in vars(again)


@pytest.mark.parametrize(
    "more",
    [
        "{id: other, match: [5番の席を予約したい], say: [x]}",
        "{id: other, match: [また来るよ], say: [x], examples: [5番の席を予約したい]}",
        "{id: other, match: [また来るよ], say: [x], counterexamples: [また来るよ]}",
        "{id: other, match: [あ], say: [x]}",
    ],
)
def test_a_mistake_that_comes_later_is_found(subject, more):
    run_remembered(subject(*replies("{id: other, match: [また来るよ, 'あ'], say: [x]}")))
    for _ in range(2):
        assert len(run_remembered(subject(*replies(more)))) == 1


def test_another_kind_of_trigger_is_looked_at(subject):
    assert run_remembered(subject(*replies("{id: other, match: [席を予約したい], say: [x]}"))) == []
    assert run_remembered(subject(*replies("{id: other, match: [{contains: 席を予約したい}], say: [x]}"))) != []


def test_other_words_of_a_reply_make_no_difference(subject):
    run_remembered(subject(*replies("{id: other, match: [また来るよ], say: [x]}")))
    again = subject(*replies("{id: other, match: [また来るよ], say: [またね。]}"))
    assert run_remembered(again) == []
    assert "index" not in vars(again)


@pytest.mark.parametrize("spoilt", [b"", b"\xff\xfe", b"0" * 64])
def test_a_damaged_file_is_written_anew(subject, spoilt):
    run_remembered(subject(*replies()))
    right = WRITTEN.read_bytes()
    WRITTEN.write_bytes(spoilt)
    assert run_remembered(subject(*replies())) == []
    assert right.split()[-1] in WRITTEN.read_bytes().split()


def test_where_nothing_can_be_written_everything_is_checked(subject):
    made = subject(*replies("{id: other, match: [5番の席を予約したい], say: [x]}"))
    WRITTEN.parent.write_text("a file where the folder would be", "utf-8")
    assert len(run_remembered(made)) == 1
    assert run_remembered(subject(*replies())) == []


def test_a_small_pipeline_leaves_no_file(subject):
    assert run_remembered(subject("{id: a, match: [また来るよ], say: [x]}")) == []
    assert not WRITTEN.parent.exists()
