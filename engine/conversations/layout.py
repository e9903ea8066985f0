"""Where things of rooms lie in a store: partitions, names of items, and the header of a room.

U#{user}   R#{room}                 a room: title, number of turns; its state is what replies were said
(A#{room}  R#{room}#T#{number}      a turn; `number` has ten digits
 without   I#{turn_key}             a turn's key: digest of the request, whether it is done, and which turn it is
 a user)   M#{name}                 a remembered value
           V                        visits
           C#{room}                 a room without an owner that is being claimed
K          cursors                  what cursors are signed with
L#{pipeline}#{day}                  counters of a day: E of everyone, U# of a user, A# of a room, P# of an address
"""

from __future__ import annotations

import os
from typing import Any, Literal

from engine.conversations import codec
from engine.conversations.items import Item, Key
from engine.conversations.records import Room
from engine.core.digest import digest
from engine.core.record import record, replace
from engine.core.rooms import Learned
from engine.core.turn import ChatRequest, Principal

DAY = 24 * 3600
ANONYMOUS_DAYS = 30
"""Days after its last turn that a room without an owner is kept, and what is remembered in it; each turn as long."""
USER_DAYS = 365
"""The same for what a user has."""
_FIRST_WORDS = 40


def partition_of(principal: Principal, room: str) -> str:
    """Whatever `principal` has; without a user, the room itself is all there is."""
    return f"U#{_plain(principal.id)}" if principal.kind == "user" else f"A#{_plain(room)}"


def days_kept(partition: str) -> int:
    return USER_DAYS if partition.startswith("U#") else ANONYMOUS_DAYS


def room_key(partition: str, room: str) -> Key:
    return Key(partition, f"R#{_plain(room)}")


def turns_prefix(room: str) -> str:
    return f"R#{_plain(room)}#T#"


def turn_key(partition: str, room: str, number: int) -> Key:
    return Key(partition, f"{turns_prefix(room)}{number:010}")


def number_of_turn(key: Key) -> int:
    return int(key.name[-10:])


def retry_key(partition: str, name: str) -> Key:
    return Key(partition, f"I#{_plain(name)}")


def memory_key(partition: str, name: str) -> Key:
    return Key(partition, f"M#{_plain(name)}")


def memory_expires(learned: Learned, usual: int) -> int:
    """When the item of a value expires that is kept on; `usual` is when others do that are written now."""
    return usual if learned.seconds is None else min(usual, int(learned.at + learned.seconds))


def visits_key(partition: str) -> Key:
    return Key(partition, "V")


def claim_key(partition: str, room: str) -> Key:
    return Key(partition, f"C#{_plain(room)}")


def name_of(key: Key) -> str:
    """The room or the name of a memory in a key of one of them."""
    return key.name.split("#")[1].replace("%23", "#").replace("%25", "%")


def new_room(request: ChatRequest, instead_of: str = "") -> str:
    """An id that nobody can guess; a turn with a key gets the same one whenever it is tried again."""
    if request.turn_key is None:
        return os.urandom(16).hex()
    return digest(f"{request.principal.id}\n{instead_of}\n{request.turn_key}", 16).hex()


def _plain(name: str) -> str:
    """`name` without the sign that parts names of items."""
    return name.encode("utf-8", "replace").decode("utf-8").replace("%", "%25").replace("#", "%23")


@record
class Header:
    """What is known of a room without reading its turns.

    `seq` is the number of its last turn, `turns` counts those that only its client knows, too. A room that is `gone` is
    nobody's any more: it is being deleted, or was claimed, or `taker` is claiming it. `claimed` is one that came so.
    """

    seq: int = 0
    turns: int = 0
    title: str | None = None
    first: str = ""
    created: float
    gone: Literal["", "deleted", "claimed"] = ""
    taker: str = ""
    claimed: bool = False


def read_header(item: Item) -> Header:
    def read(data: Any) -> Header:
        return Header(
            seq=codec.number(data["seq"]),
            turns=codec.number(data["turns"]),
            title=None if data.get("title") is None else codec.string(data["title"]),
            first=codec.string(data.get("first", "")),
            created=codec.moment(data["created"]),
            gone=data.get("gone", ""),
            taker=data.get("taker", ""),
            claimed=data.get("claimed", False),
        )

    return codec.from_text(item.data, read)


def header_text(header: Header) -> str:
    data = {"seq": header.seq, "turns": header.turns, "created": header.created}
    also = {name: getattr(header, name) for name in ("title", "first", "gone", "taker", "claimed")}
    return codec.to_text(data | {name: value for name, value in also.items() if value})


def after_turn(header: Header | None, text: str, number: int, at: float) -> Header:
    """The header with one turn more, which is the conversation's `number`th."""
    if header is None:
        return Header(seq=1, turns=number, first=" ".join(text.split())[:_FIRST_WORDS], created=at)
    return replace(header, seq=header.seq + 1, turns=max(number, header.turns + 1))


def room_of(item: Item) -> Room:
    header = read_header(item)
    return Room(
        id=name_of(item.key),
        title=header.title or header.first or None,
        turns=header.seq,
        created=header.created,
        updated=codec.moment((item.updated or 0) / 1000),
    )
