"""P308: the file that `prompt` names cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.core.source import Code, Problem
from engine.pipeline.schema.advice import nearest
from engine.pipeline.schema.mend import STAND_IN
from engine.validation.subject import PromptFile, Subject

P308 = Code("P308", "a prompt that cannot be read")


def check(subject: Subject) -> Iterator[Problem]:
    for prompt in subject.prompts.values():
        for problem in prompt.problems if prompt.path.value != STAND_IN else ():
            if problem.code == "P104":
                message = problem.message.replace("file cannot", f"prompt `{prompt.path.value}` cannot")
                yield P308.problem(message, prompt.path.span, _hint(prompt))
            else:
                yield problem


def _hint(prompt: PromptFile) -> str:
    """The file that was probably meant: of the same kind, with a name like it, beside it or one folder below."""
    file = Path(prompt.file)
    try:
        there = sorted((*file.parent.glob(f"*{file.suffix}"), *file.parent.glob(f"*/*{file.suffix}")))
    except (OSError, ValueError):
        there = []
    close = nearest(file.name, [found.name for found in there])
    if close is None:
        return f"it is looked for at `{file.as_posix()}`"
    meant = next(found for found in there if found.name == close).relative_to(file.parent)
    return f"did you mean `{(Path(prompt.path.value).parent / meant).as_posix()}`?"
