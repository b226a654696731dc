"""The vocabulary of a rule: what a rule file may use, in one import.

A rule is one file: `no_iam_users.py` holds the rule `no-iam-users` as its module-level `RULE`. The function in it is
pure: it takes the index and one resource (or template, or source file) and yields findings. Rules know nothing of
files, jsii or output formats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from credential_rules.index import Endpoint, Function, Index, NetworkRule, Role, Route, SecurityGroup, Subnet
from credential_rules.policies import (
    IDENTITY_TYPES,
    POLICY_TYPES,
    RESOURCE_POLICY_TYPES,
    Condition,
    Principal,
    Statement,
)
from credential_rules.sources import Source, Spot
from credential_rules.template import HasPlace, Parameter, Place, Resource, Template, Value
from credential_rules.values import Hole, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Severity: TypeAlias = Literal["error", "cannot-tell"]
"""`error`: the template or the code says so. `cannot-tell`: only the deployment decides; a person has to look."""

ERROR: Final[Severity] = "error"
CANNOT_TELL: Final[Severity] = "cannot-tell"

Group: TypeAlias = Literal["Static credentials", "Roles", "Network path", "Source of the functions"]
GROUPS: Final[tuple[Group, ...]] = ("Static credentials", "Roles", "Network path", "Source of the functions")
"""The chapters of docs/rules.md, in their order."""


FUNCTION_TYPES: Final = ("AWS::Lambda::Function", "AWS::Serverless::Function")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found.

    `at` is what it points at: a `Value`, `Statement`, `Resource`, `Template`, or a `Spot` in a source file. `message`
    says what is wrong, with names, and why it matters; `fix` what to do next here, the rule's `remedy` if empty. Neither
    ever holds a secret's value.
    """

    at: HasPlace
    message: str
    fix: str = ""
    severity: Severity = ERROR


@dataclass(frozen=True, slots=True)
class Example:
    """Input that a rule must pass (`good`) or refuse (`bad`). `name` says what it shows: `user-in-nested-if`.

    `text` is a template (YAML or JSON), or Python source if `language` is `python`. A bad example's findings are all
    of `severity`; its `finding` must occur in one of the messages, so that a crash cannot look like a catch.
    """

    name: str
    text: str
    language: Literal["template", "python"] = "template"
    severity: Severity = ERROR
    finding: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule and everything a reader needs to know of it.

    `slug` is the file's name with dashes. `sentence` says what holds in a good template, `reason` why it matters,
    `remedy` what to do. The first bad and the first good example are Before and After in docs/rules.md.

    Exactly what the rule looks at is given: `on_resource` with the types it `applies_to` (called for each such
    resource), `on_template` (once per template), `on_source` (once per Python file).
    """

    slug: str
    group: Group
    sentence: str
    reason: str
    remedy: str
    good: tuple[Example, ...]
    bad: tuple[Example, ...]
    applies_to: tuple[str, ...] = ()
    on_resource: Callable[[Index, Resource], Iterable[Finding]] | None = None
    on_template: Callable[[Index, Template], Iterable[Finding]] | None = None
    on_source: Callable[[Index, Source], Iterable[Finding]] | None = None


def shown(secret: str) -> str:
    """How a value that may be a secret appears in a message: its length and nothing of it.

    A key id is no secret in full; name it by `last_four`.
    """
    return f"{len(secret)} characters, not shown"


def last_four(key_id: str) -> str:
    """A key id as people may see it: `…` and its last four characters."""
    return f"…{key_id[-4:]}"


__all__ = [
    "CANNOT_TELL",
    "ERROR",
    "FUNCTION_TYPES",
    "GROUPS",
    "IDENTITY_TYPES",
    "POLICY_TYPES",
    "RESOURCE_POLICY_TYPES",
    "Condition",
    "Endpoint",
    "Example",
    "Finding",
    "Function",
    "Group",
    "HasPlace",
    "Hole",
    "Index",
    "NetworkRule",
    "Parameter",
    "Place",
    "Principal",
    "Resource",
    "Role",
    "Route",
    "Rule",
    "SecurityGroup",
    "Severity",
    "Source",
    "Spot",
    "Statement",
    "Subnet",
    "Template",
    "Text",
    "Value",
    "last_four",
    "shown",
]
