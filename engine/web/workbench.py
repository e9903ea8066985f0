"""Changes the files of a project from the page: keeps a conversation as a golden, gives a reply one sentence more.

A change is shown as a diff and tried before it is written: a golden is played, a changed file is validated with its
pipeline in a copy of the project. Only the files of the pipeline, and new goldens, can be written.
"""

from __future__ import annotations

import difflib
import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from engine.core.events import Outcome
from engine.core.language import phrase, said
from engine.core.node import MappingNode, Node, SequenceNode, plain
from engine.core.plan import Plan
from engine.core.record import record
from engine.core.source import Problem, Span
from engine.core.turn import Turn
from engine.golden.editing import Edit, Source
from engine.golden.play import play
from engine.golden.run import DEFAULT_PATHS, find_goldens
from engine.golden.stage import Settings
from engine.golden.writing import (
    WrittenTurn,
    conversation_text,
    expectation,
    golden_text,
    overwrite,
    scalar,
    visitor_fields,
)
from engine.models.secrets import Secrets
from engine.pipeline.reading.compose import compose
from engine.pipeline.reading.files import Sources, is_outside, project_of, read_text
from engine.pipeline.schema.golden import SUFFIX, golden_of
from engine.pipeline.schema.load import read_pipeline
from engine.validation.project import validate
from engine.validation.subject import Subject

Part = Literal["match", "examples", "counterexamples"]
PARTS: tuple[Part, ...] = ("match", "examples", "counterexamples")
"""The lists of a reply that a sentence may be added to."""
_SHOWN = 20
"""Problems that are told of a change."""


class NotPossible(ValueError):
    """A change that cannot be made; the message says why, and what to do instead."""


@record
class Said:
    """A turn of the page, as it was taken, and what came of it."""

    turn: Turn
    outcome: Outcome


