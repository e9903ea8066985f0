"""Every problem code, declared once, and its page: what it means, why it matters, what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Code:
    """`heuristic` marks a check that can be wrong; such a problem is never more than a warning."""

    title: str
    heuristic: bool = False


CODES: Mapping[str, Code] = {
    # Block 1, reading.
    "P101": Code("the file is not valid YAML"),
    "P102": Code("a tab or a wide space stands in the indentation"),
    "P103": Code("a key stands twice"),
    "P104": Code("a file cannot be read"),
    "P105": Code("a file is not UTF-8"),
    "P106": Code("a character that no text may hold"),
    "P107": Code("a tag"),
    "P108": Code("an alias that is not allowed"),
    "P109": Code("a file is too large or too deep"),
    "P110": Code("a word that YAML versions read differently"),
    "P111": Code("a second document in one file"),
    "P112": Code("an empty file"),
    "P113": Code("a key that is not a word"),
    "P114": Code("an item that became a part of the text above it"),
    "P115": Code("words that are read as a comment", heuristic=True),
    "P116": Code("a text that looks like something else of YAML", heuristic=True),
    "P117": Code("signs of another tool in a trigger", heuristic=True),
    # Block 2, shape.
    "P201": Code("a missing key"),
    "P202": Code("a value of the wrong type"),
    "P203": Code("an unknown key"),
    "P204": Code("a value out of bounds"),
    "P205": Code("a word that is not one of the known words"),
    "P206": Code("a value of the wrong form"),
    "P207": Code("a time that cannot be read"),
    "P208": Code("`${…}` where it is not read"),
    "P210": Code("keys that exclude or need each other"),
    # Block 3, references.
    "P301": Code("no file matches"),
    "P302": Code("a file that is neither a pipeline, replies, kinds nor a golden"),
    "P303": Code("an id that stands twice"),
    "P304": Code("an unknown step"),
    "P305": Code("a jump backward"),
    "P306": Code("an unknown model"),
    "P307": Code("an unknown reply"),
    "P308": Code("a prompt that cannot be read"),
    "P309": Code("a model without a setting that it needs"),
    "P310": Code("an unknown environment variable"),
    "P311": Code("an unknown time zone"),
    "P312": Code("a file outside of the project"),
    "P313": Code("an unknown kind of sentence"),
    "P314": Code("a tag that no reply has"),
    "P315": Code("a word in two lists"),
    # Block 4, templates and conditions.
    "P401": Code("a condition that is not an expression"),
    "P402": Code("an unknown name in a condition or a template"),
    "P403": Code("something that conditions may not do"),
    "P404": Code("a template that cannot be read"),
    "P405": Code("something that templates may not do"),
    "P406": Code("a regex that cannot be used"),
    "P407": Code("a template that fails when it is tried"),
    "P408": Code("a prompt that is very long"),
    "P409": Code("a template where none is read"),
    "P410": Code("a comparison that means nothing"),
    # Block 5, behaviour.
    "P501": Code("a trigger that another reply steals", heuristic=True),
    "P502": Code("the same trigger twice"),
    "P503": Code("an example that does not select its reply"),
    "P504": Code("a counterexample that selects the reply"),
    "P505": Code("a trigger that is stolen when it is said a little differently", heuristic=True),
    "P506": Code("a step that is never reached"),
    "P507": Code("an end without an answer"),
    "P508": Code("a reply that nothing says"),
    "P509": Code("a condition that is never true, or always"),
    "P510": Code("a trigger that is too short or too generic", heuristic=True),
    "P511": Code("a model or a prompt that no step uses"),
    "P512": Code("a file that no pipeline uses"),
    "P513": Code("hours that no reply covers", heuristic=True),
    "P514": Code("timeouts that do not fit the deadline"),
    "P515": Code("a confidence that is never known"),
    "P516": Code("the same variant twice"),
    "P517": Code("something that looks like a secret", heuristic=True),
    "P519": Code("an example of a kind that stands twice"),
    "P520": Code("a kind with too few examples"),
    "P521": Code("an example that looks like another kind", heuristic=True),
    "P522": Code("a phone number outside of the help lines"),
    "P523": Code("a fact of the persona written out", heuristic=True),
    "P524": Code("a word that the dictionary does not know", heuristic=True),
}


def page(code: str) -> str:
    """The page of `code`, in Markdown; raises `KeyError` for an unknown code."""
    if code not in CODES:
        raise KeyError(code)
    return files("engine.validation").joinpath("pages", f"{code}.md").read_text("utf-8")
