"""The `generate` step: asks its models in turn until one gives an answer that no detector objects to.

A model that raises always escalates, whether or not the pipeline lists `error`: that is what the next one is for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from engine.core.deadline import Deadline
from engine.core.errors import AuthFailed, BackendError, BadRequest, Cancelled, RateLimited
from engine.core.events import Escalation, ModelAnswered, ModelAsked, ModelFailed
from engine.core.expression import LazyMapping
from engine.core.language import joined, phrase
from engine.core.node import MappingNode, ScalarNode
from engine.core.plan import ExpressionDetector, NamedDetector, Step
from engine.core.ports import Hold, LanguageModel, Preparing, Streaming
from engine.core.record import replace
from engine.core.turn import Completion, Prompt
from engine.expressions.evaluate import holds
from engine.guardrails.answers import DETECTORS, DOUBTS, detects, hear, is_of
from engine.steps.gate import Gate
from engine.steps.kinds import Answer, Escalate, Scene, StepResult, Told
from engine.steps.prompt import compose
from engine.steps.spec import DetectorSpec, ExpressionDetectorSpec, NamedDetectorSpec, StepSpec

if TYPE_CHECKING:
    from engine.guardrails.placeholders import Placeholders
    from engine.steps.explaining import View

_DETECTOR = {
    "description": "A named detector, `low_confidence: 0.25`, or `if:` with an expression and a `reason:`.",
    "if": {"type": "string"},
    "then": {"enum": ["error", "timeout", *DETECTORS]},
    "else": {
        "type": "object",
        "errorMessage": "expected the name of a detector, `low_confidence:` with a number, or `if:` with a `reason:`",
        "additionalProperties": False,
        "minProperties": 1,
        "dependentRequired": {"if": ["reason"], "reason": ["if"], "doubt": ["if"]},
        "not": {"required": ["low_confidence", "if"]},
        "properties": {
            "low_confidence": {
                "description": "The answer is unfit when the mean probability of its tokens is below this.",
                "type": "number",
                "exclusiveMinimum": 0,
                "exclusiveMaximum": 1,
            },
            "if": {
                "description": "The answer is unfit when this expression is true. Besides the usual names: "
                "output.text, output.finish_reason, output.tokens, output.confidence, output.seconds, error.",
                "$ref": "#/$defs/condition",
            },
            "reason": {
                "description": "The words that responses and traces give as the reason.",
                "$ref": "#/$defs/text",
            },
            "doubt": {
                "description": "Whether the answer is said all the same where no later step answers, as with "
                "`low_confidence` and `truncated`.",
                "type": "boolean",
                "default": False,
            },
        },
    },
}

SCHEMA = {
    "description": "Asks a model, or several in turn until one answers.",
    "required": ["prompt"],
    "oneOf": [{"required": ["model"]}, {"required": ["models"]}],
    "properties": {
        "model": {"description": "The model that is asked, by its name under `models`.", "$ref": "#/$defs/text"},
        "models": {
            "description": "Several models, asked in this order until one answers.",
            "type": "array",
            "minItems": 1,
            "maxItems": 20,
            "items": {"description": "A model, by its name under `models`.", "$ref": "#/$defs/text"},
        },
        "prompt": {
            "description": "The template of the instructions, a file relative to this one.",
            "$ref": "#/$defs/text",
        },
        "timeout": {
            "description": "The longest that this step may take, as `4s` or `900ms`. Default: what is left of the "
            "deadline.",
            "$ref": "#/$defs/duration",
        },
        "escalate_when": {
            "description": "What makes an answer unfit, so that the turn goes on to the next step.",
            "type": "array",
            "maxItems": 30,
            "items": _DETECTOR,
        },
        "escalate_to": {
            "description": "The later step that goes on when this one fails. Default: the next one.",
            "$ref": "#/$defs/text",
        },
    },
}


def read(spec: StepSpec, node: MappingNode) -> StepSpec:
    single = node.optional_text("model")
    return replace(
        spec,
        models=node.texts("models") if single is None else (single,),
        prompt=node.text("prompt"),
        timeout=node.duration("timeout"),
        detectors=tuple(_detector(item) for item in node.items("escalate_when")),
        escalate_to=node.optional_text("escalate_to"),
    )


def _detector(item: Any) -> DetectorSpec:
    if isinstance(item, ScalarNode):
        return NamedDetectorSpec(name=item.text)
    confidence = item.entry("low_confidence")
    if confidence is not None:
        return NamedDetectorSpec(name=confidence.key, threshold=item.number("low_confidence"))
    return ExpressionDetectorSpec(test=item.text("if"), reason=item.text("reason"), doubt=item.flag("doubt"))


def explain(step: Step, view: View) -> Told:
    reasons = ["error", "timeout", "empty"]
    for detector in step.detectors:
        bound = None if isinstance(detector, ExpressionDetector) else detector.threshold
        if bound is None:
            reasons.append(detector.reason)
        else:
            reasons.append(phrase("{reason} below {bound:g}", reason=detector.reason, bound=bound))
    target = f"`{view.after.id}`" if view.after else phrase("nothing")
    named = joined("{before}, {after}", dict.fromkeys(reasons))
    why = phrase("on {reasons} the turn goes on to {target}", reasons=named, target=target)
    return Told(action=phrase("asks {models}", models=joined("{before}, then {after}", step.models)), why=why)


def run(step: Step, scene: Scene) -> StepResult:
    return _Asking(step, scene).run()


class _Asking:
    """One step's questions in one turn; `_doubtful` is the first answer that is better than none."""

    def __init__(self, step: Step, scene: Scene) -> None:
        self._step = step
        self._scene = scene
        self._prompt = compose(step, scene)
        # What sort of sentence the user's is, where the pipeline can tell.
        kind = scene.names.get("kind")
        name = kind.get("name") if isinstance(kind, Mapping) else None
        self._heard = hear(scene.turn, scene.plan.locale, name, scene.plan.persona.examples)
        self._deadline = scene.deadline if step.timeout is None else scene.deadline.within(step.timeout)
        self._doubtful: Answer | None = None

    def run(self) -> StepResult:
        for place, name in enumerate(self._step.models):
            completion = self._ask(name, self._until(place))
            if completion is not None:
                return self._answer(name, completion)
        return Escalate(to=self._step.escalate_to, doubtful=self._doubtful)

    def _answer(self, name: str, completion: Completion) -> Answer:
        engine = self._scene.services.models[name].engine
        return Answer(reply=completion.text, engine=engine, model=name, completion=completion)

    def _until(self, place: int) -> Deadline:
        """Leaves time to the models behind the one at `place`, the first of which may get ready now."""
        models, own = self._scene.services.models, self._step.models[place + 1 :]

        def available(names: Iterable[str]) -> list[LanguageModel]:
            """Those that could answer now, as far as they know themselves; one that is switched off is not there."""
            there = [models[name] for name in dict.fromkeys(names) if name in models]
            return [model for model in there if model.status().state != "unavailable"]

        rest, behind = available(own), available((*own, *self._scene.behind))
        if behind and isinstance(behind[0], Preparing):
            behind[0].prepare(self._prompt_for(behind[0]))
        return self._scene.deadline.shared(len(behind)).within(self._deadline.shared(len(rest)).remaining())

    def _ask(self, name: str, until: Deadline) -> Completion | None:
        """The answer of the model `name`, unless it fails or a detector objects; tells what became of it."""
        began, step, tell = until.clock(), self._step.id, self._scene.tell
        tell(ModelAsked(step=step, model=name))
        gate = self._gate(self._scene.services.models[name])
        try:
            completion = self._generate(name, until, gate)
        except BackendError as error:
            tell(_failure(step, name, error, until.clock() - began))
            if gate is not None and gate.said:
                return gate.interrupted(name, "" if until.cancelled else self._scene.plan.closing)
            if until.cancelled:
                # Whatever the model says of it: what was not asked for want of time has no other cause.
                raise Cancelled("nobody waits for the answer any more", backend=error.backend) from error
            tell(Escalation(step=step, reason=self._reason(error), model=name, detail=str(error)))
            return None
        is_said = gate is not None and gate.said != ""
        objections = [] if is_said else list(self._objections(completion))
        reason = objections[0][0] if objections else gate.reason if gate is not None else None
        answered = ModelAnswered(
            step=step,
            model=name,
            finish_reason=completion.finish_reason,
            prompt_tokens=completion.prompt_tokens,
            tokens=completion.completion_tokens,
            confidence=completion.confidence,
            escalates=reason,
            seconds=until.clock() - began,
        )
        tell(answered)
        if gate is not None and is_said:
            if reason is None:
                return completion
            # It ends before its end, with the pipeline's last words.
            return replace(completion, text=gate.interrupted(completion.model, self._scene.plan.closing).text)
        if reason is None:
            return completion
        tell(Escalation(step=step, reason=reason, model=name))
        if self._doubtful is None and all(is_doubt for _, is_doubt in objections):
            self._doubtful = self._answer(name, completion)
        return None

    def _gate(self, model: LanguageModel) -> Gate | None:
        """What lets the sentences of `model` through while they come, where the turn and the model are streamed."""
        if self._scene.say is None or not isinstance(model, Streaming):
            return None

        def against(so_far: Completion) -> str | None:
            return next((reason for reason, _ in self._objections(so_far)), None)

        return Gate(self._scene.say, self._against_sentence, against, partial(self._restored, model))

    def _generate(self, name: str, until: Deadline, gate: Gate | None) -> Completion:
        """The answer of a model; what was kept from it stands in the answer again, before anybody judges that."""
        model, purse = self._scene.services.models[name], self._scene.services.purse
        prompt = self._prompt_for(model)

        def ask() -> Completion:
            if gate is not None and isinstance(model, Streaming):
                return gate.listen(name, model.stream(prompt, until))
            completion = model.generate(prompt, until)
            return replace(completion, text=self._restored(model, completion.text))

        if purse is None or model.engine != "external":
            return ask()
        return _paid(ask, purse.reserve(name, prompt, until))

    def _prompt_for(self, model: LanguageModel) -> Prompt:
        return self._masked[0] if self._keeps_from(model) else self._prompt

    def _restored(self, model: LanguageModel, text: str, goes_on: bool = False) -> str:  # noqa: FBT001, FBT002  as the gate calls it
        """A text of `model` with what was kept from it; it `goes_on` while it comes."""
        return self._masked[1].restore(text, goes_on=goes_on) if self._keeps_from(model) else text

    def _keeps_from(self, model: LanguageModel) -> bool:
        return bool(self._scene.plan.mask) and model.engine == "external"

    @cached_property
    def _masked(self) -> tuple[Prompt, Placeholders]:
        from engine.guardrails.placeholders import mask_prompt  # noqa: PLC0415  only external models need it

        return mask_prompt(self._prompt, self._scene.plan.mask)

    def _objections(self, completion: Completion) -> Iterator[tuple[str, bool]]:
        """The reasons against an answer in the order of the pipeline, each with whether it is a mere doubt."""
        names: LazyMapping | None = None
        output = {name: getattr(completion, name) for name in ("text", "finish_reason", "confidence", "seconds")}
        output["tokens"] = completion.completion_tokens
        for detector in self._step.detectors:
            if isinstance(detector, ExpressionDetector):
                names = names or self._scene.names.also(output=output, error=None)
                if holds(detector.test, names):
                    yield detector.reason, detector.doubt
            elif detects(detector, completion, self._heard):
                yield detector.name, detector.name in DOUBTS
        # Whatever a pipeline lists, what a filter has cut is no answer, and silence is none.
        if completion.finish_reason == "refusal":
            yield "refusal", False
        if not completion.text.strip():
            yield "empty", False

    def _against_sentence(self, sentence: Completion) -> str | None:
        """The first reason against a sentence by itself."""
        named = [one for one in self._step.detectors if isinstance(one, NamedDetector) and is_of(one, sentence)]
        return next((one.name for one in named if detects(one, sentence, self._heard)), None)

    def _reason(self, error: BackendError) -> str:
        """The reason that the pipeline gives to `error`, or its own."""
        names = self._scene.names.also(output={}, error=error.kind)
        tests = [detector for detector in self._step.detectors if isinstance(detector, ExpressionDetector)]
        return next((detector.reason for detector in tests if holds(detector.test, names)), error.reason)


def _failure(step: str, model: str, error: BackendError, seconds: float) -> ModelFailed:
    told = {name: getattr(error, name) for name in ("called", "reason", "kind", "status", "code")}
    return ModelFailed(step=step, model=model, problem=str(error), name=error.model, seconds=seconds, **told)


def _paid(ask: Callable[[], Completion], hold: Hold | None) -> Completion:
    """The answer of a model, paid from `hold`."""
    if hold is None:
        return ask()
    try:
        completion = ask()
    except BackendError as error:
        # A request that was refused costs nothing; of one that was cut off nobody knows.
        if not error.called or isinstance(error, (RateLimited, AuthFailed, BadRequest)):
            hold.settle(None)
        else:
            hold.lose()
        raise
    hold.settle(completion)
    return completion
