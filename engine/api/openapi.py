"""The OpenAPI 3.1 document, built from the table of calls: what `GET /openapi.json` gives, and docs/api.md tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import __version__
from engine.api.chat import SESSION_ID_LIMIT, TURN_KEY_LIMIT
from engine.api.conversation import INPUT_FIELDS
from engine.api.routes import LARGEST_PAGE, PAGE, ROUTES, TITLE_LIMIT, Route

CODES: Mapping[str, tuple[int, str]] = {
    "limit_invalid": (400, "send a whole number from 1 to 100 as `limit`"),
    "cursor_invalid": (400, "send the `cursor` of this list's last page as it was, or none for the first page"),
    "before_invalid": (400, "send the `before` of this room's last page as it was, or none for the newest page"),
    "title_type": (400, "send a text or null as `title`"),
    "title_missing": (400, "send `title`; null takes it away"),
    "title_too_long": (400, f"shorten `title` to {TITLE_LIMIT} characters"),
    "title_characters": (400, "leave line ends, outer spaces and invisible characters out of `title`"),
    "claim_type": (400, "send the id of a room as `claim`"),
    "turn_key_type": (400, "send a text as `turn_key`"),
    "turn_key_too_long": (400, f"shorten `turn_key` to {TURN_KEY_LIMIT} characters; a UUID is enough"),
    "turn_key_characters": (400, "use visible characters in `turn_key`, without spaces at its ends"),
    "turn_key_short": (400, "without `session_id`, make `turn_key` at least 16 random characters"),
    "sign_in_required": (401, "sign in, and send the access token"),
    "room_unknown": (404, "there is no such room, or it is another's: list the rooms, or begin a new one"),
    "rooms_off": (404, "the operator sets SESSION_STORE"),
    "turn_key_reused": (409, "use a new `turn_key` for each turn, and the same one only to send the same again"),
    "turn_in_progress": (409, "send the same again after the seconds in `Retry-After`"),
    "turns_used_up": (429, "come back after the seconds in `Retry-After`, when the next day begins"),
    "model_missing": (400, "send a model of `GET /v1/models` as `model`"),
    "messages_missing": (400, "send at least one message in `messages`"),
    "n_unsupported": (400, "leave `n` out"),
    "tool_choice_unsupported": (400, "leave `tool_choice` out: no tools are called"),
    "model_not_found": (404, "send a model of `GET /v1/models` as `model`"),
    "no_answer": (503, "say it in other words, or later"),
    "store_unavailable": (503, "send the same again after the seconds in `Retry-After`; what was begun goes on"),
}
"""Status and remedy of the codes that the table of calls names, and of those that any of its calls may give."""

_ALWAYS = ("rooms_off", "store_unavailable")
_TIME = {"type": "string", "format": "date-time"}
_TEXT = {"type": "string"}
_MAYBE = {"type": ["string", "null"]}
_COUNT = {"type": "integer", "minimum": 0}


def document() -> dict[str, Any]:
    """The whole document, as JSON values."""
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Snack Misaki", "version": __version__, "license": {"name": "MIT", "identifier": "MIT"}},
        "paths": paths,
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": route.name, "summary": route.summary, "responses": _responses(route)}
    named = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    parameters = [{"name": name, "in": "path", "required": True, "schema": _TEXT} for name in named]
    parameters += [{"name": name, "in": "query", "schema": _QUERY[name]} for name in route.query]
    if parameters:
        operation["parameters"] = parameters
    if route.takes is not None:
        content = {"application/json": {"schema": _reference(route.takes)}}
        operation["requestBody"] = {"required": route.name != "create_room", "content": content}
    if route.name not in ("health", "openapi"):
        operation["security"] = [{"bearer": []}] if route.users else [{}, {"bearer": []}]
    return operation


def _responses(route: Route) -> dict[str, Any]:
    done: dict[str, Any] = {"description": route.summary}
    if route.gives is not None:
        done["content"] = {"application/json": {"schema": _reference(route.gives)}}
    if route.name in ("chat", "complete"):
        # Where the client asks for a stream.
        done["content"]["text/event-stream"] = {"schema": _reference("Event")}
    responses = {str(route.status): done}
    if route.name in ("health", "openapi"):
        return responses
    codes = [
        *route.fails,
        *([] if route.name == "chat" or route.path.startswith("/v1/") else _ALWAYS),
        *(["sign_in_required"] if route.users else []),
    ]
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(CODES[code][0], []).append(code)
    error = "OpenAIError" if route.path.startswith("/v1/") else "Error"
    for status in (400, 401, 503):
        by_status.setdefault(status, [])
    for status, listed in sorted(by_status.items()):
        told = "; ".join(f"`{code}`: {CODES[code][1]}" for code in listed)
        responses[str(status)] = {
            "description": told or _GENERAL[status],
            "content": {"application/json": {"schema": _reference(error)}},
        }
    return responses


_GENERAL = {
    400: "what was sent is not acceptable; `code` names the field",
    401: "the token is missing or not accepted; `code` tells why",
    503: "something does not work now: try again",
}
_QUERY: Mapping[str, Any] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE},
    "cursor": _TEXT,
    "before": _TEXT,
}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: str, **properties: Any) -> dict[str, Any]:
    """An object with properties, those in `required` always there."""
    return {"type": "object", "properties": properties, "required": required.split()}


_TITLED = {"type": ["string", "null"], "maxLength": TITLE_LIMIT}
_ROOM = {"id": _TEXT, "title": _MAYBE, "turns": _COUNT, "created": _TIME, "updated": _TIME}
_TURN = {
    "number": {"type": "integer", "minimum": 1},
    "at": _TIME,
    "text": _TEXT,
    "reply": _TEXT,
    "engine": _MAYBE,
    "step": _MAYBE,
    "reply_id": _TEXT,
    "model": _TEXT,
}
_LEFT_MONEY = {
    "description": "Dollars for external models.",
    **_object("limit left", limit={"type": "number"}, left={"type": "number"}),
}
_LEARNED = {"value": _TEXT, "learned": _TIME}
_ENTRY = {"role": _TEXT, "content": {}, "parts": {}}

_USAGE = _object(
    "prompt_tokens completion_tokens total_tokens", prompt_tokens=_COUNT, completion_tokens=_COUNT, total_tokens=_COUNT
)
_SCHEMAS: Mapping[str, Any] = {
    "Model": _object("id object created owned_by", id=_TEXT, object={"const": "model"}, created=_COUNT, owned_by=_TEXT),
    "OpenAIError": _object(
        "error",
        error=_object("message type param code", message=_TEXT, type=_TEXT, param=_MAYBE, code=_TEXT),
    ),
    "Models": _object("object data", object={"const": "list"}, data={"type": "array", "items": _reference("Model")}),
    "CompletionRequest": _object(
        "model messages",
        model=_TEXT,
        messages={"type": "array", "minItems": 1, "items": {"type": "object", "properties": _ENTRY}},
        stream={"type": ["boolean", "null"]},
        stream_options={"type": ["object", "null"], "properties": {"include_usage": {"type": "boolean"}}},
    ),
    "Completion": _object(
        "id object created model choices usage",
        id=_TEXT,
        object={"const": "chat.completion"},
        created=_COUNT,
        model=_TEXT,
        choices={"type": "array", "items": {"type": "object"}},
        usage=_USAGE,
        misaki={"type": "object"},
    ),
    "Message": {
        **_object(
            "",
            input=_TEXT,
            message=_TEXT,
            conversation={
                "type": ["string", "array"],
                "items": {"anyOf": [_TEXT, {"type": "object", "properties": _ENTRY}]},
            },
            messages={"type": "array", "items": {"type": "object", "properties": _ENTRY}},
            session_id={"type": ["string", "null"], "maxLength": SESSION_ID_LIMIT},
            turn_key={"type": ["string", "null"], "maxLength": TURN_KEY_LIMIT},
            debug={"type": ["boolean", "null"]},
            stream={"type": ["boolean", "null"]},
            metadata={"type": ["object", "null"]},
        ),
        "oneOf": [{"required": [name]} for name in INPUT_FIELDS],
    },
    "Answer": _object(
        "reply message response engine step usage escalations latency_ms session_id stored",
        reply=_TEXT,
        message=_TEXT,
        response=_TEXT,
        engine={"enum": ["canned", "local", "external", "fallback"]},
        step=_TEXT,
        reply_id=_TEXT,
        model=_TEXT,
        confidence={"type": ["number", "null"]},
        finish_reason={"const": "interrupted"},
        usage={"type": "object"},
        escalations={"type": "array", "items": {"type": "object"}},
        latency_ms={"type": "number"},
        session_id=_TEXT,
        stored={"type": "boolean"},
        replayed={"const": True},
        trace={"type": "array"},
    ),
    "Event": {
        "description": "One of a stream of server-sent events, where the client asks for one; `data` holds JSON.",
        **_object("data", event={"enum": ["turn", "escalation", "sentence", "done", "error"]}, data=_TEXT),
    },
    "Health": _object("status", status={"enum": ["ok", "degraded"]}),
    "Document": {"type": "object"},
    "Room": _object("id title turns created updated", **_ROOM),
    "Rooms": _object(
        "rooms cursor",
        rooms={"type": "array", "items": _reference("Room")},
        cursor=_MAYBE,
    ),
    "NewRoom": _object("", title=_TITLED, claim=_MAYBE),
    "Title": _object("title", title=_TITLED),
    "Turn": _object("number at text reply engine step", **_TURN),
    "Turns": _object("turns before", turns={"type": "array", "items": _reference("Turn")}, before=_MAYBE),
    "Learned": _object("value learned", **_LEARNED),
    "Me": _object(
        "id name visits seen memory limits",
        id=_TEXT,
        name=_MAYBE,
        visits=_COUNT,
        seen={"type": ["string", "null"], "format": "date-time"},
        memory={"type": "object", "additionalProperties": _reference("Learned")},
        limits={"anyOf": [_reference("Left"), {"type": "null"}]},
    ),
    "Left": _object("until", until=_TIME, user=_reference("LeftOf"), everyone=_reference("LeftOf")),
    "LeftOf": _object("", turns=_object("limit left", limit=_COUNT, left=_COUNT), external=_LEFT_MONEY),
    "Export": _object(
        "items cursor",
        items={
            "type": "array",
            "items": {
                "oneOf": [
                    _object("kind id title turns created updated", kind={"const": "room"}, **_ROOM),
                    _object("kind room number at text reply", kind={"const": "turn"}, room=_TEXT, **_TURN),
                    _object("kind name value learned", kind={"const": "memory"}, name=_TEXT, **_LEARNED),
                    _object("kind visits seen", kind={"const": "visits"}, visits=_COUNT, seen=_MAYBE),
                ]
            },
        },
        cursor=_MAYBE,
    ),
    "Error": _object("error code", error=_TEXT, code=_TEXT),
}
