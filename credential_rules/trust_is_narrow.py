"""Whoever a role trusts has everything that the role may do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from credential_rules.arns import HOLE, fields, has_wildcard, is_wild, plain
from credential_rules.narrowing import By, narrowed
from credential_rules.rule import CANNOT_TELL, Example, Finding, Index, Principal, Resource, Rule, Statement, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES: Final = ("AWS::IAM::Role", "AWS::Serverless::Function")

# What has to hold beside a principal that stands for many.
_FOR_EVERYBODY: Final[frozenset[By]] = frozenset({"organisation", "principal", "source"})
_FOR_OWN_ACCOUNT: Final[frozenset[By]] = frozenset(
    {"principal", "name", "principal-tag", "source", "network", "external-id", "mfa"}
)
_FOR_AN_ACCOUNT: Final[frozenset[By]] = _FOR_OWN_ACCOUNT | {"organisation"}
_ONE_ACCOUNT: Final[frozenset[By]] = frozenset({"account"})

_ACCOUNT: Final = re.compile(r"\d{12}")
_OPEN_ACTION: Final = re.compile(r"\*|sts:\*+|\*:.*", re.IGNORECASE)
_ASSUMES: Final = re.compile(r"(?:sts:assume.*|sts:[^:]*[*?].*|\*.*)", re.IGNORECASE)
# Service principals end in the partition's DNS suffix: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
_SERVICE: Final = re.compile(
    r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|amazon\.com|aws\.internal|c2s\.ic\.gov|sc2s\.sgov\.gov)",
    re.IGNORECASE,
)
_LAMBDA: Final = re.compile(r"(?:edge|replicator\.)?lambda\.amazonaws\.(?:com|com\.cn|eu)")


def _trust_of_many(index: Index, resource: Resource) -> Iterator[Finding]:
    role = index.roles.get(resource)
    if role is None:
        return
    for statement in role.trust:
        if statement.allows and _lets_assume(statement):
            yield from _wide_actions(statement)
            yield from _wide_principals(statement, role.trust)
    if index.functions and role.functions:
        for statement in role.trust:
            if statement.allows:
                yield from _other_services(statement)


def _lets_assume(statement: Statement) -> bool:
    # A statement on sts:TagSession alone lets nobody in.
    return bool(statement.not_actions) or any(
        action.literal is None or _ASSUMES.fullmatch(action.literal) for action in statement.actions
    )


def _wide_actions(statement: Statement) -> Iterator[Finding]:
    if statement.not_actions:
        yield Finding(
            statement.element("NotAction"),
            "The trust policy allows every action except what NotAction lists: also ways to assume the role that AWS will"
            " add.",
            "Replace NotAction by Action: sts:AssumeRole.",
        )
    for action in statement.actions:
        if action.literal and _OPEN_ACTION.fullmatch(action.literal):
            yield Finding(
                statement.where("Action", action),
                f"The trust policy allows '{action.literal}': every way to assume the role, and to name and tag its sessions.",
                "Allow the one way that is used, such as sts:AssumeRole.",
            )


def _wide_principals(statement: Statement, trust: list[Statement]) -> Iterator[Finding]:
    if statement.not_principals:
        yield Finding(
            statement.element("NotPrincipal"),
            "The trust policy allows everybody except whom NotPrincipal lists, so every account of the world.",
            "Replace NotPrincipal by a Principal that names who assumes the role.",
        )
    for principal in dict.fromkeys(statement.principals):
        if principal.kind == "Service":
            yield from _wide_service(statement, principal)
        elif principal.kind in {"AWS", "*"}:
            yield from _wide_identity(statement, principal, trust)


def _wide_service(statement: Statement, principal: Principal) -> Iterator[Finding]:
    name = plain(principal.text)
    at = statement.where_principal(principal)
    if has_wildcard(name):
        yield Finding(
            at,
            f"The trust policy names the services '{principal.text.pattern}': a wildcard is no service.",
            "Name the service that assumes the role, such as lambda.amazonaws.com.",
        )
    elif HOLE not in name and not _SERVICE.fullmatch(name):
        yield Finding(
            at,
            f"The trust policy names the service '{name}', and AWS has none of that form: nobody can tell who is meant.",
            "Write the service principal in full, such as lambda.amazonaws.com.",
        )


def _wide_identity(statement: Statement, principal: Principal, trust: list[Statement]) -> Iterator[Finding]:
    name = plain(principal.text)
    account = _whole_account(name)
    hole = principal.text.hole
    if hole is not None and hole.name == "AWS::AccountId":
        account = name
    if is_wild(name) or (has_wildcard(name) and account is None):
        yield from _everybody(statement, principal, trust)
    elif account is not None:
        is_own = _is_own(principal.text, account, statement.owner)
        yield from _account(statement, principal, trust, is_own=is_own)
    elif name == HOLE and principal.text.is_undecided and narrowed(statement, _FOR_AN_ACCOUNT, trust) == "no":
        yield Finding(
            statement.where_principal(principal),
            f"The trust policy names '{principal.text.pattern}', which the template does not decide: it may be a whole"
            " account or everybody.",
            "Build the role's ARN in the template, or add a condition on sts:ExternalId or aws:PrincipalArn.",
            CANNOT_TELL,
        )


def _everybody(statement: Statement, principal: Principal, trust: list[Statement]) -> Iterator[Finding]:
    answer = narrowed(statement, _FOR_EVERYBODY, trust)
    if answer == "yes":
        return
    by_account = narrowed(statement, _ONE_ACCOUNT, trust)
    if by_account == "yes" and narrowed(statement, _FOR_AN_ACCOUNT, trust) == "yes":
        return
    written = principal.text.pattern
    who = "everybody, in every account of the world" if is_wild(written) else "whoever can take such a name"
    yield Finding(
        statement.where_principal(principal),
        f"The trust policy lets {who}, assume the role: its principal is '{written}' and no condition narrows it to an"
        " organisation or to named principals.",
        "Name the role that assumes it, or add StringEquals on aws:PrincipalOrgID or aws:PrincipalArn.",
        CANNOT_TELL if "perhaps" in {answer, by_account} else "error",
    )


def _account(statement: Statement, principal: Principal, trust: list[Statement], *, is_own: bool) -> Iterator[Finding]:
    answer = narrowed(statement, _FOR_OWN_ACCOUNT if is_own else _FOR_AN_ACCOUNT, trust, within_account=True)
    if answer == "yes":
        return
    written = principal.text.pattern
    if is_own:
        message = (
            f"The trust policy names the own account ('{written}'): everybody in it who may call sts:AssumeRole can take"
            " the role."
        )
        fix = "Name the role that assumes it, or add a condition on aws:PrincipalArn or aws:PrincipalTag."
    else:
        message = (
            f"The trust policy names a whole account ('{written}') without a condition: everybody in it who may call"
            " sts:AssumeRole can take the role, and be tricked into taking it for somebody else."
        )
        fix = "Name the role in that account, or add a condition on sts:ExternalId or aws:PrincipalOrgID."
    yield Finding(statement.where_principal(principal), message, fix, CANNOT_TELL if answer == "perhaps" else "error")


def _whole_account(name: str) -> str | None:
    """The account that a principal stands for as a whole: its bare id, its root, or `arn:aws:iam::…:*`."""
    if _ACCOUNT.fullmatch(name):
        return name
    parts = fields(name)
    if parts and parts[2] in {"iam", "sts"} and not has_wildcard(parts[4]):
        kind, _, rest = parts[5].partition("/")
        if parts[5] == "root" or is_wild(kind) or is_wild(rest):
            return parts[4]
    return None


def _is_own(text: Text, account: str, resource: Resource) -> bool:
    if any(hole.name == "AWS::AccountId" for hole in text.holes):
        return True
    return account == resource.template.account


def _other_services(statement: Statement) -> Iterator[Finding]:
    for principal in dict.fromkeys(statement.principals):
        name = plain(principal.text).replace(HOLE, "amazonaws.com")
        if principal.kind == "Service" and _SERVICE.fullmatch(name) and not _LAMBDA.fullmatch(name):
            yield Finding(
                statement.where_principal(principal),
                f"A function runs with this role, and '{principal.text.pattern}' may assume it too: that service then has"
                " everything that the function may do.",
                "Give the other service a role of its own, and trust only lambda.amazonaws.com here.",
            )


RULE = Rule(
    slug="trust-is-narrow",
    group="Roles",
    sentence="A role trusts one service, named roles, or accounts under a condition: never everybody.",
    reason=(
        "Whoever can assume a role has everything that it may do. `*` is every account of the world; an account's root or"
        " bare id, our own included, is everybody in it; another account without an external id can be tricked into"
        " using the role for somebody else; a service that the role was not made for is one more way in."
    ),
    remedy=(
        "Name the service, or the ARN of the role that assumes it. For another account add a condition on sts:ExternalId,"
        " aws:PrincipalOrgID or aws:PrincipalArn; for our own one on aws:PrincipalArn, aws:PrincipalTag or MFA. Operators"
        " that pass when the key is absent (IfExists, ForAllValues) do not count."
    ),
    applies_to=_TYPES,
    on_resource=_trust_of_many,
    bad=(
        Example(
            "everybody",
            """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {AWS: "*"}
            Action: sts:AssumeRole
