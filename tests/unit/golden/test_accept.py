import io
from pathlib import Path

import pytest
from rich.console import Console

from engine.golden.accept import accept, rewrite
from engine.golden.report.console import show_accepted
from engine.golden.result import Difference
from engine.pipeline.schema.golden import load_golden
from tests.fakes.golden import GOLDEN, project
from tests.unit.golden.test_play import run

OLD_REPLY = "いらっしゃい。今夜も来てくれて嬉しいわ。"


def accepted(tmp_path: Path, golden: str) -> tuple[str, str, int]:
    """The file before and after, and how many differences were left."""
    path = project(tmp_path, golden)
    done = accept(run(path))
    return golden, path.read_text(encoding="utf-8"), len(done.left)


def test_what_is_met_stays_as_it_is(tmp_path):
    before, after, left = accepted(tmp_path, GOLDEN)
    assert (after, left) == (before, 0)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("expect: ちがう", f"expect: {OLD_REPLY}"),
        ("expect: 'ちがう'   # 注", f"expect: '{OLD_REPLY}'   # 注"),
        ('expect: "ちがう"', f'expect: "{OLD_REPLY}"'),
        ("expect: {reply: ちがう, engine: local}", f"expect: {{reply: {OLD_REPLY}, engine: canned}}"),
        ("expect: {engine: null, step: ask}", "expect: {engine: canned, step: canned}"),
        ("expect: {reply_id: greet_day, model: small}", "expect: {reply_id: greet_evening, model: null}"),
        ("expect: {escalations: [timeout]}", "expect: {escalations: []}"),
        ("expect: {one_of: [ちがう, そう]}", f"expect: {{one_of: [ちがう, そう, {OLD_REPLY}]}}"),
        (
            "expect: {similar: {to: まったく別の話, at_least: 90}}",
            f"expect: {{similar: {{to: {OLD_REPLY}, at_least: 90}}}}",
        ),
        ("expect: {remembers: {name: 健太, bottle: null}}", "expect: {remembers: {name: null, bottle: null}}"),
        (
            "expect:\n          remembers:   # 常連\n            name: 健太   # 誰\n            bottle: null",
            "expect:\n          remembers:   # 常連\n            name: null   # 誰\n            bottle: null",
        ),
        (
            "expect:\n          reply: >-   \n            あ\n            よ\n          # 注\n          engine: canned",
            f"expect:\n          reply: {OLD_REPLY}\n          # 注\n          engine: canned",
        ),
        (
            "expect:\n          one_of:\n          - ちがう   # 一つ目\n          # 終わり",
            f"expect:\n          one_of:\n          - ちがう   # 一つ目\n          - {OLD_REPLY}\n          # 終わり",
        ),
        ("expect: >-   # 注\n          あ\n          よ", f"expect: {OLD_REPLY}   # 注"),
        (
            "expect:\n          escalations:\n            - error\n            # 終わり\n      # 次の話",
            "expect:\n          escalations:\n              []\n            # 終わり\n      # 次の話",
        ),
        (
            "expect:\n          escalations:   # なぜ\n          - {step: talk, reason: error}\n          - error",
            "expect:\n          escalations:   # なぜ\n            []",
        ),
    ],
)
def test_only_the_expectation_changes(tmp_path, wrong, right):
    golden = GOLDEN.replace(f"expect: {OLD_REPLY}", wrong)
    _, after, left = accepted(tmp_path, golden)
    assert after == GOLDEN.replace(f"expect: {OLD_REPLY}", right)
    assert left == 0


