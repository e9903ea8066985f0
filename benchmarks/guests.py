"""Plays a set of guests' conversations against a running server, and tabulates what readers thought of the answers.

    python -m benchmarks.guests play http://127.0.0.1:9000 SET.jsonl OUT.jsonl
    python -m benchmarks.guests table OUT.jsonl JUDGED.jsonl [JUDGED.jsonl …]

A set holds lines `{"id", "lang", "turns": [text, …]}`, a judged file lines `{"id", "turn", "score"}` with scores from
0 to 2 by the rubric of docs/quality.md; of several readers the mean counts. Turns that cannot be understood without the
one before are told apart where the set says `"follow_ups": [turn, …]` or a reader `"follow_up": true`. Standard library
only.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

SHOWN = ("reply", "engine", "step", "reply_id", "model", "escalations", "error")
"""What is kept of a response."""
PATIENCE = 60.0
"""Seconds that a turn may take."""
WORST = 10

Key = tuple[str, int]
"""A conversation's id and a turn's number."""


def play(base: str, guests: Path, out: Path) -> int:
    """Each conversation in a session of its own, one turn at a time; a line for every turn."""
    run = uuid.uuid4().hex[:8]
    answered = turns = 0
    with out.open("w", encoding="utf-8") as file:
        for conversation in read_lines(guests):
            for row in _played(base, conversation, f"guests-{run}-{conversation['id']}"):
                turns += 1
                answered += row["status"] == 200
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                file.flush()
    print(f"{turns} turns, {turns - answered} without an answer, in {out}")
    return 0 if answered == turns else 1


def _played(base: str, conversation: Mapping[str, Any], session: str) -> Iterator[dict[str, Any]]:
    for number, text in enumerate(conversation["turns"], 1):
        began = time.monotonic()
        status, body = _post(f"{base.rstrip('/')}/chat", {"input": text, "session_id": session})
        yield {
            "id": conversation["id"],
            "lang": conversation["lang"],
            "turn": number,
            "follow_up": number in conversation.get("follow_ups", ()),
            "input": text,
            "status": status,
            "seconds": round(time.monotonic() - began, 3),
            **{name: body.get(name) for name in SHOWN},
        }


def _post(url: str, payload: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
    """Status and body; 0 where nobody answers in time."""
    request = urllib.request.Request(  # noqa: S310 - the operator's own server
        url, json.dumps(payload).encode(), {"Content-Type": "application/json; charset=utf-8"}
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310 - as above
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())
    except OSError as error:
        return 0, {"error": str(error)}


def read_lines(path: Path) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def judged(readers: Iterable[Path]) -> tuple[dict[Key, list[float]], set[Key]]:
    """The scores of each turn, one for each reader who judged it, and the turns that a reader calls follow-ups."""
    scores: dict[Key, list[float]] = {}
    follow_ups: set[Key] = set()
    for reader in readers:
        for row in read_lines(reader):
            key = _key(row)
            scores.setdefault(key, []).append(float(row["score"]))
            if row.get("follow_up"):
                follow_ups.add(key)
    return scores, follow_ups


def _key(row: Mapping[str, Any]) -> Key:
    return str(row["id"]), int(row["turn"])


def table(
    rows: Sequence[Mapping[str, Any]], scores: Mapping[Key, Sequence[float]], follow_ups: Collection[Key] = ()
) -> Iterator[str]:
    """The table as lines of Markdown, and the worst answers word for word."""
    scored = [(row, fmean(scores[_key(row)])) for row in rows if _key(row) in scores]
    if not scored:
        raise SystemExit("no turn of these conversations is judged")
    groups: list[tuple[str, list[tuple[Mapping[str, Any], float]]]] = [("all", scored)]
    for name in ("engine", "step", "lang"):
        values = sorted({str(row.get(name)) for row, _ in scored})
        groups += [(f"{name}: {value}", [one for one in scored if str(one[0].get(name)) == value]) for value in values]
    groups.append(("follow-ups", [one for one in scored if one[0].get("follow_up") or _key(one[0]) in follow_ups]))
    yield f"{len(scored)} of {len(rows)} turns judged, by {max(map(len, scores.values()))} readers"
    yield ""
    yield "| | turns | mean | 2 | 1 | 0 | no answer |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    yield from (_row(name, group) for name, group in groups if group)
    yield ""
    yield f"Readers differ by a whole point on {_share(_apart(scores))} of the turns."
    yield ""
    for row, score in sorted(scored, key=lambda one: (one[1], str(one[0]["id"]), one[0]["turn"]))[:WORST]:
        yield f"- {score:.1f} `{row['id']}.{row['turn']}` {row['input']} → {row.get('reply') or row.get('error')}"


def _row(name: str, group: Sequence[tuple[Mapping[str, Any], float]]) -> str:
    scores = [score for _, score in group]
    twos = fmean(score > 1.5 for score in scores)
    zeros = fmean(score < 0.5 for score in scores)
    silent = fmean(row["status"] != 200 for row, _ in group)
    cells = [str(len(scores)), f"{fmean(scores):.2f}", *map(_share, (twos, 1 - twos - zeros, zeros, silent))]
    return f"| {name} | {' | '.join(cells)} |"


def _apart(scores: Mapping[Key, Sequence[float]]) -> float:
    return fmean(max(given) - min(given) >= 1 for given in scores.values())


def _share(share: float) -> str:
    return f"{share:.0%}"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guests", description=(__doc__ or "").split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    player = commands.add_parser("play", help="play a set against a running server")
    player.add_argument("base", metavar="BASE_URL")
    player.add_argument("guests", metavar="SET.jsonl", type=Path)
    player.add_argument("out", metavar="OUT.jsonl", type=Path)
    tabulator = commands.add_parser("table", help="tabulate what readers thought")
    tabulator.add_argument("out", metavar="OUT.jsonl", type=Path)
    tabulator.add_argument("judged", metavar="JUDGED.jsonl", type=Path, nargs="+")
    given = parser.parse_args(argv)
    if given.command == "play":
        return play(given.base, given.guests, given.out)
    print("\n".join(table(read_lines(given.out), *judged(given.judged))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
