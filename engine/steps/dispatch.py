"""Runs a step by its kind: the one place where the kinds stand together."""

from __future__ import annotations

from engine.core.plan import GenerateStep, RepliesStep, SayStep, SetStep, Step
from engine.steps.replies import run as run_replies
from engine.steps.result import Scene, StepResult
from engine.steps.say import run as run_say
from engine.steps.set import run as run_set


def run_step(step: Step, scene: Scene) -> StepResult:
    match step:
        case RepliesStep():
            return run_replies(step, scene)
        case GenerateStep():
            from engine.steps.generate import run as run_generate  # noqa: PLC0415 - no part of a canned reply

            return run_generate(step, scene)
        case SayStep():
            return run_say(step, scene)
        case SetStep():
            return run_set(step, scene)
