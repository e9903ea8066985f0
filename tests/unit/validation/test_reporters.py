from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from rich.cells import cell_len

from engine.core.language import phrase
from engine.core.source import Problem, Span
from engine.pipeline.reading.files import Sources
from engine.validation import reporters
from engine.validation.codes import CODES, page
from engine.validation.reporters import text
from engine.validation.reporters.report import Report, to_github, to_json, to_sarif

SARIF = Path(__file__).parent.parent.parent / "data" / "sarif-2.1.0.schema.json"


def span(file, line, column, end_column, end_line=None):
    return Span(file=file, line=line, column=column, end_line=end_line or line, end_column=end_column)


def problem(place, **changes):
    return Problem(**{"code": "P203", "message": "unknown key `cutof`", "span": place, "hint": "say it", **changes})


def report(*problems):
    return Report(problems=problems, files=2, replies=1, seconds=0.1234)


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """Renders one problem in a file of one line."""
    monkeypatch.chdir(tmp_path)

    def render(line, place, **changes):
        Path("a.yml").write_text(line + "\n", "utf-8")
        return text.render(report(problem(place, **changes)), Sources()).split("\n")

    return render


def test_place_line_caret_and_hint(shown):
    assert shown("      cutof: 80", span("a.yml", 1, 7, 12)) == [
        "a.yml:1:7: error P203 unknown key `cutof`",
        "    1 |       cutof: 80",
        "      |       ^^^^^ say it",
        "",
        "1 error in 2 files with 1 reply, 0.12 s",
        "",
    ]


@pytest.mark.parametrize(
    ("line", "columns", "before", "under"),
    [
        ("あいcutof", (3, 8), 4, 5),
        ("ｱｲcutof", (3, 8), 2, 5),
        ("e\u0301cutof", (3, 8), 1, 5),
        ("cutofあ: x", (1, 7), 0, 7),
        ("🍶 cutof", (3, 8), 3, 5),
        ("\tcutof", (2, 7), 4, 5),
    ],
)
def test_the_caret_stands_under_the_words_however_wide_they_are(shown, line, columns, before, under):
    source, caret = shown(line, span("a.yml", 1, *columns))[1:3]
    assert caret == "      | " + " " * before + "^" * under + " say it"
    assert cell_len(source.split("cutof")[0]) == 8 + before


def test_a_long_line_is_cut_around_the_caret(shown):
    line = "あ" * 300 + "cutof" + "い" * 300
    _, source, caret, *_ = shown(line, span("a.yml", 1, 301, 306))
    assert cell_len(source) <= text.WIDEST + 8
    assert source[8] == "…"
    assert source.endswith("…")
    assert cell_len(source.split("cutof")[0]) == caret.index("^")


def test_characters_that_would_move_the_cursor_are_replaced(shown):
    source = shown("x: \u202e\u001b[31mcutof", span("a.yml", 1, 10, 15))[1]
    assert "\u202e" not in source
    assert "\x1b" not in source


def test_a_secret_is_covered(shown):
    key = "sk-" + "a1" * 12
    assert key not in "\n".join(shown(f"path: {key}", span("a.yml", 1, 7, 7 + len(key))))


def test_an_empty_place_still_has_a_caret(shown):
    assert "| ^ say it" in shown("a:", span("a.yml", 1, 1, 1))[2]


def test_a_span_of_several_lines_is_shown_to_the_end_of_its_first(shown):
    assert shown("say: |", span("a.yml", 1, 6, 3, end_line=3))[2] == "      |      ^ say it"


def test_a_file_that_cannot_be_shown_keeps_its_hint(shown):
    assert shown("x", span("gone.yml", 4, 1, 2)) == [
        "gone.yml:4:1: error P203 unknown key `cutof`",
        "      | say it",
        "",
        "1 error in 2 files with 1 reply, 0.12 s",
        "",
    ]


def test_colour_only_where_it_is_asked_for(tmp_path):
    found = report(problem(span(str(tmp_path / "a"), 1, 1, 2)))
    assert "\x1b" not in text.render(found, Sources())
    assert "\x1b[1;31merror\x1b[0m" in text.render(found, Sources(), colour=True)