def test_escalations_keep_the_form_they_are_written_in(tmp_path):
    scripted = "models:\n          large: {error: RateLimited}"
    golden = GOLDEN.replace(
        'models:\n          large: {says: "星は、遠い昔の光なのよ。", tokens: 9, seconds: 2s}', scripted
    )
    for wrong, right in (
        ("escalations: []", "escalations: [{step: ask, reason: error, model: large}]"),
        ("escalations: [timeout]", "escalations: [error]"),
        (
            "escalations:\n            - {reason: empty}",
            "escalations:\n            - {step: ask, reason: error, model: large}",
        ),
    ):
        _, after, _ = accepted(tmp_path, golden.replace("escalations: []", wrong))
        assert right in after
        assert "reply: null" in after


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (["timeout   # 一", "# 二", "empty   # 二つ目"], ["error   # 一"]),
        (["timeout   # 一", "# 二", "error   # 二つ目"], ["# 二", "error   # 二つ目"]),
        (["error   # 一", "# 二", "error   # 二つ目"], ["error   # 一"]),
        (["# 一", "timeout   # 二"], ["# 一", "error   # 二"]),
    ],
)
def test_items_of_a_list_keep_their_comments_and_so_does_what_follows_it(tmp_path, wrong, right):
    def golden(items: list[str]) -> str:
        shown = "".join(f"          {'' if item.startswith('#') else '- '}{item}\n" for item in items)
        return (
            GOLDEN.replace('{says: "星は、遠い昔の光なのよ。", tokens: 9, seconds: 2s}', "{error: RateLimited}")
            .replace("reply: 星は、遠い昔の光なのよ。", "reply: null")
            .replace("          engine: external\n          model: large\n", "")
            .replace("escalations: []\n", f"escalations:\n{shown}      # 終わり\n")
        )

    _, after, left = accepted(tmp_path, golden(wrong))
    assert (after, left) == (golden(right), 0)


def test_what_an_alias_repeats_is_not_said_to_be_beyond_any_value(tmp_path):
    golden = GOLDEN.replace(f"expect: {OLD_REPLY}", "expect: &same ちがう").replace(
        "        expect:\n          reply", "        expect:\n          one_of: [*same]\n          reply"
    )
    console = Console(file=io.StringIO(), width=200)
    show_accepted(accept(run(project(tmp_path, golden))), console)
    assert console.file.getvalue().count("is left for you: what it says is repeated elsewhere") == 2


def test_what_no_value_settles_is_left_for_a_person(tmp_path):
    expect = "expect: {contains: 果物, not_contains: 今夜, matches: ^あら}"
    golden = GOLDEN.replace(f"expect: {OLD_REPLY}", expect).replace(
        "        expect:\n          reply", "        expect:\n          latency: 1s\n          reply"
    )
    before, after, left = accepted(tmp_path, golden)
    assert (after, left) == (before, 4)


def test_an_alias_is_left_since_it_stands_for_several_turns(tmp_path):
    golden = GOLDEN.replace(f"expect: {OLD_REPLY}", "expect: &same ちがう").replace(
        "        expect:\n          reply", "        expect:\n          one_of: [*same]\n          reply"
    )
    before, after, left = accepted(tmp_path, golden)
    assert (after, left) == (before, 2)


def test_an_anchor_stays(tmp_path):
    _, after, _ = accepted(tmp_path, GOLDEN.replace(f"expect: {OLD_REPLY}", "expect: &here ちがう"))
    assert f"expect: &here {OLD_REPLY}\n" in after


def test_bytes_before_and_line_ends_stay(tmp_path):
    path = project(tmp_path)
    golden = GOLDEN.replace(f"expect: {OLD_REPLY}", "expect: ちがう 🍑").replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + golden.encode())
    accept(run(path))
    assert path.read_bytes() == b"\xef\xbb\xbf" + golden.replace("ちがう 🍑", OLD_REPLY).encode()


@pytest.mark.parametrize(
    "text",
    [
        "- で始まる",
        "a: b",
        "注 # なし",
        "yes",
        "12:30",
        "null",
        "二行\nよ",
        "{x}",
        "'引用'",
        '"引用"',
        "\\n",
        "🍑",
        "末尾:",
    ],
)
@pytest.mark.parametrize("form", ["expect: 旧", "expect: {reply: 旧}", "expect: '旧'", "expect: |-\n          旧"])
def test_any_text_can_be_accepted(tmp_path, text, form):
    path = project(tmp_path, GOLDEN.replace(f"expect: {OLD_REPLY}", form))
    golden, _ = load_golden(path)
    assert golden is not None
    (expectation,) = golden.conversations[0].turns[0].expect
    rewrite(path, [Difference(expectation=expectation, expected="", got="", value=text)])
    again, problems = load_golden(path)
    assert again is not None, problems
    assert again.conversations[0].turns[0].expect[0].value == text


def test_nobody_answering_is_accepted_for_a_bare_reply(tmp_path):
    golden = GOLDEN.replace("user: こんばんは", "user: 海の話")
    _, after, _ = accepted(tmp_path, golden)
    assert "        expect: {reply: null}\n" in after
