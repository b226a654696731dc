"""The events table as DynamoDB would keep it, behind a recording server.

It evaluates the expressions that the functions send, so that a test can ask what becomes of an item rather than which
words were sent. An expression that it does not understand, and a name or value that is declared and not used, is a
ValidationException, as with DynamoDB.
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any, Final

from tests.lambda_src.recording_server import Answer, Recorded, RecordingServer, fault, ok

if TYPE_CHECKING:
    from collections.abc import Callable

Item = dict[str, dict[str, Any]]

_RESERVED: Final = {"status", "type", "data"}
_TOKEN: Final = re.compile(r"<=|[=+(),]|[#:]?\w+")
_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {"=": operator.eq, "<=": operator.le}


class _Malformed(Exception):
    """An expression that DynamoDB would not take."""


class EventTable:
    """Items by tenant and event, as the last of the writes left them.

    Args:
        server: The server whose DynamoDB operations this table answers.
        page_size: How many items a page of a query has.
    """

    def __init__(self, server: RecordingServer, page_size: int = 100) -> None:
        self.items: dict[tuple[str, str], Item] = {}
        self._page_size = page_size
        server.script("PutItem", self.put)
        server.script("UpdateItem", self.update)
        server.script("GetItem", self.get)
        server.script("Query", self.query)

    def only(self) -> Item:
        """Give the one item that there is."""
        (item,) = self.items.values()
        return item

    def put(self, request: Recorded) -> Answer:
        """Answer PutItem."""
        sent = request.json
        return self._write(request, _key(sent["Item"]), lambda _: dict(sent["Item"]))

    def update(self, request: Recorded) -> Answer:
        """Answer UpdateItem."""
        sent = request.json
        return self._write(request, _key(sent["Key"]), lambda item: _updated(item | sent["Key"], sent))

    def get(self, request: Recorded) -> Answer:
        """Answer GetItem."""
        item = self.items.get(_key(request.json["Key"]))
        return ok({} if item is None else {"Item": item})

    def query(self, request: Recorded) -> Answer:
        """Answer Query on the pending index."""
        sent = request.json
        found = sorted(
            (
                item
                for item in self.items.values()
                if "pending" in item and _holds(sent, "KeyConditionExpression", item)
            ),
            key=lambda item: str(item["resend_at"]["S"]),
        )
        start = int(sent.get("ExclusiveStartKey", {}).get("offset", {}).get("N", "0"))
        end = start + self._page_size
        page = {"Items": found[start:end], "Count": 0, "ScannedCount": 0}
        return ok(page if end >= len(found) else page | {"LastEvaluatedKey": {"offset": {"N": str(end)}}})

    def _write(self, request: Recorded, key: tuple[str, str], write: Callable[[Item], Item]) -> Answer:
        try:
            before = self.items.get(key, {})
            if not _holds(request.json, "ConditionExpression", before):
                return fault("ConditionalCheckFailedException", "The conditional request failed")(request)
            after = write(dict(before))
            _declared_and_used(request.json)
        except _Malformed as error:
            return fault("ValidationException", str(error))(request)
        self.items[key] = after
        return ok()


def _key(item: Item) -> tuple[str, str]:
    return item["tenant_id"]["S"], item["event_id"]["S"]


def _tokens(expression: str) -> list[str]:
    return _TOKEN.findall(expression)


def _declared_and_used(sent: dict[str, Any]) -> None:
    words = set(_tokens(" ".join(str(sent.get(name, "")) for name in ("ConditionExpression", "UpdateExpression"))))
    for declared in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        unused = set(sent.get(declared, {})) - words
        if unused:
            raise _Malformed(f"Value provided in {declared} unused in expressions: {unused}")


def _name(token: str, sent: dict[str, Any]) -> str:
    if token.startswith("#"):
        return str(sent["ExpressionAttributeNames"][token])
    if token.lower() in _RESERVED:
        raise _Malformed(f"Attribute name is a reserved keyword; reserved keyword: {token}")
    return token


def _comparable(value: dict[str, Any] | None) -> tuple[str, Any]:
    if value is None:
        return ("absent", "")
    ((kind, content),) = value.items()
    return kind, float(content) if kind == "N" else content


def _holds(sent: dict[str, Any], expression: str, item: Item) -> bool:
    left = _tokens(sent.get(expression, ""))
    if not left:
        return True
    held = _either(left, sent, item)
    if left:
        raise _Malformed(f"Syntax error near {left}")
    return held


def _either(left: list[str], sent: dict[str, Any], item: Item) -> bool:
    held = _both(left, sent, item)
    while left[:1] == ["OR"]:
        left.pop(0)
        # Read in any case: the rest of the expression has to be taken off.
        other = _both(left, sent, item)
        held = held or other
    return held


def _both(left: list[str], sent: dict[str, Any], item: Item) -> bool:
    held = _one(left, sent, item)
    while left[:1] == ["AND"]:
        left.pop(0)
        other = _one(left, sent, item)
        held = held and other
    return held


def _one(left: list[str], sent: dict[str, Any], item: Item) -> bool:
    match left:
        case ["(", *_]:
            del left[:1]
            held = _either(left, sent, item)
            if left[:1] != [")"]:
                raise _Malformed("A parenthesis is not closed")
            del left[:1]
            return held
        case ["attribute_not_exists", "(", name, ")", *_]:
            del left[:4]
            return _name(name, sent) not in item
        case [name, comparison, value, *_] if comparison in _COMPARISONS:
            del left[:3]
            found = _comparable(item.get(_name(name, sent)))
            wanted = _comparable(sent["ExpressionAttributeValues"][value])
            return found[0] == wanted[0] and _COMPARISONS[comparison](found[1], wanted[1])
    raise _Malformed(f"Syntax error near {left}")


def _updated(item: Item, sent: dict[str, Any]) -> Item:
    values = sent.get("ExpressionAttributeValues", {})
    for clause, body in re.findall(r"(SET|REMOVE) (.*?)(?= SET | REMOVE |$)", sent["UpdateExpression"]):
        for part in body.split(","):
            match _tokens(part):
                case [name] if clause == "REMOVE":
                    item.pop(_name(name, sent), None)
                case [name, "=", value]:
                    item[_name(name, sent)] = values[value]
                case [name, "=", other, "+", value]:
                    total = int(item[_name(other, sent)]["N"]) + int(values[value]["N"])
                    item[_name(name, sent)] = {"N": str(total)}
                case words:
                    raise _Malformed(f"Syntax error near {words}")
    return item
