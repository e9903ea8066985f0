import pytest

from engine.matching.clauses import clauses, content
from engine.matching.normalise import fold


def said(text):
    parts = clauses(fold(text))
    return [[chunk.written for chunk in content(part, alone=len(parts) == 1)[0]] for part in parts]


@pytest.mark.parametrize(
    "text",
    [
        "えっと、席を予約したい",
        "あのー席を予約したい",
        "すみません、席を予約したいんですけど",
        "お世話になっております。席を予約したいのですが",
        "急ぎなんですが、席を予約したいです",
        "ママ、席を予約したいな",
        "なんかさ、席の予約したい",
    ],
)
def test_fillers_openers_and_calls_are_left_out(text):
    assert said(text) == [["席", "予約"]]


def test_a_filler_alone_is_what_is_said():
    assert said("すみません") == [["すみ"]]
    assert len(said("えっと、あの")) == 2


@pytest.mark.parametrize("text", ["使えないんですけど、マイクが", "使えないんですけどマイクが"])
def test_a_clause_ends_at_a_pause_or_before_a_noun_it_does_not_describe(text):
    assert said(text) == [["使え"], ["まいく"]]


@pytest.mark.parametrize(
    ("text", "chunks"),
    [
        ("経費精算の締切", ["経費精算", "締切"]),
        ("画面が固まった", ["画面", "固ま"]),
        ("カラオケできる？", ["からおけ", "で"]),
        ("出身どこ？", ["出身", "どこ"]),
        ("お水をください", ["水"]),
        ("ちょっと席を予約したい", ["席", "予約"]),
        ("もうちょっと席を予約したい", ["席", "予約"]),
        ("ちょっと", ["ちょっと"]),
        ("御予約をください", ["予約"]),
        ("御", ["御"]),
        ("降ってきた", ["降って"]),
        ("3番テーブル", ["3", "番", "てぶる"]),
        ("where is the toilet", ["where", "toilet"]),
        ("this is it", ["this", "is", "it"]),
        ("平気平気", ["平気"]),
    ],
)
def test_chunks_come_from_script_particles_and_endings(text, chunks):
    assert [written for part in said(text) for written in part] == chunks


def test_katakana_is_never_an_ending():
    assert said("マスター") == [["ますた"]]
    assert said("コーヒーです") == [["こひ"]]


def test_a_foreign_word_is_also_kept_by_its_consonants():
    chunks, _ = content("プリンタが動かない", alone=True)
    assert [chunk.borrowed for chunk in chunks] == ["pr", "動"]


def test_a_compound_half_in_latin_letters_has_the_consonants_of_its_whole():
    halves = [content(text, alone=True)[0] for text in ("passwordリセット", "パスワードリセット")]
    assert len({"".join(chunk.borrowed for chunk in chunks) for chunks in halves}) == 1
