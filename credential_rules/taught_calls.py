"""What people tell about a line that cannot be understood: `# aws: dynamodb:PutItem on EVENTS_TABLE, sqs:SendMessage`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from credential_rules import iam_actions
from credential_rules.sdk_services import is_service, operation_of, prefix_of

HOW: Final = (
    "End the line with a comment that says what it calls: `# aws: dynamodb:PutItem, sqs:SendMessage on QUEUE_URL`"
    " (the part from `on` is a variable of the function or a name, and may be left out), or `# aws: none`."
)
"""How to teach the analysis a line of Python."""

_ENTRY: Final = re.compile(r"([A-Za-z0-9-]+):([A-Za-z0-9_]+)(?:\s+on\s+(\S+))?")


@dataclass(frozen=True, slots=True)
class Taught:
    """One operation, as a comment tells it. `resource` is a variable or a name, empty if it says none."""

    service: str
    operation: str
    resource: str = ""


class Untaught(Exception):
    """A comment that says nothing that AWS knows; the text says which part and what to write."""


def taught(text: str) -> tuple[Taught, ...]:
    """What a comment tells, without its `# aws:`.

    Raises:
        Untaught: a part of it is no operation.
    """
    if text.strip().lower() == "none":
        return ()
    return tuple(_taught(part.strip()) for part in text.split(","))


def _taught(part: str) -> Taught:
    match = _ENTRY.fullmatch(part)
    if match is None:
        raise Untaught(f"'{part}' is not of the form service:Operation")
    service, name, resource = match[1].lower(), match[2], match[3] or ""
    if not is_service(service) and service not in iam_actions.services():
        raise Untaught(f"AWS has no service '{match[1]}'")
    operation = operation_of(service, name)
    if not operation or not iam_actions.actions_of_operation(prefix_of(service), operation):
        raise Untaught(f"'{service}' has no operation or action '{name}'")
    return Taught(service, operation, resource)