def test_the_summary_counts():
    warning = problem(span("a", 1, 1, 2), severity="warning")
    assert text.render(report(), Sources()) == "no problems in 2 files with 1 reply, 0.12 s\n"
    assert "\n2 warnings in" in text.render(report(warning, warning), Sources())


def test_json_holds_every_field():
    found = json.loads(to_json(report(problem(span("あ.yml", 1, 2, 3)))))
    assert (found["errors"], found["warnings"], found["files"]) == (1, 0, 2)
    assert found["problems"][0] == {
        "file": "あ.yml",
        "line": 1,
        "column": 2,
        "end_line": 1,
        "end_column": 3,
        "severity": "error",
        "code": "P203",
        "message": "unknown key `cutof`",
        "hint": "say it",
    }


def test_github_annotates_the_right_line():
    place = span("a,b:c.yml", 3, 5, 10)
    assert to_github(report(problem(place, message="100 %\nsure"))) == (
        "::error file=a%2Cb%3Ac.yml,line=3,col=5,title=P203,endLine=3,endColumn=9::100 %25%0Asure: say it\n"
    )


def test_sarif_passes_its_schema():
    problems = [
        problem(span("replies/ご 挨拶.yml", 1, 2, 3)),
        problem(span("b.yml", 4, 1, 1, end_line=6), code="P501", severity="warning", hint=""),
    ]
    log = json.loads(to_sarif(report(*problems)))
    jsonschema.Draft4Validator(json.loads(SARIF.read_text("utf-8"))).validate(log)
    (run,) = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["P203", "P501"]
    assert [result["ruleIndex"] for result in run["results"]] == [0, 1]
    location = run["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "replies/%E3%81%94%20%E6%8C%A8%E6%8B%B6.yml"
    assert location["region"] == {"startLine": 1, "startColumn": 2, "endLine": 1, "endColumn": 3}


def test_no_problem_is_valid_sarif_too():
    log = json.loads(to_sarif(report()))
    jsonschema.Draft4Validator(json.loads(SARIF.read_text("utf-8"))).validate(log)


def test_titles_and_pages_are_plain():
    for code, row in CODES.items():
        assert not row.title.endswith(".")
        assert "## What to do" in page(code)
        assert row.heuristic == (
            "may be wrong" in page(code) or "is a guess" in page(code) or "can deceive" in page(code)
        )


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_its_page_in_japanese(code):
    """With as many paragraphs as the English one."""
    english, japanese = page(code), page(code, "ja")
    assert re.match(f"# {code}: .*[ぁ-んァ-ヶ一-龠]", japanese)
    assert japanese.count("\n## 直し方\n\n") == 1
    assert japanese.count("\n\n") == english.count("\n\n")
    assert CODES[code].heuristic <= bool(re.search("推測|こともあ", japanese))


def test_japanese_pages_have_no_others():
    folder = Path(reporters.__file__).parents[1] / "pages" / "ja"
    assert {path.stem for path in folder.iterdir()} == set(CODES)


def test_the_report_speaks_japanese(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.yml").write_text("  cutof: 80\n", "utf-8")
    unknown = phrase("unknown key `{key}`{context}", key="cutof", context=phrase(" in {where}", where="`steps`"))
    found = report(
        problem(span("a.yml", 1, 3, 8), message=unknown, hint=phrase("did you mean `{close}`?", close="cutoff")),
        problem(span("b.yml", 1, 1, 1), severity="warning", code="P112"),
    )
    assert text.render(found, Sources(), language="ja").split("\n") == [
        "a.yml:1:3: エラー P203 知らないキー `cutof` です（`steps`）",
        "    1 |   cutof: 80",
        "      |   ^^^^^ `cutoff` の間違いではありませんか",
        "",
        # What is no phrase stays as it is.
        "b.yml:1:1: 警告 P112 unknown key `cutof`",
        "      | say it",
        "",
        "エラー 1 件、警告 1 件（2 ファイル、返事 1 件、0.12 秒）",
        "意味と直し方: misaki validate --lang ja --explain P112,P203",
        "",
    ]
    assert text.render(report(), Sources(), language="ja") == "問題はありません（2 ファイル、返事 1 件、0.12 秒）\n"


def test_an_unknown_code_has_no_page():
    with pytest.raises(KeyError):
        page("P999")
