"""Rooms in a DynamoDB table with the string keys `pk` and `sk`, the local index `by_update` (`pk` and the number
`updated`) and the time-to-live attribute `expires`.

boto3 is imported at the first turn. Region, credentials and endpoint are boto3's own settings, such as `AWS_REGION`
and `AWS_ENDPOINT_URL_DYNAMODB`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from engine.conversations.items import Change, Item, Items, Key, Lost, Put
from engine.core.errors import StoreFailed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEX = "by_update"
"""Its projection includes `data`, `version` and `expires`."""
CONNECT_TIMEOUT = 0.5
READ_TIMEOUT = 1.0
TRIES = 2
_BATCH = 25
"""Removals in one request, as DynamoDB allows."""
_LEFT = 4
"""Requests for what DynamoDB leaves undone of a batch."""
_RACES = frozenset({"ConditionalCheckFailed", "TransactionConflict"})


class DynamoStorage:
    """One client for the life of the process; botocore's clients may be shared by threads."""

    def __init__(self, table: str, *, now: Callable[[], float] = time.time, read_timeout: float = READ_TIMEOUT) -> None:
        self._table = table
        self._read_timeout = read_timeout
        self._now = now
        self._lock = threading.Lock()
        self._client: DynamoDBClient | None = None

    def get(self, keys: Sequence[Key]) -> Mapping[Key, Item]:
        wanted: Any = {"Keys": [_place(key) for key in keys], "ConsistentRead": True}
        found: list[Any] = []
        with self._dynamodb() as client:
            for _ in range(_LEFT):
                answer = client.batch_get_item(RequestItems={self._table: wanted})
                found += answer.get("Responses", {}).get(self._table, ())
                left = answer.get("UnprocessedKeys", {})
                if not left:
                    return {item.key: item for item in self._present(found)}
                wanted = left[self._table]
        raise StoreFailed(f"SESSION_STORE dynamodb:{self._table}: too many requests")

    def page(self, partition: str, prefix: str, limit: int, *, after: str | None = None, newest: bool = False) -> Items:
        request: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": partition}},
            "ScanIndexForward": not newest,
        }
        if prefix:
            request["KeyConditionExpression"] += " AND begins_with(sk, :prefix)"
            request["ExpressionAttributeValues"][":prefix"] = {"S": prefix}
        if after is not None:
            request["ExclusiveStartKey"] = _place(Key(partition, after))
        return self._query(limit, request)

    def listed(self, partition: str, limit: int, after: tuple[str, int] | None = None) -> Items:
        request: dict[str, Any] = {
            "IndexName": INDEX,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": partition}},
            "ScanIndexForward": False,
        }
        if after is not None:
            request["ExclusiveStartKey"] = _place(Key(partition, after[0])) | {"updated": {"N": str(after[1])}}
        return self._query(limit, request)

    def write(self, changes: Sequence[Change]) -> None:
        now = str(int(self._now()))
        requests: Any = [self._change(change, now) for change in changes]
        with self._dynamodb() as client:
            try:
                client.transact_write_items(TransactItems=requests)
            except client.exceptions.TransactionCanceledException as error:
                reasons = [str(one.get("Code", "None")) for one in error.response.get("CancellationReasons", ())]
                if any(reason in _RACES for reason in reasons):
                    raise Lost from None
                raise
            except client.exceptions.TransactionConflictException:
                raise Lost from None

    def discard(self, keys: Iterable[Key]) -> None:
        remaining = iter(keys)
        with self._dynamodb() as client:
            while batch := [{"DeleteRequest": {"Key": _place(key)}} for key in islice(remaining, _BATCH)]:
                requests: Any = {self._table: batch}
                for attempt in range(_LEFT + 1):
                    if attempt == _LEFT:
                        raise StoreFailed(f"SESSION_STORE dynamodb:{self._table}: too many requests")
                    requests = client.batch_write_item(RequestItems=requests).get("UnprocessedItems", {})
                    if not requests:
                        break

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _query(self, limit: int, request: Mapping[str, Any]) -> Items:
        """One page of `limit` items at most, and whether there are more."""
        with self._dynamodb() as client:
            answer = client.query(TableName=self._table, ConsistentRead=True, Limit=limit + 1, **request)
            found = answer.get("Items", [])
            # With more than fit a page of DynamoDB's own, the next one begins where this one ended.
            last: Any = found[limit - 1] if len(found) > limit else answer.get("LastEvaluatedKey")
            position = None if not last else (last["sk"]["S"], int(last.get("updated", {}).get("N", "0")))
            return Items(items=tuple(self._present(found[:limit])), next=position)

    def _present(self, found: Iterable[Any]) -> Iterator[Item]:
        """Those that have not expired: DynamoDB deletes them up to days later."""
        now = self._now()
        for raw in found:
            item = Item(
                key=Key(raw["pk"]["S"], raw["sk"]["S"]),
                data=raw["data"]["S"],
                state=raw["state"]["S"] if "state" in raw else "",
                version=int(raw["version"]["N"]),
                expires=int(raw["expires"]["N"]),
                updated=int(raw["updated"]["N"]) if "updated" in raw else None,
            )
            if item.expires > now:
                yield item

    def _change(self, change: Change, now: str) -> dict[str, Any]:
        request: dict[str, Any] = {"TableName": self._table}
        if change.found == 0:
            request["ConditionExpression"] = "attribute_not_exists(pk) OR expires <= :now"
            request["ExpressionAttributeValues"] = {":now": {"N": now}}
        elif change.found is not None:
            request["ConditionExpression"] = "version = :found AND expires > :now"
            request["ExpressionAttributeValues"] = {":found": {"N": str(change.found)}, ":now": {"N": now}}
        if isinstance(change, Put):
            return {"Put": request | {"Item": _attributes(change.item)}}
        return {"Delete": request | {"Key": _place(change.key)}}

    @contextmanager
    def _dynamodb(self) -> Iterator[DynamoDBClient]:
        try:
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError:
            raise StoreFailed("SESSION_STORE names dynamodb and boto3 is not installed: pip install boto3") from None
        place = f"SESSION_STORE dynamodb:{self._table}"
        try:
            yield self._connected()
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "refused"))
            # So it answers where the table has other keys, as that of an earlier version has.
            hint = f"; it needs the keys `pk` and `sk` and the index `{INDEX}`" if code == "ValidationException" else ""
            raise StoreFailed(f"{place}: {code}{hint}") from None
        except (BotoCoreError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
            # Their messages may quote what was sent or came back.
            raise StoreFailed(f"{place}: {type(error).__name__}") from None

    def _connected(self) -> DynamoDBClient:
        import boto3
        from botocore.config import Config

        with self._lock:
            if self._client is None:
                config = Config(
                    connect_timeout=CONNECT_TIMEOUT,
                    read_timeout=self._read_timeout,
                    retries={"mode": "standard", "total_max_attempts": TRIES},
                )
                self._client = boto3.client("dynamodb", config=config)
            return self._client


def _place(key: Key) -> dict[str, Any]:
    return {"pk": {"S": key.partition}, "sk": {"S": key.name}}


def _attributes(item: Item) -> dict[str, Any]:
    attributes = _place(item.key) | {
        "data": {"S": item.data},
        "version": {"N": str(item.version)},
        "expires": {"N": str(item.expires)},
    }
    if item.state:
        attributes["state"] = {"S": item.state}
    if item.updated is not None:
        attributes["updated"] = {"N": str(item.updated)}
    return attributes
