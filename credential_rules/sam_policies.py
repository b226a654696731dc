"""SAM's policy templates (`SQSSendMessagePolicy`): what they allow, so that a SAM role is judged like any other."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from credential_rules.policies import Condition, Statement
from credential_rules.values import UNKNOWN, Hole, Text, join_text, literal_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.template import Raw, Resource, Value

_TABLE: Final = Path(__file__).with_name("sam_policy_templates.json")
"""All policy templates, as aws-sam-translator 1.115.0 defines them; `{Name}` is a policy template's parameter."""


@cache
def _policy_templates() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = json.loads(_TABLE.read_text(encoding="utf-8"))
    return found


def sam_policy_statements(resource: Resource) -> Iterator[Statement]:
    """What a SAM resource's policy templates allow; a template that SAM does not know allows something unknown."""
    if not resource.type.startswith("AWS::Serverless::"):
        return
    for element in resource["Policies"].each():
        raw: Raw = element.raw
        if not isinstance(raw, dict) or len(raw) != 1 or "Statement" in raw:
            continue
        ((name, _),) = raw.items()
        if not name.endswith(("Policy", "Policy_v2")):
            continue
        for allowed in _policy_templates().get(name, [{"actions": [], "resources": []}]):
            yield Statement(
                kind="identity",
                owner=resource,
                value=element,
                effect="Allow",
                sid=name,
                actions=tuple(literal_text(action) for action in allowed["actions"]) or (UNKNOWN,),
                not_actions=(),
                resources=tuple(_filled(arn, element[name]) for arn in allowed["resources"]) or (UNKNOWN,),
                not_resources=(),
                principals=(),
                not_principals=(),
                conditions=tuple(
                    Condition(operator, key, tuple(_filled(value, element[name]) for value in values))
                    for operator, keys in allowed.get("conditions", {}).items()
                    for key, values in keys.items()
                ),
            )


def policy_template_of(statement: Statement) -> str:
    """The name of the policy template that a statement comes from; empty if somebody wrote the statement."""
    raw = statement.value.raw
    is_one = (
        statement.owner.type.startswith("AWS::Serverless::") and isinstance(raw, dict) and [*raw] == [statement.sid]
    )
    return statement.sid if is_one else ""


def _filled(arn: str, parameters: Value) -> Text:
    """`arn` with `{Name}` from the policy template's parameters and `${AWS::…}` as pseudo parameters."""
    pieces: list[str | Hole] = []
    for part in arn.replace("${", "\0").split("{"):
        name, closed, rest = part.partition("}")
        if "\0" in name or not closed:
            rest = part
        else:
            pieces += (parameters[name].texts() or [UNKNOWN])[0].pieces
        for position, chunk in enumerate(rest.split("\0")):
            pseudo, ends, literal = chunk.partition("}")
            pieces += [Hole("pseudo", pseudo), literal] if position and ends else [chunk]
    return join_text(pieces)
