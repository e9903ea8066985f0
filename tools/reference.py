"""Writes the schema of pipelines from the tables, and the reference from the schemas, the problem codes and their bad
examples, so that nothing goes stale.

    python -m tools.reference

A test compares what stands there with what this would write.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.pipeline.schema.shape import Kind, schema_of
from engine.validation.codes import CODES, page
from engine.validation.file_kinds import KINDS

ROOT = Path(__file__).resolve().parent.parent
BAD = ROOT / "tests" / "configs" / "bad"
BLOCKS = {"1": "Reading", "2": "Shape", "3": "References", "4": "Templates and conditions", "5": "Behaviour"}
GENERATED = "<!-- Written by `python -m tools.reference`; edits are lost. -->\n\n"
_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "array": "list",
    "object": "keys",
}


def documents() -> dict[Path, str]:
    """Every file by its path relative to the repository."""
    pages = {Path("docs/reference") / f"{kind}.md": GENERATED + schema_page(kind) for kind in KINDS}
    pages[Path("engine/pipeline/schema/pipeline.schema.json")] = (
        json.dumps(schema_of("pipeline"), ensure_ascii=False, indent=2) + "\n"
    )
    pages[Path("docs/reference/problems.md")] = GENERATED + problems_page()
    pages |= {Path("docs/problems") / f"{code}.md": GENERATED + problem_page(code) for code in CODES}
    return pages


def main() -> int:
    for path, text in documents().items():
        target = ROOT / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    print(f"wrote {len(documents())} files")
    return 0


def schema_page(kind: Kind) -> str:
    """One table for each block of keys, from the outside in."""
    schema = schema_of(kind)
    parts = [f"# {schema['title']}\n"]
    for title, block in _blocks(schema, schema, "the file"):
        parts.append(f"## {title[0].upper()}{title[1:]}\n\n{_described(block)}{_table(block, schema)}")
    return "\n".join(parts)


def problems_page() -> str:
    """The codes with their titles, by block."""
    parts = ["# Problems\n\nWhat `misaki validate` finds. `misaki validate --explain CODE` prints the same pages.\n"]
    for number, title in BLOCKS.items():
        rows = "".join(
            f"| [{code}](../problems/{code}.md) | {row.title} | {'guess' if row.heuristic else ''} |\n"
            for code, row in CODES.items()
            if code[1] == number
        )
        parts.append(f"## P{number}: {title}\n\n| code | what | |\n|---|---|---|\n{rows}")
    return "\n".join(parts)


def problem_page(code: str) -> str:
    """The page of a code with its bad example and what is reported for it."""
    report = (BAD / f"{code}.txt").read_text("utf-8")
    names = dict.fromkeys(re.findall(rf"^{code}/([^:\n]+):\d+:\d+: ", report, re.MULTILINE))
    shown = "".join(_file(BAD / code / name, name) for name in names)
    return f"{page(code)}\n## Example\n\n{shown}```text\n{report.rstrip()}\n```\n"


def _file(path: Path, name: str) -> str:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    visible = "".join(char if char.isprintable() or char in "\n\t" else "�" for char in text)
    language = "jinja" if name.endswith(".j2") else "yaml"
    return f"`{name}`\n\n```{language}\n{visible.rstrip()}\n```\n\n"


def _blocks(schema: Mapping[str, Any], root: Mapping[str, Any], title: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A block of keys and, after it, the blocks below it, each named by the way to it."""
    if "properties" in schema:
        yield title, schema
    for branch in schema.get("allOf", ()):
        kind = branch["if"]["properties"]["kind"]["const"]
        yield from _blocks(_resolved(branch["then"], root), root, f"steps of kind `{kind}`")
    for key, value in schema.get("properties", {}).items():
        yield from _below(f"`{key}`", value, root, inside=title)
    further = schema.get("additionalProperties")
    if isinstance(further, dict) and "$ref" in further and "properties" in _resolved(further, root):
        yield from _blocks(_resolved(further, root), root, f"each of {title.removeprefix('keys of ')}")


def _below(name: str, value: Any, root: Mapping[str, Any], *, inside: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    found = _resolved(value, root)
    place = "" if inside == "the file" else f" in {inside.removeprefix('keys of ')}"
    if "items" in found:
        item = _resolved(found["items"], root)
        yield from _blocks(_as_block(item), root, f"each of {name}{place}")
    elif "properties" in found or isinstance(found.get("additionalProperties"), dict):
        yield from _blocks(_as_block(found), root, f"keys of {name}{place}")


def _as_block(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What may stand in the place of a text, where a schema allows both."""
    other = schema.get("else", {})
    if "properties" in other:
        return {**other, "description": schema.get("description", "")}
    return schema


def _table(block: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    rows = "".join(_row(key, value, block, root) for key, value in block["properties"].items() if value is not True)
    return f"| key | | value | what |\n|---|---|---|---|\n{rows}"


def _row(key: str, value: Any, block: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    found = _resolved(value, root)
    needed = "required" if key in block.get("required", ()) else ""
    return f"| `{key}` | {needed} | {_kind(found, root)} | {_cell(found.get('description', ''))} |\n"


def _kind(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:  # noqa: PLR0911 - one return for each way to say it
    """What may stand there, in a few words."""
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{choice}`" for choice in schema["enum"])
    if "if" in schema:
        bounds = {key: schema[key] for key in ("minimum", "maximum") if key in schema}
        either = [part for part in (schema.get("else"), schema.get("then")) if part]
        named = [_kind({"type": schema.get("type", "string"), **part, **bounds}, root) for part in either]
        return " or ".join(dict.fromkeys(named))
    if "expected a time" in schema.get("patternErrorMessage", ""):
        return "time"
    if "NAME:" in schema.get("patternErrorMessage", ""):
        return "`${NAME:…}`"
    kinds = schema.get("type", "object")
    words = " or ".join(_TYPES[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))
    if kinds == "array" and "items" in schema:
        return f"list of {_kind(_resolved(schema['items'], root), root)}"
    return words + _bounds(schema)


def _bounds(schema: Mapping[str, Any]) -> str:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is None and high is None:
        return ""
    if low is None or high is None:
        return f", at least {low}" if high is None else f", at most {high}"
    return f", {low} to {high}"


def _resolved(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(schema, dict) and "$ref" in schema:
        return {**_resolved(root["$defs"][schema["$ref"].rsplit("/", 1)[-1]], root), **schema}
    return schema if isinstance(schema, dict) else {}


def _described(block: Mapping[str, Any]) -> str:
    return f"{block['description']}\n\n" if block.get("description") else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main())
