import pytest

from engine.pipeline.schema.golden import Fails, Says, cassette_path, load_golden
from tests.fakes.golden import GOLDEN


def load(tmp_path, text: str):
    path = tmp_path / "a.golden.yml"
    path.write_text(text, encoding="utf-8")
    return load_golden(path)


def problems_of(tmp_path, old: str, new: str) -> list[str]:
    assert old in GOLDEN
    golden, problems = load(tmp_path, GOLDEN.replace(old, new))
    assert golden is None
    return [f"{problem.code} {problem.message} | {problem.hint}" for problem in problems]


def test_what_the_file_says_once_holds_for_every_conversation(tmp_path):
    text = """\
version: 1
pipeline: a.yml
clock: "2026-11-20T19:30"
env: {USE_LOCAL_LLM: true, LOCAL_LLM_MAX_TOKENS: 64}
models: {small: recorded, large: unavailable}
conversations:
  - name: one
    turns: [{user: a}]
  - name: two
    session: seat
    clock: "2026-11-20 08:00"
    env: {USE_LOCAL_LLM: false}
    models: {large: {error: RateLimited, seconds: 300ms}}
    turns:
      - {user: a, models: {small: {says: b, tokens: 3}}}
      - {user: b, clock: "2026-11-20 09:00"}
      - {user: c}
"""
    golden, problems = load(tmp_path, text)
    assert problems == []
    one, two = golden.conversations
    assert (one.session, two.session) == ("golden", "seat")
    assert one.env == {"USE_LOCAL_LLM": "true", "LOCAL_LLM_MAX_TOKENS": "64"}
    assert two.env["USE_LOCAL_LLM"] == "false"
    assert one.turns[0].clock.isoformat() == "2026-11-20T19:30:00"
    assert [turn.clock.hour for turn in two.turns] == [8, 9, 9]
    failing = Fails(error="RateLimited", message="scripted", seconds=0.3)
    assert two.turns[0].models == {"small": Says(text="b", tokens=3), "large": failing}
    assert two.turns[1].models == {"small": "recorded", "large": failing}
    assert [name.value for name in golden.env_names] == ["USE_LOCAL_LLM", "LOCAL_LLM_MAX_TOKENS", "USE_LOCAL_LLM"]


def test_a_bare_text_expects_the_reply(tmp_path):
    golden, _ = load(tmp_path, GOLDEN)
    (expectation,) = golden.conversations[0].turns[0].expect
    assert (expectation.key, expectation.span.line) == ("reply", 10)


def test_the_cassette_lies_beside_the_golden(tmp_path):
    assert cassette_path(tmp_path / "a.golden.yml") == tmp_path / "a.cassette.yml"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("engine: external", "engine: extern", "did you mean `external`?"),
        ("engine: external", "engin: external", "did you mean `engine`?"),
        ("model: large", "reply_id: Greet", "write `greet`"),
        ('clock: "2026-11-20 19:30"', 'clock: "20.11.2026"', "expected a day and a time"),
        ('clock: "2026-11-20 19:30"', 'clock: "2026-02-30 19:30"', "there is no day `2026-02-30`"),
        ("seconds: 2s", "seconds: 2h", "expected a time such as `4s`"),
        ("{says: ", "{say: ", "did you mean `says`?"),
        ("tokens: 9, seconds: 2s", "error: RateLimited", "expected `says` or `error`, found both"),
        ('{says: "星は、遠い昔の光なのよ。", tokens: 9, seconds: 2s}', "[recorded]", "expected `recorded`"),
        ("escalations: []", "escalations: [{step: ask}]", "missing key `reason`"),
        ("escalations: []", "latency: soon", "expected a time such as `4s`"),
        ("version: 1", "version: 2", "expected `1`"),
        ("    turns:", "    env: {use_local_llm: true}\n    turns:", "expected a variable's name in capitals"),
    ],
)
def test_mistakes_are_told_in_the_editors_words(tmp_path, old, new, problem):
    found = problems_of(tmp_path, old, new)
    assert any(problem in one for one in found), found
    assert not any("NoneType" in one or "dict" in one for one in found)


def test_two_conversations_of_one_name_are_a_mistake(tmp_path):
    again = GOLDEN.split("conversations:\n")[1]
    golden, (problem,) = load(tmp_path, GOLDEN + again)
    assert golden is None
    assert problem.code == "P303"
    assert "already, on line 6" in problem.message


@pytest.mark.parametrize("written", ["2026/11/20 19:30", "2026年11月20日 19時30分", "2026.11.20 19:30"])
def test_a_day_in_another_form_is_told_what_to_write(tmp_path, written):
    (problem,) = problems_of(tmp_path, 'clock: "2026-11-20 19:30"', f"clock: {written}")
    assert problem.endswith('| write "2026-11-20 19:30"')
