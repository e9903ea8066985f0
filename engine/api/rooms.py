"""Answers the calls on rooms and on what is kept of a user: reads their fields, asks the store, writes the payload."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from engine.api.body import read_payload
from engine.api.errors import RequestError, kind
from engine.api.request import Request
from engine.api.routes import LARGEST_PAGE, PAGE, TITLE_LIMIT, Route
from engine.conversations.records import Room, StoredTurn
from engine.core.deadline import Deadline
from engine.core.errors import BadCursor, RoomsOff, RoomUnknown, StoreFailed
from engine.core.record import record
from engine.core.rooms import Learned, Visits
from engine.core.turn import Principal
from engine.text.cleaning import clean

if TYPE_CHECKING:
    from engine.api.answer import Behind
    from engine.conversations.rooms import Rooms

SECONDS = 25.0
"""Seconds that a call may take where its host sets no time; deleting much can take some."""
SAID = frozenset({"title", "text", "reply", "value", "name", "id", "room", "cursor", "before"})
"""Keys of payloads under which stands what somebody wrote, or what a client must get back as it is."""

T = TypeVar("T")


@record
class Call:
    """A request on a path of the table; `principal` is its sender, and `named` what stands in the path."""

    route: Route
    request: Request
    principal: Principal
    named: str
    behind: Behind
    until: Deadline

    def ask(self, work: Callable[[Rooms], T]) -> T:
        return self.behind.keeper.on_rooms(work, self.until.remaining())


def answer(call: Call) -> tuple[int, Mapping[str, Any] | None]:
    """Status and payload of a call; raises `RequestError`."""
    if call.route.users and call.principal.kind != "user":
        raise _sign_in()
    try:
        return _CALLS[call.route.name](call)
    except RoomUnknown as error:
        raise RequestError(404, "room_unknown", str(error)) from None
    except BadCursor as error:
        field = "before" if "before" in call.route.query else "cursor"
        raise RequestError(400, f"{field}_invalid", f"`{field}`: {error}") from None
    except RoomsOff:
        message = "this service keeps no rooms: its operator sets SESSION_STORE to keep them"
        raise RequestError(404, "rooms_off", message) from None
    except StoreFailed:
        message = "the store of rooms does not answer: try again in a moment"
        raise RequestError(503, "store_unavailable", message, {"Retry-After": "2"}) from None


def _list_rooms(call: Call) -> tuple[int, Mapping[str, Any]]:
    limit, cursor = _limit(call), call.request.query.get("cursor")
    page = call.ask(lambda rooms: rooms.listed(call.principal, limit, cursor))
    return 200, {"rooms": [_room(room) for room in page.items], "cursor": page.cursor}


def _create_room(call: Call) -> tuple[int, Mapping[str, Any]]:
    payload = _payload(call)
    title = _title(payload)
    claimed = payload.get("claim")
    if claimed is None:
        return 201, _room(call.ask(lambda rooms: rooms.create(call.principal, os.urandom(16).hex(), title)))
    if not isinstance(claimed, str):
        raise RequestError(400, "claim_type", f"`claim` must be the id of a room, found {kind(claimed)}")
    if call.principal.kind != "user":
        raise _sign_in()
    room = call.ask(lambda rooms: rooms.claim(call.principal, claimed))
    if title is not None:
        room = call.ask(lambda rooms: rooms.rename(call.principal, claimed, title))
    return 201, _room(room)


def _show_room(call: Call) -> tuple[int, Mapping[str, Any]]:
    return 200, _room(call.ask(lambda rooms: rooms.room(call.principal, call.named)))


def _rename_room(call: Call) -> tuple[int, Mapping[str, Any]]:
    payload = _payload(call)
    if "title" not in payload:
        raise RequestError(400, "title_missing", "`title` is missing: a text, or null for none")
    title = _title(payload)
    return 200, _room(call.ask(lambda rooms: rooms.rename(call.principal, call.named, title)))


def _delete_room(call: Call) -> tuple[int, None]:
    call.ask(lambda rooms: rooms.delete(call.principal, call.named))
    return 204, None


def _list_turns(call: Call) -> tuple[int, Mapping[str, Any]]:
    limit, before = _limit(call), call.request.query.get("before")
    page = call.ask(lambda rooms: rooms.turns(call.principal, call.named, limit, before))
    return 200, {"turns": [_turn(turn) for turn in page.items], "before": page.cursor}


def _show_me(call: Call) -> tuple[int, Mapping[str, Any]]:
    visits, memory = call.ask(lambda rooms: (rooms.visits(call.principal), rooms.memory(call.principal)))
    left = call.behind.app.left(call.principal, call.until)
    return 200, {
        "id": call.principal.id,
        "name": call.principal.name,
        **_visits(visits or Visits(number=0)),
        "memory": {name: _learned(one) for name, one in memory.items()},
        "limits": None if left is None else {**left, "until": _time(left["until"])},
    }


def _erase_me(call: Call) -> tuple[int, None]:
    call.ask(lambda rooms: rooms.erase(call.principal))
    return 204, None


def _export_me(call: Call) -> tuple[int, Mapping[str, Any]]:
    limit, cursor = _limit(call), call.request.query.get("cursor")
    page = call.ask(lambda rooms: rooms.export(call.principal, limit, cursor))
    return 200, {"items": [_exported(name, value) for name, value in page.items], "cursor": page.cursor}


def _forget(call: Call) -> tuple[int, None]:
    call.ask(lambda rooms: rooms.forget(call.principal, call.named))
    return 204, None


_CALLS: Mapping[str, Callable[[Call], tuple[int, Mapping[str, Any] | None]]] = {
    "list_rooms": _list_rooms,
    "create_room": _create_room,
    "show_room": _show_room,
    "rename_room": _rename_room,
    "delete_room": _delete_room,
    "list_turns": _list_turns,
    "show_me": _show_me,
    "erase_me": _erase_me,
    "export_me": _export_me,
    "forget": _forget,
}


def _sign_in() -> RequestError:
    message = "only a signed-in user has this: send `Authorization: Bearer …` with an access token"
    return RequestError(401, "sign_in_required", message, {"WWW-Authenticate": "Bearer"})


def _payload(call: Call) -> Mapping[str, Any]:
    """The body's object; a body that is not there is an empty one."""
    return {} if call.request.body in (None, "", b"") else read_payload(call.request)


