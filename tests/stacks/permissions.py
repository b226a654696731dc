"""Reads IAM policies in a template as single permissions, so that they can be compared whatever their grouping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stacks.cloud_assembly import Json, Resource, Template


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy.

    Attributes:
        effect: ``Allow`` or ``Deny``.
        actions: The actions.
        resources: The resources, with references told by construct path.
        principal: As in the template; ``None`` in a role's own policy.
        condition: For each operator and key the text of its value.
    """

    effect: str
    actions: frozenset[str]
    resources: frozenset[str]
    principal: Json
    condition: dict[str, dict[str, str]]

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Give each action with each resource."""
        for action in self.actions:
            for resource in self.resources:
                yield action, resource


def statements(template: Template, document: Json) -> list[Statement]:
    """Read a policy document of a template.

    Raises:
        ValueError: It has a part that is not read here and might change its meaning.
    """
    found = []
    for statement in document["Statement"]:
        unknown = statement.keys() - {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}
        if unknown:
            raise ValueError(f"A statement has {', '.join(unknown)}")
        found.append(
            Statement(
                effect=statement["Effect"],
                actions=frozenset(template.texts(statement["Action"])),
                resources=frozenset(template.texts(statement.get("Resource", []))),
                principal=statement.get("Principal"),
                condition={
                    operator: {key: template.text(value) for key, value in keys.items()}
                    for operator, keys in statement.get("Condition", {}).items()
                },
            )
        )
    return found


def role_statements(template: Template, role: Resource) -> list[Statement]:
    """Give all statements of the policies that are attached to a role in its template."""
    return [
        statement
        for policy in template.of_type("AWS::IAM::Policy")
        if {"Ref": role.logical_id} in policy.properties["Roles"]
        for statement in statements(template, policy.properties["PolicyDocument"])
    ]


def allowed(found: list[Statement]) -> set[tuple[str, str]]:
    """Give each action with each resource that is allowed."""
    return {pair for statement in found if statement.effect == "Allow" for pair in statement.pairs()}


def functions(template: Template) -> dict[str, Resource]:
    """Give a template's functions by the entry module that they run."""
    return {
        resource.properties["Handler"].split(".")[1]: resource for resource in template.of_type("AWS::Lambda::Function")
    }


def role_of(template: Template, function: Resource) -> Resource:
    """Give the role that a function runs as; it is in the same template."""
    name, attribute = function.properties["Role"]["Fn::GetAtt"]
    assert attribute == "Arn"
    (role,) = (role for role in template.of_type("AWS::IAM::Role") if role.logical_id == name)
    return role
