"""Recognises events that other services send, and that hold no turn: of queues, streams, schedules and triggers.

All get the same refusal, `not_a_turn`, in the proxy form of every other answer. What a sender reads beside that form is
added: a batch is reported as failed, so that its queue keeps it, and an authorizer's question is answered with no.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.core.record import field, record


@record
class Source:
    """`name` is the sender as its documentation calls it; `answer` is what it reads beside the proxy response."""

    name: str
    answer: Mapping[str, Any] = field(default_factory=dict)


_ENVELOPES: Mapping[str, str] = {
    "Records": "an event source",
    "eventSource": "an event source",
    "EventSource": "an event source",
    "deliveryStreamArn": "Data Firehose",
    "detail-type": "EventBridge",
    "triggerSource": "Cognito",
    "identityPoolId": "Cognito",
    "StackId": "CloudFormation",
    "awslogs": "CloudWatch Logs",
}
"""Keys that AWS alone writes; whatever else such an event holds, it is no turn."""

_STEP_FUNCTIONS = (
    "Execution StateMachine State executionArn stateMachineArn taskToken TaskToken token Token Input Payload Comment"
)
_SIGNS: Mapping[str, str] = {
    "alarmArn": "CloudWatch",
    "AlarmName": "CloudWatch",
    "CodePipeline.job": "CodePipeline",
    "LifecycleEventHookExecutionId": "CodeDeploy",
    "invokingEvent": "AWS Config",
    "invocationSchemaVersion": "S3 Batch Operations",
    "getObjectContext": "S3 Object Lambda",
    "SecretId": "Secrets Manager",
    "bot": "Lex",
    "agent": "Bedrock Agents",
    "Details": "Connect",
    "request": "Alexa",
    "directive": "Alexa",
    "arguments": "AppSync",
    "raw_path": "VPC Lattice",
    **dict.fromkeys(_STEP_FUNCTIONS.split(), "Step Functions"),
    **dict.fromkeys(("source", "detail", "warmer", "warmup", "warm", "keepalive", "ping"), "a schedule"),
}
"""Keys of events without a text; beside a text they mean nothing."""

_SERVICES: Mapping[str, str] = {
    "aws:sqs": "SQS",
    "aws:sns": "SNS",
    "aws:s3": "S3",
    "aws:dynamodb": "DynamoDB Streams",
    "aws:kinesis": "Kinesis",
    "aws:ses": "SES",
    "aws:mq": "Amazon MQ",
    "aws:rmq": "Amazon MQ",
    "aws:kafka": "Kafka",
    "selfmanagedkafka": "Kafka",
    "aws:docdb": "DocumentDB",
    "aws:codecommit": "CodeCommit",
}
"""Event sources as records name them."""


def source_of(event: Any, *, has_text: bool) -> Source | None:
    """Finds what sent `event`, where it is known to hold no turn; `has_text` where it has a field for a text."""
    if isinstance(event, list):
        # EventBridge Pipes and batches of AppSync come without an envelope.
        first = source_of(event[0], has_text=False) if event and isinstance(event[0], Mapping) else None
        return first and Source(name=first.name, answer=_failed(event))
    if not isinstance(event, Mapping):
        return None
    context = event.get("requestContext")
    if isinstance(context, Mapping) and ("connectionId" in context or "serviceNetworkArn" in context):
        return Source(name="a WebSocket API" if "connectionId" in context else "VPC Lattice")
    if "methodArn" in event or "routeArn" in event:
        return Source(name="an API Gateway authorizer", answer={"isAuthorized": False})
    signs = _ENVELOPES if has_text else {**_ENVELOPES, **_SIGNS}
    name = next((name for key, name in signs.items() if key in event), None)
    if name is None:
        return None
    records = event.get("Records")
    records = records if isinstance(records, list) else []
    return Source(name=_service((event, *records[:1])) or name, answer=_failed(records))


def _service(places: Sequence[Any]) -> str | None:
    for place in places:
        named = place.get("eventSource", place.get("EventSource")) if isinstance(place, Mapping) else None
        if isinstance(named, str) and named.lower() in _SERVICES:
            return _SERVICES[named.lower()]
    return None


def _failed(records: Sequence[Any]) -> dict[str, Any]:
    """The report of a batch of which nothing was handled; empty where the sender asks for none."""
    failures = []
    for one in records:
        if isinstance(one, Mapping):
            # What SQS, Kinesis and DynamoDB Streams call a record.
            streams = ((one.get("kinesis"), "sequenceNumber"), (one.get("dynamodb"), "SequenceNumber"))
            numbers = (part.get(key) for part, key in streams if isinstance(part, Mapping))
            found = one.get("messageId") or next(filter(None, numbers), None)
            failures += [{"itemIdentifier": found}] if isinstance(found, str) else []
    return {"batchItemFailures": failures} if failures else {}
