"""Tells what a call of an external model costs, and what it costs at most, in millionths of a dollar."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping

from engine.core.plan import ModelRow, Plan
from engine.core.turn import Completion, Prompt
from engine.models.registry import BACKENDS

Price = tuple[float, float]
"""Dollars for a million tokens, read and written: so many millionths of a dollar for each token."""
Prices = Mapping[str, Price]
"""By the model's name in the pipeline."""

MOST_TOKENS = 32_768
"""Written by a model whose row has no `max_tokens`."""
_FRAME = 16
"""Tokens around each message, at most."""


def read_prices(text: str) -> Prices:
    """`{"openai": [0.15, 0.60]}` as prices; raises `ValueError` with a message for the operator."""
    problem = (
        'MODEL_PRICES is no JSON object such as {"openai": [0.15, 0.60]}: dollars for a million tokens, in and out'
    )
    try:
        document = json.loads(text or "{}")
        prices = {str(name): (float(read), float(written)) for name, (read, written) in document.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ValueError(problem) from None
    if not all(math.isfinite(price) and price >= 0 for pair in prices.values() for price in pair):
        raise ValueError(problem)
    return prices


def known_prices(plan: Plan, env: Mapping[str, str]) -> tuple[Prices, str]:
    """The prices of the pipeline's models; and what is wrong with `MODEL_PRICES`, which counts for nothing then."""
    try:
        return prices_of(plan, read_prices(env.get("MODEL_PRICES", ""))), ""
    except ValueError as error:
        return prices_of(plan, {}), str(error)


def prices_of(plan: Plan, given: Prices) -> dict[str, Price]:
    """The prices of the pipeline's models: those `given`, or else those that it lists for what its models are now."""
    listed = plan.limits.prices if plan.limits else {}
    found = dict(given)
    for name, row in plan.models.items():
        model = row.settings.get("model")
        for vendors, price in listed.items():
            # Bedrock's names may begin with the regions of a profile.
            if name not in found and isinstance(model, str) and f".{model}".endswith(f".{vendors}"):
                found[name] = (price[0], price[1])
    return found


def missing(plan: Plan, prices: Prices) -> Iterator[str]:
    """What to tell of each external model that no limit of money lets be asked, as it has no price."""
    if plan.limits is None or not plan.limits.bound_money:
        return
    for name, row in plan.models.items():
        if BACKENDS[row.backend].engine == "external" and name not in prices:
            called = row.settings.get("model") or row.backend
            remedy = f'MODEL_PRICES={{"{name}": [dollars for a million tokens read, and written]}}'
            listed = f" among those of {plan.limits.priced}" if plan.limits.priced else ""
            yield f"`{name}` ({called}) has no price{listed}, so `limits` do not let it be asked: {remedy}"


def most(prompt: Prompt, row: ModelRow, price: Price) -> int:
    """The highest cost of asking `row`: no token is shorter than a byte, and none is written beyond `max_tokens`."""
    exchanges = (*prompt.examples, *prompt.near)
    texts = [prompt.system, prompt.text, *(message.text for message in prompt.history)]
    texts += [text for one in exchanges for text in (one.user, one.reply)]
    read = sum(len(text.encode("utf-8", "replace")) + _FRAME for text in texts)
    given = row.settings.get("max_tokens")
    written = given if isinstance(given, int) else MOST_TOKENS
    return math.ceil(read * price[0] + written * price[1])


def cost(completion: Completion, price: Price) -> int | None:
    """The cost of an answer; `None` where the provider does not tell its tokens."""
    read, written = completion.prompt_tokens, completion.completion_tokens
    return None if read is None or written is None else math.ceil(read * price[0] + written * price[1])
