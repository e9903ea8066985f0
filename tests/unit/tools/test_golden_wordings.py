from tests.fakes.golden import project
from tests.unit.golden.test_play import run
from tools.golden_wordings import main


def test_every_reply_gets_a_golden_that_passes(tmp_path):
    project(tmp_path)
    assert main([str(tmp_path / "pipelines" / "bar.yml"), str(tmp_path / "golden" / "wordings")]) == 0
    found = run(tmp_path / "golden" / "wordings" / "bar.golden.yml")
    assert [(one.spec.name.value, one.status) for one in found] == [
        ("greet_evening", "passed"),
        ("greet_day", "passed"),
    ]


def test_a_pipeline_with_mistakes_is_told_with_them(tmp_path, capsys):
    assert main([str(tmp_path / "nowhere.yml"), str(tmp_path)]) == 1
    assert "nowhere.yml:1:1: error P104" in capsys.readouterr().err
