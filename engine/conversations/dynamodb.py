"""Sessions in a DynamoDB table with the string key `id` and the time-to-live attribute `expires`.

boto3 is imported at the first turn. Region, credentials and endpoint are boto3's own settings, such as `AWS_REGION`
and `AWS_ENDPOINT_URL_DYNAMODB`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.conversations.guard import StoreFailed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TTL = 30 * 24 * 3600.0
"""Seconds after its last turn that a session is remembered."""
CONNECT_TIMEOUT = 0.5
READ_TIMEOUT = 1.0
TRIES = 2


class DynamoBacking:
    """One client for the life of the process; botocore's clients may be shared by threads."""

    def __init__(self, table: str, *, ttl: float = TTL, now: Callable[[], float] = time.time) -> None:
        self._table = table
        self._ttl = ttl
        self._now = now
        self._lock = threading.Lock()
        self._client: DynamoDBClient | None = None

    def read(self, session_id: str) -> str | None:
        with self._dynamodb() as client:
            key = {"id": {"S": session_id}}
            item = client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        # DynamoDB deletes what has expired up to days later.
        if item is None or float(item.get("expires", {}).get("N", "0")) <= self._now():
            return None
        return item.get("state", {}).get("S")

    def write(self, session_id: str, turns: int, state: str) -> None:
        item = {
            "id": {"S": session_id},
            "turns": {"N": str(turns)},
            "state": {"S": state},
            "expires": {"N": str(int(self._now() + self._ttl))},
        }
        with self._dynamodb() as client:
            try:
                client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="attribute_not_exists(id) OR turns < :turns OR expires <= :now",
                    ExpressionAttributeValues={":turns": {"N": str(turns)}, ":now": {"N": str(int(self._now()))}},
                )
            except client.exceptions.ConditionalCheckFailedException:
                # Another container has kept a later turn of this session already.
                return

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    @contextmanager
    def _dynamodb(self) -> Iterator[DynamoDBClient]:
        try:
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError:
            raise StoreFailed("SESSION_STORE names dynamodb and boto3 is not installed: pip install boto3") from None
        try:
            yield self._connected()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "refused")
            raise StoreFailed(f"SESSION_STORE dynamodb:{self._table}: {code}") from None
        except (BotoCoreError, ValueError) as error:
            # Their messages may quote what was sent or came back.
            raise StoreFailed(f"SESSION_STORE dynamodb:{self._table}: {type(error).__name__}") from None

    def _connected(self) -> DynamoDBClient:
        import boto3
        from botocore.config import Config

        with self._lock:
            if self._client is None:
                config = Config(
                    connect_timeout=CONNECT_TIMEOUT,
                    read_timeout=READ_TIMEOUT,
                    retries={"mode": "standard", "total_max_attempts": TRIES},
                )
                self._client = boto3.client("dynamodb", config=config)
            return self._client