""",
            finding="everybody, in every account",
        ),
        Example(
            "everybody-with-a-secret-that-is-none",
            """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - Effect: Allow
            Principal: "*"
            Action: sts:AssumeRole
            Condition: {StringEquals: {sts:ExternalId: partner-42}}
""",
            finding="everybody",
        ),
        Example(
            "everybody-except",
            """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, NotPrincipal: {AWS: arn:aws:iam::123456789012:user/mallory}, Action: sts:AssumeRole}
""",
            finding="NotPrincipal",
        ),
        Example(
            "own-account",
            """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {AWS: [!Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"]}
            Action: [sts:AssumeRole]
""",
            finding="own account",
        ),
        Example(
            "own-account-by-bare-id",
            """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {AWS: !Ref "AWS::AccountId"}, Action: sts:AssumeRole}
""",
            finding="own account",
        ),
        Example(
            "other-account-whose-condition-may-be-skipped",
            """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          Effect: Allow
          Principal: {AWS: arn:aws:iam::210987654321:root}
          Action: sts:AssumeRole
          Condition: {StringEqualsIfExists: {sts:ExternalId: partner-42}}
""",
            finding="whole account ('arn:aws:iam::210987654321:root')",
        ),
        Example(
            "every-sts-action",
            """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: "sts:*"}
