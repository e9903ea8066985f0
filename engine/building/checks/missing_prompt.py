"""P308: the file that `prompt` names cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.building.checks.subject import PromptFile, Subject
from engine.model.source import Problem
from engine.schema.suggest import nearest


def check(subject: Subject) -> Iterator[Problem]:
    for prompt in subject.prompts.values():
        for problem in prompt.problems:
            if problem.code == "P104":
                message = problem.message.replace("file cannot", f"prompt `{prompt.path.value}` cannot")
                yield Problem(code="P308", message=message, span=prompt.path.span, hint=_hint(prompt))
            else:
                yield problem


def _hint(prompt: PromptFile) -> str:
    file = Path(prompt.file)
    try:
        beside = sorted(entry.name for entry in file.parent.iterdir() if entry.is_file())
    except OSError:
        beside = []
    close = nearest(file.name, beside)
    if close is None:
        return f"it is looked for at `{file.as_posix()}`"
    return f"did you mean `{(Path(prompt.path.value).parent / close).as_posix()}`?"