@record
class Change:
    """`text` is what the file at `path` will hold; `problems` are told of it, and an error among them forbids it."""

    path: Path
    text: str
    diff: str
    problems: Sequence[Mapping[str, str]]

    @property
    def digest(self) -> str:
        """What a caller has seen, so that nothing else is written."""
        return hashlib.sha256(f"{self.path}\0{self.text}".encode()).hexdigest()

    @property
    def sound(self) -> bool:
        return all(problem["severity"] != "error" for problem in self.problems)

    def write(self) -> None:
        """Writes the file whole; raises `OSError`."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        overwrite(self.path, self.text.encode())


def golden_of_talk(pipeline: Path, plan: Plan, name: str, talk: Sequence[Said], secrets: Secrets) -> Change:
    """The conversation as a new golden file beside the others; what does not come again when it is played is told."""
    path = _next_golden(pipeline)
    turns = [
        WrittenTurn(
            user=one.turn.text,
            clock=one.turn.now.strftime("%Y-%m-%d %H:%M"),
            expect=expectation(one.outcome, secrets),
            models=_spoken(one.outcome, secrets),
        )
        for one in talk
    ]
    first = talk[0].turn
    above = {"attributes": first.client, **visitor_fields(first.visitor)}
    text = golden_text(pipeline, path, [conversation_text(name, first.session_id, turns, above)])
    return Change(path=path, text=text, diff=_diff(path, "", text), problems=_played(path, text, plan))


def _spoken(outcome: Outcome, secrets: Secrets) -> dict[str, Any]:
    """What the model said that answered; those that gave nothing cannot be reached when the golden is played."""
    completion = outcome.completion
    return {outcome.model: {"says": secrets.hide(completion.text)}} if completion and outcome.model else {}


def _next_golden(pipeline: Path) -> Path:
    """A new name in the folder of the goldens of this pipeline, or in the usual one."""
    mine = pipeline.resolve()
    folders = [path.parent for path in find_goldens([]) if _pipeline_of(path) == mine]
    usual = next((path for path in DEFAULT_PATHS if path.is_dir()), DEFAULT_PATHS[0])
    folder = max(folders, key=folders.count) if folders else usual
    number = 1
    while (folder / f"saved_{number}{SUFFIX}").exists():
        number += 1
    return folder / f"saved_{number}{SUFFIX}"


def _pipeline_of(golden: Path) -> Path | None:
    text, _ = read_text(golden, golden.as_posix())
    lines = (text or "").splitlines()[:10]
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("pipeline:")), "")
    return (golden.parent / named.strip("'\"")).resolve() if named else None


def _played(path: Path, text: str, plan: Plan) -> list[dict[str, str]]:
    root, _ = compose(text, path.as_posix())
    golden, problems = golden_of(path, root) if root is not None else (None, [])
    if golden is None:
        return [problem_to_json(one) for one in problems]
    result = play(golden, golden.conversations[0], plan, {}, Settings()).result
    hint = phrase("what it depends on is not in the golden: a model, the time, or an edit since it was said")
    return [
        problem_to_json(
            Problem(
                code="",
                message=phrase(
                    "`{text}`: expected {expected}, played again it came to {got}",
                    text=turn.spec.user.value,
                    expected=one.expected,
                    got=one.got,
                ),
                span=one.expectation.span,
                hint=hint,
            )
        )
        for turn in result.turns
        for one in turn.differences
    ]


def reply_with(pipeline: Path, reply: str, place: Span, part: Part, sentence: str) -> Change:
    """The file of `reply`, which stands at `place`, with `sentence` added to one of its lists.

    Raises:
        NotPossible: the file is not as the pipeline has it, or its form leaves no room for a line.
    """
    path = Path(place.file)
    text, _ = read_text(path, place.file)
    root, found = compose(text or "", place.file)
    node = _find(root, reply)
    if text is None or root is None or node is None or any(problem.severity == "error" for problem in found):
        raise NotPossible(phrase("{file} has changed, or has a mistake: mend it, and save it, first", file=place.file))
    if is_outside(path, project_of(pipeline)):
        raise NotPossible(phrase("{file} is outside the project", file=place.file))
    source = Source.read(path)
    new = source.edited([_addition(source, node, part, sentence)])
    again, _ = compose(new, place.file)
    if again is None or plain(again) != _wanted(root, reply, part, sentence) or not source.is_alone(node):
        raise NotPossible(
            phrase(
                "`{reply}` is written in a form that leaves no room for a line: edit {place} by hand",
                reply=reply,
                place=str(place),
            )
        )
    return Change(
        path=path,
        text=source.bom.decode() + new,
        diff=_diff(path, text, new),
        problems=_validated(pipeline, path, new),
    )


def _find(root: Node | None, reply: str) -> MappingNode | None:
    if not isinstance(root, MappingNode):
        return None
    nodes = [node for node in root.items("replies") if isinstance(node, MappingNode)]
    return next((node for node in nodes if node.words("id") == reply), None)


def _wanted(root: Node, reply: str, part: Part, sentence: str) -> Any:
    """The document with the sentence in its list, and nothing else changed."""
    document = plain(root)
    one = next(one for one in document["replies"] if one.get("id") == reply)
    one[part] = [*one.get(part, []), sentence]
    return document


def _addition(source: Source, node: MappingNode, part: Part, sentence: str) -> Edit:
    """The item at the end of the list, in the list's own style, or a list of one."""
    listed = node.get(part)
    if listed is None:
        first = node.entries[0]
        indent = " " * (first.key.span.column - 1)
        return _line_after(source, first.value, f"{indent}{part}:{source.newline}{indent}  - {scalar(sentence)}")
    if not isinstance(listed, SequenceNode):
        raise NotPossible(phrase("`{part}` is not a list: edit {place} by hand", part=part, place=str(listed.span)))
    if source.text[source.begin(listed)] == "[":
        close = source.end(listed) - 1
        start = len(source.text[:close].rstrip())
        return Edit(start, close, (", " if listed.items else "") + scalar(sentence, flow=True))
    return _line_after(source, listed.items[-1], f"{' ' * (listed.span.column - 1)}- {scalar(sentence)}")


def _line_after(source: Source, node: Node, line: str) -> Edit:
    place = source.line_end(node)
    return Edit(place, place, source.newline + line)


def _validated(pipeline: Path, path: Path, text: str) -> list[dict[str, str]]:
    """What `misaki validate` says of the pipeline with the changed file, in a copy of the project."""
    project = project_of(pipeline)
    loaded = read_pipeline(pipeline)
    prompts = Subject(spec=loaded.spec).prompts.values() if loaded.spec else ()
    files = {Path(file).resolve() for file in (*loaded.files, *(prompt.file for prompt in prompts))}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        for file in files:
            if file.is_file() and not is_outside(file, project):
                copy = root / file.relative_to(project)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
        changed = root / path.resolve().relative_to(project)
        changed.write_text(text, encoding="utf-8", newline="")
        found = validate([root / pipeline.resolve().relative_to(project)], Sources()).problems
    told = [problem_to_json(one) for one in found if one.severity == "error" or one.span.file == changed.as_posix()]
    scratch = f"{root.as_posix()}/"
    return [{key: said(value).replace(scratch, "") for key, value in one.items()} for one in told[:_SHOWN]]


def problem_to_json(problem: Problem) -> dict[str, str]:
    """A problem as the page shows it."""
    told = {"code": problem.code, "severity": problem.severity, "message": problem.message, "hint": problem.hint}
    return {"span": str(problem.span), **told}


def _diff(path: Path, old: str, new: str) -> str:
    name = path.as_posix()
    return "".join(difflib.unified_diff(old.splitlines(True), new.splitlines(True), name, name, n=2))