""",
            finding="'sts:*'",
        ),
        Example(
            "function-shares-its-role-with-another-service",
            """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: [lambda.amazonaws.com, ec2.amazonaws.com]}, Action: sts:AssumeRole}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code: {ZipFile: "def handler(event, context): pass"}
""",
            finding="'ec2.amazonaws.com' may assume it too",
        ),
        Example(
            "wildcard-service",
            """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {Service: "*.amazonaws.com"}, Action: sts:AssumeRole}
""",
            finding="'*.amazonaws.com'",
        ),
        Example(
            "whoever-the-parameter-names",
            """
Parameters:
  Who: {Type: String}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: {Effect: Allow, Principal: {AWS: !Ref Who}, Action: sts:AssumeRole}
""",
            severity="cannot-tell",
            finding="'${Who}'",
        ),
    ),
    good=(
        Example(
            "one-named-role",
            """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:role/deployer"}
            Action: sts:AssumeRole
""",
        ),
        Example(
            "one-service",
            """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          Effect: Allow
          Principal: {Service: !Sub "lambda.${AWS::URLSuffix}"}
          Action: sts:AssumeRole
          Condition: {StringEquals: {aws:SourceAccount: !Ref "AWS::AccountId"}}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code: {ZipFile: "def handler(event, context): pass"}
""",
        ),
        Example(
            "other-account-with-external-id",
            """
Parameters:
  Partner: {Type: String}
  ExternalId: {Type: String}
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          Effect: Allow
          Principal: {AWS: !Sub "arn:aws:iam::${Partner}:root"}
          Action: sts:AssumeRole
          Condition: {StringEquals: {sts:ExternalId: !Ref ExternalId}}
""",
        ),
        Example(
            "own-account-with-named-principals-and-mfa",
            """
Resources:
  ByArn:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          Effect: Allow
          Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}
          Action: sts:AssumeRole
          Condition: {ArnLike: {aws:PrincipalArn: !Sub "arn:aws:iam::${AWS::AccountId}:role/aws-reserved/sso.amazonaws.com/*"}}
  WithMfa:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          Effect: Allow
          Principal: {AWS: !Ref "AWS::AccountId"}
          Action: sts:AssumeRole
          Condition: {Bool: {aws:MultiFactorAuthPresent: true}}
""",
        ),
        Example(
            "everybody-of-the-organisation",
            """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement:
          - Effect: Allow
            Principal: "*"
            Action: sts:AssumeRole
            Condition: {StringEquals: {AWS:PrincipalOrgId: o-example1234}}
          - {Effect: Deny, Principal: "*", Action: "sts:*", Condition: {Bool: {aws:SecureTransport: "false"}}}
""",
        ),
    ),
)
