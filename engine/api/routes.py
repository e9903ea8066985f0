"""The table of calls: paths, methods, what they take and give. Routing, CORS, logs and the OpenAPI document read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from engine.api.request import PLAIN
from engine.core.record import record

TITLE_LIMIT = 80
"""Characters of a title."""
PAGE = 20
"""Rooms, turns or items in a page, where the call does not say."""
LARGEST_PAGE = 100


@record
class Route:
    """`takes` and `gives` name schemas of the OpenAPI document, `query` names its parameters, `fails` lists codes.

    `users` tells that only a signed-in user may call it.
    """

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    name: str
    summary: str
    status: int = 200
    takes: str | None = None
    gives: str | None = None
    query: tuple[str, ...] = ()
    fails: tuple[str, ...] = ()
    users: bool = False


_TITLE = ("title_type", "title_too_long", "title_characters")

ROUTES = (
    Route(
        method="POST",
        path="/chat",
        name="chat",
        summary="Say something and get the reply",
        takes="Message",
        gives="Answer",
        fails=("turn_key_reused", "turn_in_progress", "turns_used_up", "no_answer"),
    ),
    Route(method="GET", path="/health", name="health", summary="Whether the service is well", gives="Health"),
    Route(method="GET", path="/openapi.json", name="openapi", summary="This document", gives="Document"),
    Route(method="GET", path="/v1/models", name="list_models", summary="The pipeline, as a model", gives="Models"),
    Route(
        method="GET",
        path="/v1/models/{id}",
        name="show_model",
        summary="One model",
        gives="Model",
        fails=("model_not_found",),
    ),
    Route(
        method="POST",
        path="/v1/chat/completions",
        name="complete",
        summary="A turn in OpenAI's protocol, whole or streamed",
        takes="CompletionRequest",
        gives="Completion",
        fails=(
            "model_missing",
            "model_not_found",
            "messages_missing",
            "n_unsupported",
            "tool_choice_unsupported",
            "turns_used_up",
            "no_answer",
        ),
    ),
    Route(
        method="GET",
        path="/rooms",
        name="list_rooms",
        summary="Own rooms, the one with the newest turn first",
        gives="Rooms",
        query=("limit", "cursor"),
        fails=("limit_invalid", "cursor_invalid"),
        users=True,
    ),
    Route(
        method="POST",
        path="/rooms",
        name="create_room",
        summary="Make a room, or claim one that has no owner",
        status=201,
        takes="NewRoom",
        gives="Room",
        fails=(*_TITLE, "claim_type", "room_unknown"),
    ),
    Route(
        method="GET",
        path="/rooms/{id}",
        name="show_room",
        summary="One room",
        gives="Room",
        fails=("room_unknown",),
    ),
    Route(
        method="PATCH",
        path="/rooms/{id}",
        name="rename_room",
        summary="Give a room a title",
        takes="Title",
        gives="Room",
        fails=(*_TITLE, "title_missing", "room_unknown"),
    ),
    Route(
        method="DELETE",
        path="/rooms/{id}",
        name="delete_room",
        summary="Delete a room with all of its turns",
        status=204,
        fails=("room_unknown",),
    ),
    Route(
        method="GET",
        path="/rooms/{id}/turns",
        name="list_turns",
        summary="The newest turns of a room, or those before a cursor; the oldest of them first",
        gives="Turns",
        query=("limit", "before"),
        fails=("limit_invalid", "before_invalid", "room_unknown"),
    ),
    Route(
        method="GET",
        path="/me",
        name="show_me",
        summary="Who is signed in, and what is remembered",
        gives="Me",
        users=True,
    ),
    Route(
        method="DELETE",
        path="/me",
        name="erase_me",
        summary="Forget everything: rooms, turns, memory, visits",
        status=204,
        users=True,
    ),
    Route(
        method="GET",
        path="/me/export",
        name="export_me",
        summary="Everything that is kept, in pages",
        gives="Export",
        query=("limit", "cursor"),
        fails=("limit_invalid", "cursor_invalid"),
        users=True,
    ),
    Route(
        method="DELETE",
        path="/me/memory/{name}",
        name="forget",
        summary="Forget one thing that is remembered",
        status=204,
        users=True,
    ),
)

_PATHS = {tuple(path.split("/")[1:]) for path in (route.path for route in ROUTES)}
_LONGEST = max(map(len, _PATHS))


def methods_of(path: str) -> Mapping[str, Route]:
    """The calls of a path as the table writes it."""
    return {route.method: route for route in ROUTES if route.path == path}


def find_path(parts: list[str]) -> tuple[str, list[str]] | None:
    """The path of the table that stands at the end of these parts, and the parts that are its; `None` where none is.

    Whatever stands before it is a base path. `chat` and `health` end no longer path: nobody names a room so.
    """
    single = parts[-1:]
    if single and single[0] in (*PLAIN, "openapi.json") and parts[-2:-1] != ["memory"]:
        return f"/{single[0]}", single
    for count in range(min(_LONGEST, len(parts)), 0, -1):
        found = parts[-count:]
        for path in _PATHS:
            if len(path) == count and all(
                one == given or one.startswith("{") for one, given in zip(path, found, strict=True)
            ):
                return "/" + "/".join(path), found
    return None
