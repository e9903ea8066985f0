"""An editor's commonest slips: each is told on its line, and gone once its remedy is followed to the letter."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.core.source import Problem
from engine.pipeline.reading.files import Sources
from engine.validation.load import load
from engine.validation.project import validate

PIPELINE = """\
version: 1
name: bar
locale: ja
timezone: Asia/Tokyo
persona:
  name: 舞
replies: [replies.yml]
steps:
  - {id: canned, kind: replies}
  - {id: closing, kind: say, reply: sorry}
"""
REPLIES = """\
replies:
  - id: greet
    match:
      - こんばんは
      - おじゃまします
    when: now.hour >= 17
    say:
      - いらっしゃい。
      - お疲れさま。
    counterexamples: [さようなら]
  - id: yama
    match:
      - contains: 山登り
    say: [山ねえ。]
  - id: sorry
    say: [ごめんなさいね。]
"""

# A line, what is typed there, the code, and the line as the remedy makes it: `None` where that is as in `REPLIES`.
STRUCTURE = [
    (2, "  - id：greet", "P101", None),
    (2, "  - id:　greet", "P101", None),
    (2, "  - id:\u00a0greet", "P101", None),
    (2, "  - id:greet", "P101", None),
    (2, "  -id: greet", "P101", None),
    (2, "  - id greet", "P101", None),
    (2, "  - id = greet", "P101", None),
    (2, "  -\u3000id: greet", "P101", None),
    (2, "  ー id: greet", "P101", None),
    (2, "  - ｉｄ：greet", "P101", None),
    (3, "    match：", "P101", "    match: "),
    (3, "    match", "P101", "    match: "),
    (3, "    match;", "P101", "    match: "),
    (3, "\u3000\u3000match:", "P102", None),
    (3, "  \u3000match:", "P102", None),
    (3, "\u00a0\u00a0\u00a0\u00a0match:", "P102", None),
    (3, "\tmatch:", "P102", None),
    (3, "     match:", "P101", None),
    (3, "    macth:", "P203", None),
    (3, "    ｍａｔｃｈ:", "P203", None),
    (3, "    // 挨拶\n    match:", "P101", "    # 挨拶\n    match:"),
    (3, "    ＃ 挨拶\n    match:", "P101", "    # 挨拶\n    match:"),
    (4, "      ー こんばんは", "P101", None),
    (4, "      -\tこんばんは", "P101", None),
    (5, "      -おじゃまします", "P101", None),
    (5, "      － おじゃまします", "P101", None),
    (5, "      ・おじゃまします", "P101", None),
    (5, "     - おじゃまします", "P101", None),
    (5, "       - おじゃまします", "P114", None),
    (5, "\u3000\u3000\u3000- おじゃまします", "P102", None),
    (5, "\t\t- おじゃまします", "P102", None),
    (7, "     say:", "P101", None),
    (7, "   say:", "P101", None),
    (7, "    say", "P101", "    say: "),
    (8, "      - @舞よ", "P101", '      - "@舞よ"'),
    (8, "      - %引きよ", "P101", '      - "%引きよ"'),
    (8, "      - `今夜`よ", "P101", '      - "`今夜`よ"'),
    (8, "      - !いらっしゃい", "P101", '      - "!いらっしゃい"'),
    (8, "      - &いらっしゃい", "P101", '      - "&いらっしゃい"'),
    (8, "      - *いらっしゃい*", "P101", '      - "*いらっしゃい*"'),
    (8, "      - {{ persona.name }}よ", "P101", '      - "{{ persona.name }}よ"'),
    (8, '      - "いらっしゃい。', "P101", '      - "いらっしゃい。"'),
    (8, "      - 'いらっしゃい。", "P101", "      - 'いらっしゃい。'"),
    (8, '      - "彼は"はい"と言った。"', "P101", '      - \'"彼は"はい"と言った。"\''),
    (8, "      - 'It's me'", "P101", "      - \"'It's me'\""),
    (8, "      - 営業: 7時から", "P203", '      - "営業: 7時から"'),
    (8, "      - 営業: 朝: 7時から", "P101", '      - "営業: 朝: 7時から"'),
    (8, "      - 今夜は #カラオケ", "P115", '      - "今夜は #カラオケ"'),
    (8, "      - 12:30", "P110", '      - "12:30"'),
    (8, "      - 0120", "P110", '      - "0120"'),
    (8, "      - no", "P110", '      - "no"'),
    (10, "    counterexamples：[さようなら]", "P101", None),
    (10, "     counterexamples: [さようなら]", "P101", None),
    (10, "    counterexamples: [さようなら］", "P101", None),
    (10, "    counterexamples: ［さようなら］", "P202", None),
    (10, "    counterexamples [さようなら]", "P101", None),
    (10, '    counterexamples: ["さようなら”]', "P101", '    counterexamples: ["さようなら"]'),
    (11, "  - id：yama", "P101", None),
    (11, "   - id: yama", "P101", None),
    (11, "  － id: yama", "P101", None),
]
SILENT = [
    (13, "      - contains：山登り", "P116", None),
    (13, "      - contains:山登り", "P116", None),
    (13, "      - contains 山登り", "P116", None),
    (13, "      - contains = 山登り", "P116", None),
    (13, "      - contains:\u3000山登り", "P116", None),
    (13, "      - contains　：山登り", "P116", None),
    (4, "      - “こんばんは”", "P116", None),
    (4, "      - ‘こんばんは’", "P116", None),
    (4, "      - 「こんばんは」", "P116", None),
    (4, "      - ＂こんばんは＂", "P116", None),
    (8, "      - “いらっしゃい。”", "P116", None),
    (8, '      - いらっしゃい。"', "P116", None),
    (8, "      - いらっしゃい。 ＃ 挨拶", "P116", "      - いらっしゃい。 # 挨拶"),
    (4, "      - こんばんは ＃挨拶", "P116", "      - こんばんは # 挨拶"),
    (10, "    counterexamples: [さようなら、おやすみ]", "P116", "    counterexamples: [さようなら, おやすみ]"),
    (10, "    counterexamples: [さようなら，おやすみ]", "P116", "    counterexamples: [さようなら, おやすみ]"),
    (4, "      - こんばんは|おばんです", "P117", "      - こんばんは\n      - おばんです"),
    (4, "      - '[東京](city)です'", "P117", "      - 東京です"),
    (4, "      - '{name}です'", "P117", "      - regex: '.+です'"),
    (4, "      - 私は{name}です", "P117", "      - regex: 私は.+です"),
    (4, "      - 'こんばんは*'", "P117", "      - contains: こんばんは"),
    (4, "      - '* こんばんは *'", "P117", "      - contains: こんばんは"),
    (4, "      - <star>こんばんは", "P117", "      - contains: こんばんは"),
    (4, "      - (どうも|やあ)こんばんは", "P117", "      - どうもこんばんは\n      - やあこんばんは"),
    (4, "      - こんばんは[ね]", "P117", "      - こんばんはね\n      - こんばんは"),
    (4, "      - こんばん.*", "P117", "      - regex: 'こんばん.*'"),
    (4, "      - regex: /こんばん[はわ]/", "P117", "      - regex: こんばん[はわ]"),
    (4, "      - 山", "P510", "      - 山がいい"),
    (4, "      - 山", "P510", '      - "山"'),
    (6, "    when: now >= '17:00'", "P410", None),
    (6, "    when: turn > 1", "P410", "    when: turn.number > 1"),
    (6, "    when: turn.number > '1'", "P410", "    when: turn.number > 1"),
    (6, "    when: session == 3", "P410", "    when: session.turns == 3"),
    (6, "    when: client == '太郎'", "P410", "    when: client.name == '太郎'"),
    (6, "    when: text > 5", "P410", "    when: len(text) > 5"),
    (6, "    when: client.vip and now.hour >= '17'", "P410", "    when: client.vip and now.hour >= 17"),
    (6, "    when: now.hour >= '17'", "P509", None),
    (6, "    when: now.weekday == '金'", "P509", "    when: now.weekday == 4"),
]
CONDITIONS = [
    ("user.vip", "P402", "client.vip"),
    ("'{{ now.hour >= 17 }}'", "P401", "now.hour >= 17"),
    ("{{ now.hour >= 17 }}", "P101", "now.hour >= 17"),
    ("{% if now.hour >= 17 %}", "P101", "now.hour >= 17"),
    ("now.hour >= 17 & now.hour < 20", "P401", "now.hour >= 17 and now.hour < 20"),
    ("now.hour >= 17 && now.hour < 20", "P401", "now.hour >= 17 and now.hour < 20"),
    ("now.hour >= 17 || now.hour < 2", "P401", "now.hour >= 17 or now.hour < 2"),
    ("now.hour >= 17 | now.hour < 2", "P401", "now.hour >= 17 or now.hour < 2"),
    ("!client.regular", "P101", "not client.regular"),
    ("'!client.regular'", "P401", "'not client.regular'"),
    ("now.hour >= 17 and !client.vip", "P401", "now.hour >= 17 and not client.vip"),
    ("now.hour = 17", "P401", "now.hour == 17"),
    ("now.hour === 17", "P401", "now.hour == 17"),
    ("now.hour <> 17", "P401", "now.hour != 17"),
    ("now.hour => 17", "P401", "now.hour >= 17"),
    ("now.hour ≧ 17", "P401", "now.hour >= 17"),
    ("now.hour ＞＝ 17", "P401", "now.hour >= 17"),
    ("now.hour: 17", "P101", "now.hour == 17"),
    ("now.hour >= 17 かつ now.hour < 20", "P401", "now.hour >= 17 and now.hour < 20"),
]
REGEXES = [
    ("'山(?=川)'", "'山(?:川)'"),
    ("'(?<=川)山'", "'(?:川)山'"),
    ("'(?>山)'", "'(?:山)'"),
    ("'山++'", "'山+'"),
    (r"'山\Z'", "'山$'"),
    ("'山＊川'", "'山*川'"),
    ("'１７時'", "'17時'"),
    (r"'＼d人'", r"'\d人'"),
    ("'（山|川）'", "'(山|川)'"),
    ("'ﾔﾏ'", "'ヤマ'"),
    (r"'¥d人'", r"'\d人'"),
    ("'*山'", "'.*山'"),
    ("'(山'", r"'\(山'"),
    ("'山[あ'", r"'山\[あ'"),
]


def found(folder: Path, replies: str) -> Sequence[Problem]:
    (folder / "pipeline.yml").write_text(PIPELINE, "utf-8")
    (folder / "replies.yml").write_text(replies, "utf-8")
    return validate([folder], Sources()).problems


def typed(line: int, text: str) -> str:
    lines = REPLIES.split("\n")
    lines[line - 1] = text
    return "\n".join(lines)


def test_what_the_slips_are_made_in_is_right(tmp_path):
    assert found(tmp_path, REPLIES) == ()


@pytest.mark.parametrize(("line", "slip", "code", "mended"), STRUCTURE, ids=lambda value: str(value)[:30])
def test_the_parser_stumbles_over_a_slip(tmp_path, line, slip, code, mended):
    problem = found(tmp_path, typed(line, slip))[0]
    assert (problem.code, problem.span.line) == (code, line)
    assert problem.hint
    assert found(tmp_path, REPLIES if mended is None else typed(line, mended)) == ()


@pytest.mark.parametrize(("line", "slip", "code", "mended"), SILENT, ids=lambda value: str(value)[:30])
def test_yaml_says_nothing_of_a_slip(tmp_path, line, slip, code, mended):
    problem = next(one for one in found(tmp_path, typed(line, slip)) if one.code == code)
    assert problem.span.line == line
    assert problem.severity == "error" if code == "P509" else problem.severity == "warning"
    assert problem.hint
    assert found(tmp_path, REPLIES if mended is None else typed(line, mended)) == ()


@pytest.mark.parametrize(("slip", "code", "mended"), CONDITIONS)
def test_a_condition_in_the_words_of_other_languages(tmp_path, slip, code, mended):
    [problem] = found(tmp_path, typed(6, f"    when: {slip}"))
    assert (problem.code, problem.span.line) == (code, 6)
    assert problem.hint
    assert found(tmp_path, typed(6, f"    when: {mended}")) == ()


@pytest.mark.parametrize(("slip", "mended"), REGEXES)
def test_a_regex_in_the_words_of_other_languages(tmp_path, slip, mended):
    [problem] = found(tmp_path, typed(4, f"      - regex: {slip}"))
    assert (problem.code, problem.span.line) == ("P406", 4)
    assert problem.hint
    assert found(tmp_path, typed(4, f"      - regex: {mended}")) == ()


@pytest.mark.parametrize(
    ("line", "slip", "hint"),
    [
        (2, "  - id：greet", "write `id: `"),
        (3, "     match:", "indent it by 4 spaces, in line with `id` on line 2"),
        (7, "     say:", "indent it by 4 spaces, in line with `when` on line 6"),
        (10, "     counterexamples: [さようなら]", "indent it by 4 spaces, in line with `say` on line 7"),
        (8, "      - @舞よ", 'write "@舞よ"'),
        (8, '      - %"引き"よ', "write '%\"引き\"よ'"),
        (6, "    when: user.vip", "did you mean `client.vip`?"),
        (6, "    when: user == '太郎'", "did you mean `visitor.name`?"),
        (6, "    when: client.plan == gold", "put a text in quotes: `'gold'`"),
        (6, "    when: now.hour >= １７", "write `17` instead of `１７`"),
        (8, "      - '{{user}}さん'", "did you mean `visitor.name`?"),
        (8, "      - '{{char}}よ'", "did you mean `persona.name`?"),
        (8, "      - '{{ persona.name }よ'", "close each `{{` with `}}`"),
        (6, "    priority: 高い", "write a number in digits"),
        (4, "      - /こん(ばん|にち)は/", "write `regex: ` and what stands between the `/`, in single quotes"),
        (8, "      - '{{ user.name }}さん'", "did you mean `client.name`?"),
        (6, "    when: !client.regular", "write `not client.regular`"),
        (4, "      - “こんばんは”", "write こんばんは alone, or '“こんばんは”' when they are meant"),
    ],
)
def test_a_remedy_names_what_to_write(tmp_path, line, slip, hint):
    assert found(tmp_path, typed(line, slip))[0].hint == hint


@pytest.mark.parametrize(
    "text",
    [
        "(^_^)/",
        "(*^_^*)",
        "(´・ω・`)",
        "'「こんばんは」'",
        '"contains：山"',
        "こんばんは！",
        "お元気？",
        "ねえ、ママ",
        "No.1だね",
        "C#が好き",
        "1+1は",
        "100%だよ",
        "A&B",
        "<3",
        "（笑）",
        "やった(笑)",
        "「はい」と言った「人」は誰",
    ],
)
def test_what_is_meant_is_left_alone(tmp_path, text):
    quiet = found(tmp_path, typed(4, f"      - {text}"))
    assert [problem.code for problem in quiet if problem.code in ("P116", "P117", "P510")] == []


@pytest.mark.parametrize("begun", ["", "# まだ何も\n", "\n\n", "   \n# a\n\n# b\n", "\ufeff# a\n"])
def test_a_file_that_is_only_begun_keeps_nothing_from_loading(tmp_path, begun):
    (tmp_path / "pipeline.yml").write_text(PIPELINE.replace("replies.yml", "'*.replies.yml'"), "utf-8")
    (tmp_path / "a.replies.yml").write_text(REPLIES, "utf-8")
    (tmp_path / "b.replies.yml").write_text(begun, "utf-8")
    assert len(load(tmp_path / "pipeline.yml", {}).replies) == 3
    [problem] = validate([tmp_path], Sources()).problems
    assert (problem.code, problem.severity, Path(problem.span.file).name) == ("P112", "warning", "b.replies.yml")


@pytest.mark.parametrize(
    "line",
    [
        "greeting: '{{user}}が来た'",
        "scenario: '{{char}}の店'",
        "about: 'I am {{char}}.'",
        "note: '{% if x %}'",
        "first: '<START>'",
        "style: {tone: '{{char}} speaks'}",
        "lines: ['{{user}}: やあ']",
        "more: 'a {char} b'",
        "more: |\n    {{char}}は笑う",
        "more: '<BOT>です'",
    ],
)
def test_placeholders_of_other_tools_in_the_data_of_the_persona(tmp_path, line):
    (tmp_path / "replies.yml").write_text(REPLIES, "utf-8")
    (tmp_path / "pipeline.yml").write_text(PIPELINE.replace("name: 舞", f"name: 舞\n  {line}"), "utf-8")
    [problem] = validate([tmp_path], Sources()).problems
    assert (problem.code, problem.severity, problem.hint) == ("P409", "warning", "write the words themselves")
    assert problem.span.line == (8 if "|" in line else 7)