def _limit(call: Call) -> int:
    given = call.request.query.get("limit")
    if given is None:
        return PAGE
    if not (given.isascii() and given.isdigit() and len(given) <= len(str(LARGEST_PAGE))):
        raise _bad_limit()
    limit = int(given)
    if not 1 <= limit <= LARGEST_PAGE:
        raise _bad_limit()
    return limit


def _bad_limit() -> RequestError:
    return RequestError(400, "limit_invalid", f"`limit` must be a whole number from 1 to {LARGEST_PAGE}")


def _title(payload: Mapping[str, Any]) -> str | None:
    title = payload.get("title")
    if title is None or title == "":
        return None
    if not isinstance(title, str):
        raise RequestError(400, "title_type", f"`title` must be a string or null, found {kind(title)}")
    if len(title) > TITLE_LIMIT:
        raise RequestError(400, "title_too_long", f"`title` is longer than {TITLE_LIMIT} characters")
    if clean(title) != title or "\n" in title or "\t" in title:
        message = "`title` holds line ends, spaces at an end or characters that cannot be seen"
        raise RequestError(400, "title_characters", message)
    return title


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _room(room: Room) -> dict[str, Any]:
    return {
        "id": room.id,
        "title": room.title,
        "turns": room.turns,
        "created": _time(room.created),
        "updated": _time(room.updated or room.created),
    }


def _turn(turn: StoredTurn) -> dict[str, Any]:
    outcome = turn.outcome
    payload = {
        "number": turn.number,
        "at": _time(turn.at),
        "text": turn.text,
        "reply": outcome.reply,
        "engine": outcome.engine,
        "step": outcome.step,
    }
    if outcome.reply_id is not None:
        payload["reply_id"] = outcome.reply_id
    if outcome.completion is not None:
        payload["model"] = outcome.completion.model
    return payload


def _learned(one: Learned) -> dict[str, Any]:
    return {"value": one.value, "learned": _time(one.at)}


def _visits(visits: Visits) -> dict[str, Any]:
    return {"visits": visits.number, "seen": _time(visits.seen) if visits.seen else None}


def _exported(name: str, value: Room | StoredTurn | Learned | Visits) -> dict[str, Any]:
    if isinstance(value, Room):
        return {"kind": "room", **_room(value)}
    if isinstance(value, StoredTurn):
        return {"kind": "turn", "room": name, **_turn(value)}
    if isinstance(value, Learned):
        return {"kind": "memory", "name": name, **_learned(value)}
    return {"kind": "visits", **_visits(value)}
