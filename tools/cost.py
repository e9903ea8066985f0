"""What the service costs a month: the table of docs/deploying.md, from list prices and the assumptions below.

    python -m tools.cost

Prices are dollars, those of us-east-1, without the free tier. Change a figure here and print the table anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

MILLION = 1_000_000
VOLUMES = (1_000, MILLION)
"""Turns a month."""

# What a turn is.
SHARES = {"canned": 0.6, "local": 0.3, "external": 0.1}
SECONDS = {"canned": 0.02, "local": 2.0, "external": 2.0}
"""Billed, by what answers."""
COLD_SHARE, COLD_SECONDS = 1 / 50, 1.0
TOKENS_READ, TOKENS_WRITTEN = 700, 60
READ_UNITS, WRITE_UNITS = 4, 6
LOG_KILOBYTES = 1.7
IMAGE_GIGABYTES = 0.39
METRICS, ALARMS, SECRETS = 25, 4, 1

# What a unit of it is sold for.
MEMORY_GIGABYTES = 2
GIGABYTE_SECOND, GIGABYTE_SECOND_KEPT_WARM = 0.0000166667, 0.0000041667
ARM_DISCOUNT = 0.2
LAMBDA_REQUESTS, API_REQUESTS = 0.20, 1.00
READS, WRITES = 0.125, 0.625
LOGS = 0.50
TRACES = 5.00
METRIC, ALARM, SECRET, DASHBOARD, REGISTRY = 0.30, 0.10, 0.40, 3.00, 0.10
TOKEN_READ, TOKEN_WRITTEN = 0.15, 0.60
HOURS = 730


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`a_turn` and `fixed` are dollars, for each turn and for each month."""

    what: str
    amount: str
    a_turn: float = 0.0
    fixed: float = 0.0

    def cost(self, turns: int) -> float:
        return self.fixed + self.a_turn * turns


def lines() -> list[Line]:
    """Everything that is paid for."""
    gigabyte_seconds = _seconds() * MEMORY_GIGABYTES
    model = (TOKENS_READ * TOKEN_READ + TOKENS_WRITTEN * TOKEN_WRITTEN) / MILLION
    kept = ALARMS * ALARM + SECRETS * SECRET + DASHBOARD + IMAGE_GIGABYTES * REGISTRY
    return [
        Line(
            what=f"Lambda, x86_64, {MEMORY_GIGABYTES} GB, ${GIGABYTE_SECOND:.10f} a GB-second",
            amount=f"{gigabyte_seconds:.2f} GB-seconds",
            a_turn=gigabyte_seconds * GIGABYTE_SECOND,
        ),
        Line(
            what=f"Lambda requests, {_price(LAMBDA_REQUESTS)} a million", amount="1", a_turn=LAMBDA_REQUESTS / MILLION
        ),
        Line(what=f"HTTP API, {_price(API_REQUESTS)} a million", amount="1", a_turn=API_REQUESTS / MILLION),
        Line(
            what=f"DynamoDB, ${READS} and ${WRITES} a million",
            amount=f"{READ_UNITS} read units, {WRITE_UNITS} write units",
            a_turn=(READ_UNITS * READS + WRITE_UNITS * WRITES) / MILLION,
        ),
        Line(
            what=f"CloudWatch logs, {_price(LOGS)} a GB",
            amount=f"{LOG_KILOBYTES} KB",
            a_turn=LOG_KILOBYTES * LOGS / MILLION,
        ),
        Line(what=f"X-Ray, {_price(TRACES)} a million traces", amount="at most 1", a_turn=TRACES / MILLION),
        Line(
            what=f"CloudWatch metrics, {_price(METRIC)} each", amount=f"about {METRICS} of them", fixed=METRICS * METRIC
        ),
        Line(what="four alarms, a dashboard, one secret, the image in ECR", amount="", fixed=kept),
        Line(
            what=f"OpenAI `gpt-4o-mini`, {_price(TOKEN_READ)} and {_price(TOKEN_WRITTEN)} a million tokens",
            amount=f"{TOKENS_READ} read and {TOKENS_WRITTEN} written, every tenth turn",
            a_turn=SHARES["external"] * model,
        ),
    ]


def table() -> Iterator[str]:
    """The table in Markdown, and beneath it what follows from it."""
    yield f"| | what a turn takes | {VOLUMES[0]:,} turns | {VOLUMES[1]:,} turns |"
    yield "| --- | --- | ---: | ---: |"
    paid = lines()
    for line in paid:
        yield _row(line.what, line.amount, [line.cost(turns) for turns in VOLUMES])
    yield _row("**together**", "", [sum(line.cost(turns) for line in paid) for turns in VOLUMES], bold=True)


def remarks() -> dict[str, str]:
    """The dollars that the text beneath the table names."""
    paid = lines()
    saved = 0.1 * MILLION * (SECONDS["local"] - SECONDS["canned"]) * MEMORY_GIGABYTES * GIGABYTE_SECOND
    dollars = {
        "a small bot without metrics, 1,000 turns": sum(line.cost(VOLUMES[0]) for line in paid) - METRICS * METRIC,
        "a tenth of a million turns canned, not local": saved,
        "a tenth of a million turns canned, not external": saved + paid[-1].cost(MILLION),
        "arm64, off the first line of a million turns": paid[0].cost(MILLION) * ARM_DISCOUNT,
        "one instance kept warm": GIGABYTE_SECOND_KEPT_WARM * MEMORY_GIGABYTES * 3600 * HOURS,
    }
    return {what: _price(amount) for what, amount in dollars.items()}


def main() -> int:
    print("\n".join(table()))
    print()
    print("\n".join(f"{what}: {dollars}" for what, dollars in remarks().items()))
    return 0


def _seconds() -> float:
    return sum(share * SECONDS[engine] for engine, share in SHARES.items()) + COLD_SHARE * COLD_SECONDS


def _price(dollars: float) -> str:
    return f"${dollars:.2f}"


def _row(what: str, amount: str, costs: list[float], *, bold: bool = False) -> str:
    cells = [f"**{cost:.2f}**" if bold else f"{cost:.2f}" for cost in costs]
    return f"| {what} | {amount} | {' | '.join(cells)} |".replace("|  |", "| |")


if __name__ == "__main__":
    sys.exit(main())
