"""What a pipeline may keep from models outside: the table of masks, and where they find something in a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from engine.core.record import record
from engine.guardrails import card, email, my_number, phone, postal_code
from engine.guardrails.numbers import fold, shown

Find = Callable[[str], Iterator[tuple[int, int]]]
"""Yields where something begins and ends in a text that `fold` has made plain."""


@record
class Mask:
    """`what` describes it; `label` stands in the placeholder, and `others` are what a model may make of that."""

    what: str
    label: str
    others: tuple[str, ...]
    find: Find


MASKS: Mapping[str, Mask] = {
    "phone": Mask(
        what="telephone numbers", label="電話", others=("phone", "電話番号", "telephone", "tel"), find=phone.find
    ),
    "email": Mask(what="e-mail addresses", label="メール", others=("email", "e-mail", "mail"), find=email.find),
    "postal_code": Mask(
        what="postal codes", label="郵便番号", others=("postal code", "postcode", "zip"), find=postal_code.find
    ),
    "card": Mask(what="numbers of payment cards", label="カード", others=("card", "カード番号"), find=card.find),
    "my_number": Mask(
        what="individual numbers (マイナンバー)", label="マイナンバー", others=("my number",), find=my_number.find
    ),
}


_PROMISING = re.compile(r"\d|@|アット|あっと|[(\[](?:at|a)[)\]]|[★☆]| at ", re.IGNORECASE)
"""What no text lacks in which a mask could find something."""


@record
class Found:
    """What a mask covers: `start` and `end` in the text as it was."""

    mask: str
    start: int
    end: int


def find_all(text: str, names: Iterable[str]) -> list[Found]:
    """What the masks of these names find, in order; of two that overlap the earlier one, or else the longer."""
    folded = fold(text)
    if _PROMISING.search(folded) is None:
        return []
    places = shown(folded)
    plain = "".join(folded[place] for place in places)
    ends = (*places[1:], len(text))
    spans = [
        Found(mask=name, start=places[start], end=ends[end - 1])
        for name in names
        for start, end in MASKS[name].find(plain)
    ]
    found: list[Found] = []
    for one in sorted(spans, key=lambda span: (span.start, -span.end)):
        if not found or one.start >= found[-1].end:
            found.append(one)
    return found


def schema_of_masks() -> Mapping[str, object]:
    """The key `mask` of a pipeline, as its schema describes it."""
    rows = "; ".join(f"`{name}`: {mask.what}" for name, mask in MASKS.items())
    return {
        "description": "What external models do not get to see: placeholders stand for it, and the answer has it "
        f"again. {rows}.",
        "type": "array",
        "minItems": 1,
        "maxItems": len(MASKS),
        "items": {"description": "A kind of personal data.", "enum": list(MASKS)},
    }
