"""Two functions with one role: each may do what only the other needs."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

from credential_rules.rule import FUNCTION_TYPES, Example, Finding, Index, Resource, Rule, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.rule import Template, Text

RoleKey: TypeAlias = "tuple[str, Resource | Template | None]"
"""Equal for texts that surely mean the same role."""

_MOST_NAMED: Final = 3
_ENOUGH: Final = 16  # of the functions that share a role: looking at all of them for each would be quadratic


class _Use(NamedTuple):
    function: Resource
    value: Value


_USES: WeakKeyDictionary[Index, dict[RoleKey, list[_Use]]] = WeakKeyDictionary()


def _roles_of_several(index: Index, resource: Resource) -> Iterator[Finding]:
    by_role = _USES.get(index)
    if by_role is None:
        by_role = _USES[index] = _uses(index)
    for value, text in resource["Role"].located_texts():
        key = _key(index, text, resource)
        uses = by_role.get(key, ()) if key else ()
        others = [use for use in uses[:_ENOUGH] if use.function is not resource and _may_both_exist(use.value, value)]
        if others:
            yield _finding(value, text, others, len(uses) - 1)


def _finding(value: Value, text: Text, others: list[_Use], count: int) -> Finding:
    names = list(dict.fromkeys(f"'{use.function.logical_id}'" for use in others))
    more = max(count, len(names)) - _MOST_NAMED
    listed = ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return Finding(
        value,
        f"The role '{text.pattern}' is also that of {listed}: each of the functions may do what only the others need.",
    )


def _uses(index: Index) -> dict[RoleKey, list[_Use]]:
    found: dict[RoleKey, list[_Use]] = defaultdict(list)
    for resource in index.resources(*FUNCTION_TYPES):
        for value, text in resource["Role"].located_texts():
            key = _key(index, text, resource)
            if key is not None:
                found[key].append(_Use(resource, value))
    return {key: uses for key, uses in found.items() if len(uses) > 1}


def _key(index: Index, text: Text, function: Resource) -> RoleKey | None:
    for hole in text.holes:
        # !GetAtt Role.Arn, or an ARN that is put together from !Ref Role.
        if hole.resource is not None and hole.resource.type == "AWS::IAM::Role":
            return "", hole.resource
    literal = text.literal
    if literal is not None:
        named = _by_name(index).get(literal.rsplit("/", 1)[-1])
        return ("", named) if named is not None else (literal, None)
    if any(hole.kind == "unknown" for hole in text.holes):
        return None
    # A parameter is whatever each template is given; an export or an account's id is the same for all.
    is_parameter = any(hole.kind == "parameter" for hole in text.holes)
    return text.pattern, function.template if is_parameter else None


_NAMES: WeakKeyDictionary[Index, dict[str, Resource]] = WeakKeyDictionary()


def _by_name(index: Index) -> dict[str, Resource]:
    known = _NAMES.get(index)
    if known is None:
        known = _NAMES[index] = {
            name: role for role in index.resources("AWS::IAM::Role") for name in role["RoleName"].literals()
        }
    return known


def _may_both_exist(one: Value, other: Value) -> bool:
    """False if one needs a condition of the template to be true that the other needs to be false."""
    first, second = one.nodes[0], other.nodes[0]
    if first.template is not second.template:
        return True
    assumed = dict(first.assumed)
    return not any(assumed.get(name, truth) is not truth for name, truth in second.assumed)


RULE = Rule(
    slug="one-role-per-function",
    group="Roles",
    sentence="Every function has a role of its own.",
    reason=(
        "A role that two functions share holds what each of them needs, so both may do what only one has to. A fault in"
        " one is then a way to the other's data, and nobody can tell from the logs which of them it was."
    ),
    remedy="Give each function its own AWS::IAM::Role with its own permissions; in SAM, leave Role out and write Policies.",
    applies_to=FUNCTION_TYPES,
    on_resource=_roles_of_several,
    bad=(
        Example(
            "role-for-two-functions",
            """
Resources:
  Reader:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Role: !GetAtt ReaderRole.Arn
      Code: {ZipFile: "def handler(event, context): pass"}
  Writer:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Role: !GetAtt ReaderRole.Arn
      Code: {ZipFile: "def handler(event, context): pass"}
  ReaderRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
""",
            finding="is also that of 'Reader'",
        ),
        Example(
            "role-by-arn-and-by-name",
            """
Resources:
  Reader:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Role: arn:aws:iam::123456789012:role/worker
      Code: {ZipFile: "def handler(event, context): pass"}
  Writer:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Role: !Sub "arn:aws:iam::${AWS::AccountId}:role/${Role}"
      Code: {ZipFile: "def handler(event, context): pass"}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: worker
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
""",
            finding="'Writer'",
        ),
        Example(
            "sam-functions-with-one-parameter",
            """
Transform: AWS::Serverless-2016-10-31
Parameters:
  RoleArn: {Type: String}
Resources:
  Reader:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: app.handler, InlineCode: "def handler(e, c): pass", Role: !Ref RoleArn}
  Writer:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: app.handler, InlineCode: "def handler(e, c): pass", Role: !Ref RoleArn}
""",
            finding="'${RoleArn}'",
        ),
    ),
    good=(
        Example(
            "role-for-each-function",
            """
Resources:
  Reader:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Role: !GetAtt ReaderRole.Arn
      Code: {ZipFile: "def handler(event, context): pass"}
  Writer:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Role: !GetAtt WriterRole.Arn
      Code: {ZipFile: "def handler(event, context): pass"}
  ReaderRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
  WriterRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
""",
        ),
        Example(
            "sam-makes-a-role-for-each",
            """
Transform: AWS::Serverless-2016-10-31
Resources:
  Reader:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: app.handler, InlineCode: "def handler(e, c): pass"}
  Writer:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: app.handler, InlineCode: "def handler(e, c): pass"}
""",
        ),
        Example(
            "never-both-in-one-deployment",
            """
Parameters:
  Stage: {Type: String}
Conditions:
  Production: !Equals [!Ref Stage, prod]
  Other: !Not [!Condition Production]
Resources:
  Fast:
    Type: AWS::Lambda::Function
    Condition: Production
    Properties: {Runtime: python3.13, Handler: index.handler, Role: !GetAtt Role.Arn, Code: {ZipFile: "def handler(e, c): pass"}}
  Cheap:
    Type: AWS::Lambda::Function
    Condition: Other
    Properties: {Runtime: python3.13, Handler: index.handler, Role: !GetAtt Role.Arn, Code: {ZipFile: "def handler(e, c): pass"}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}
""",
        ),
    ),
)
