"""The model of kinds that a pipeline's examples teach, learned when the first text asks for it or a plan is stored."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from engine.core.plan import Plan
from engine.kinds.features import features
from engine.kinds.learning import learn
from engine.kinds.model import KindModel
from engine.pipeline.spec import KindSpec


def kind_model(kinds: Sequence[KindSpec]) -> KindModel | None:
    """None for a pipeline without kinds."""
    examples = tuple((kind.name.value, example.value) for kind in kinds for example in kind.examples)
    return KindModel(lambda: memoryview(_learned(examples))) if examples else None


def learn_kinds(plan: Plan) -> None:
    """Learn now what the first turn that asks for a kind would wait for; a stored plan holds it already."""
    if isinstance(plan.kinds, KindModel):
        plan.kinds.learn()


@lru_cache(maxsize=4)
def _learned(examples: tuple[tuple[str, str], ...]) -> bytes:
    """The stored model; a pipeline that is loaded again with the same examples learns nothing anew."""
    return learn([(kind, features(text)) for kind, text in examples])
