import json

import pytest

from benchmarks.guests import main, table


def write(path, rows):
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n", encoding="utf-8")
    return path


ROWS = [
    {"id": "a", "lang": "ja", "turn": 1, "input": "やあ", "status": 200, "reply": "いらっしゃい。", "engine": "canned"},
    {
        "id": "a",
        "lang": "ja",
        "turn": 2,
        "input": "で？",
        "status": 503,
        "reply": None,
        "engine": None,
        "error": "none",
    },
    {"id": "b", "lang": "en", "turn": 1, "input": "hi", "status": 200, "reply": "Hello.", "engine": "canned"},
]


def test_readers_are_averaged_and_groups_stand_apart(tmp_path, capsys):
    out = write(tmp_path / "out.jsonl", ROWS)
    one = [{"id": "a", "turn": 1, "score": 2}, {"id": "a", "turn": 2, "score": 0, "follow_up": True}]
    other = [{"id": "a", "turn": 1, "score": 1}, {"id": "b", "turn": 1, "score": 2}]
    readers = [write(tmp_path / "1.jsonl", one), write(tmp_path / "2.jsonl", other)]
    assert main(["table", str(out), *map(str, readers)]) == 0
    shown = capsys.readouterr().out
    assert "3 of 3 turns judged, by 2 readers" in shown
    assert "| all | 3 | 1.17 | 33% | 33% | 33% | 33% |" in shown
    assert "| lang: en | 1 | 2.00 | 100% | 0% | 0% | 0% |" in shown
    assert "| follow-ups | 1 | 0.00 | 0% | 0% | 100% | 100% |" in shown
    assert "differ by a whole point on 33%" in shown
    assert shown.index("`a.2` で？ → none") < shown.index("`a.1` やあ → いらっしゃい。")


def test_a_table_without_judgements_is_refused():
    with pytest.raises(SystemExit, match="judged"):
        list(table(ROWS, {}))
