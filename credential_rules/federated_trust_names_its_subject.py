"""A token from GitHub proves that somebody has a repository, not that it is ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from credential_rules.arns import HOLE, has_wildcard, is_wild, plain
from credential_rules.narrowing import demands, operator_of
from credential_rules.rule import (
    CANNOT_TELL,
    Condition,
    Example,
    Finding,
    Index,
    Resource,
    Rule,
    Statement,
    Text,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TYPES: Final = ("AWS::IAM::Role", "AWS::Serverless::Function")

Provider: TypeAlias = Literal["oidc", "saml", "cognito", "login"]
"""`login`: providers that AWS knows itself, whose tokens say for which app they are (Facebook, Login with Amazon)."""

_LOGIN: Final = frozenset({"graph.facebook.com", "www.amazon.com"})
_AUDIENCES: Final[dict[Provider, frozenset[str]]] = {
    "oidc": frozenset({"aud"}),
    "saml": frozenset({"aud"}),
    "cognito": frozenset({"aud"}),
    "login": frozenset({"app_id", "aud"}),
}
_SUBJECTS: Final[dict[Provider, frozenset[str]]] = {
    "oidc": frozenset({"sub", "repository", "repository_id", "job_workflow_ref"}),
    "cognito": frozenset({"amr"}),
}

# One name: neither a wildcard nor a separator; a hole is a name that the deployment fills in.
_NAME: Final = r"[^*?:/]+"
_HOLE: Final = re.escape(HOLE)
# https://docs.github.com/en/actions/reference/security/oidc: repositories made or renamed after 2026-07-15 carry ids.
_REPOSITORY: Final = rf"(?:{_NAME}/{_NAME}|{_HOLE})"
_FORMS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (prefix, re.compile(pattern, re.DOTALL))
    for prefix, pattern in (
        ("repo:", rf"repo:{_REPOSITORY}(?::.*)?"),
        ("repository:", rf"repository:{_REPOSITORY}(?::.*)?"),
        ("repository_id:", rf"repository_id:{_NAME}(?::.*)?"),
        ("job_workflow_ref:", rf"job_workflow_ref:{_NAME}/{_NAME}/.*"),
        ("project_path:", rf"project_path:(?:(?:{_NAME}/)+{_NAME}|{_HOLE})(?::.*)?"),
        ("system:", rf"system:serviceaccount:(?:{_NAME}:{_NAME}|{_HOLE})"),
        (
            "organization:",
            rf"organization:{_NAME}:(?:(?:project|pipeline|workspace):{_NAME}|project:[^:]*:workspace:{_NAME})(?::.*)?",
        ),
        ("org/", rf"org/{_NAME}/project/{_NAME}(?:/.*)?"),
        # Bitbucket: the repository's UUID in braces, then the step's.
        ("{", r"\{[^*?{}]+\}(?::.*)?"),
    )
)
_SEPARATOR: Final = re.compile(r"[:/]")
_ENOUGH_NAMES: Final = 2  # of an unknown provider's subject: `kind:name:*` names something, `kind:*` does not
_GITHUB: Final = "token.actions.githubusercontent.com"


@dataclass(frozen=True, slots=True)
class _Claim:
    """One condition on a claim of the token: `name` is `sub`, `aud` and the like."""

    name: str
    condition: Condition
    is_demanded: bool


def _trust_in_any_token(index: Index, resource: Resource) -> Iterator[Finding]:
    for statement in index.statements(resource):
        if statement.kind == "trust" and statement.allows:
            for principal in dict.fromkeys(p for p in statement.principals if p.kind == "Federated"):
                at = statement.where_principal(principal)
                if is_wild(plain(principal.text)):
                    yield Finding(
                        at, "The trust policy names every identity provider: any of them can vouch for anybody."
                    )
                else:
                    yield from _weak(statement, principal.text, at)


def _weak(statement: Statement, issuer: Text, at: Value) -> Iterator[Finding]:
    provider = _provider(statement, issuer)
    name = issuer.pattern.rsplit("oidc-provider/", 1)[-1].rsplit("saml-provider/", 1)[-1]
    claims = [
        _Claim(condition.key.lower().rpartition(":")[2], condition, demands(condition, statement))
        for condition in statement.conditions
        if ":" in condition.key and not condition.key.lower().startswith(("aws:", "sts:"))
    ]
    weak = {"audience": _AUDIENCES[provider], "subject": _SUBJECTS.get(provider, frozenset())}
    said: set[str] = set()
    for claim in claims:
        finding = _passes_without(statement, claim)
        if finding is not None:
            yield finding
            said |= {what for what, names in weak.items() if claim.name in names}
    audience = _best([c for c in claims if c.name in weak["audience"]], _names_audience)
    if audience is not None and "audience" not in said:
        yield audience.finding(
            statement,
            at,
            f"The trust policy does not say for whom {name}'s token was made (aud): a token that was made for somebody"
            " else's service is accepted too.",
            _AUDIENCE_FIX[provider],
        )
    subject = _best([c for c in claims if c.name in weak["subject"]], _subject_test(provider, statement, issuer))
    if weak["subject"] and subject is not None and "subject" not in said:
        yield subject.finding(statement, at, _subject_message(provider, name), _SUBJECT_FIX[provider])


def _provider(statement: Statement, issuer: Text) -> Provider:
    pattern = issuer.pattern
    kind = issuer.resource.type if issuer.resource is not None else ""
    by_saml = any((a.literal or "").lower().rpartition(":")[2] == "assumerolewithsaml" for a in statement.actions)
    if "saml-provider/" in pattern or kind == "AWS::IAM::SAMLProvider" or (by_saml and "oidc" not in pattern):
        return "saml"
    if pattern.startswith("cognito-identity."):
        return "cognito"
    return "login" if pattern in _LOGIN else "oidc"


_AUDIENCE_FIX: Final[dict[Provider, str]] = {
    "oidc": "Add StringEquals on the provider's aud, which is sts.amazonaws.com unless the provider says otherwise.",
    "saml": "Add StringEquals: {SAML:aud: https://signin.aws.amazon.com/saml}.",
    "cognito": "Add StringEquals: {cognito-identity.amazonaws.com:aud: the id of the identity pool}.",
    "login": "Add StringEquals on the provider's app_id, with the id of your app.",
}
_SUBJECT_FIX: Final[dict[Provider, str]] = {
    "oidc": (
        "Add a condition on the provider's sub that names one subject, such as repo:ORG/REPO:environment:production for"
        " GitHub (repo:ORG@ORGID/REPO@REPOID:… for repositories made after 2026-07-15) or"
        " system:serviceaccount:NAMESPACE:NAME for EKS."
    ),
    "cognito": "Add ForAnyValue:StringLike: {cognito-identity.amazonaws.com:amr: authenticated}.",
}


def _subject_message(provider: Provider, name: str) -> str:
    if provider == "cognito":
        return (
            "The trust policy does not say whether the identity pool's users must have signed in (amr): guests can assume"
            " the role."
        )
    return (
        f"The trust policy does not name the subject (sub) of {name}'s token precisely: everybody to whom the provider"
        " gives a token, other people's repositories and workloads among them, can assume the role."
    )


def _passes_without(statement: Statement, claim: _Claim) -> Finding | None:
    operator = operator_of(claim.condition.operator)
    if claim.is_demanded or operator.negated or not (operator.quantifier == "all" or operator.if_exists):
        return None
    return Finding(
        _place(statement, claim.condition),
        f"'{claim.condition.operator}' passes when the token has no {claim.name}: the condition then narrows nothing.",
        f"Write {operator_name(claim.condition.operator)} instead, which demands the claim.",
    )


def operator_name(written: str) -> str:
    """An operator without what lets it pass when the key is absent."""
    return re.sub(r"(?i)^ForAllValues:|IfExists$", "", written)


@dataclass(frozen=True, slots=True)
class _Weakness:
    """Why no claim of a kind holds: the condition and value that came closest, if any, and whether it is certain."""

    condition: Condition | None = None
    value: Text | None = None
    is_certain: bool = True

    def finding(self, statement: Statement, at: Value, message: str, fix: str) -> Finding:
        if self.condition is not None:
            at = _place(statement, self.condition, self.value)
            if self.value is not None:
                verdict = "is too wide" if self.is_certain else "may be too wide: the template does not decide it"
                message = f"{message} '{self.value.pattern}' {verdict}."
        certain = self.is_certain and not statement.has_unknown_condition
        return Finding(at, message, fix, "error" if certain else CANNOT_TELL)


def _best(claims: list[_Claim], is_precise: Callable[[str, str], bool]) -> _Weakness | None:
    """None if some claim is demanded with precise values only; else what is wrong with the last one."""
    weakness = _Weakness()
    for claim in claims:
        if not claim.is_demanded:
            continue
        found = _vague(claim, is_precise)
        if found is None:
            return None
        weakness = found
    return weakness


def _vague(claim: _Claim, is_precise: Callable[[str, str], bool]) -> _Weakness | None:
    operator = operator_of(claim.condition.operator)
    found: _Weakness | None = None
    for text in claim.condition.values:
        value = plain(text)
        if value == HOLE:
            if operator.base == "stringlike" and text.is_undecided:
                found = _Weakness(claim.condition, text, is_certain=False)
        elif not is_precise(claim.name, value):
            return _Weakness(claim.condition, text)
    return found


def _names_audience(_claim: str, value: str) -> bool:
    return bool(value.strip("*?"))


def _subject_test(provider: Provider, statement: Statement, issuer: Text) -> Callable[[str, str], bool]:
    if provider == "cognito":
        return _names_audience
    is_github = any(_GITHUB in name for name in (issuer.pattern, *(c.key.lower() for c in statement.conditions)))

    def is_precise(claim: str, value: str) -> bool:
        if claim in {"repository", "job_workflow_ref", "repository_id"}:
            return _names_subject(f"{claim}:{value}", is_github=is_github)
        return _names_subject(value, is_github=is_github)

    return is_precise


def _names_subject(value: str, *, is_github: bool) -> bool:
    """Whether a `sub` names one repository, project or workload; wildcards may follow the name."""
    for prefix, form in _FORMS:
        if value.startswith(prefix):
            return form.fullmatch(value) is not None
    if is_github and HOLE not in value:
        # Everybody can let their tokens begin with environment: or ref:; only the forms above say whose they are.
        return False
    if not has_wildcard(value):
        return bool(value)
    names = _SEPARATOR.split(value)
    known = next((position for position, part in enumerate(names) if has_wildcard(part)), len(names))
    return known >= _ENOUGH_NAMES


def _place(statement: Statement, condition: Condition, value: Text | None = None) -> Value:
    written = statement.value["Condition"][condition.operator][condition.key]
    for located, text in written.located_texts():
        if value is None or text == value:
            return located
    return written or statement.element("Condition")


RULE = Rule(
    slug="federated-trust-names-its-subject",
    group="Roles",
    sentence="Trust in an identity provider says for whom the token was made (aud) and whose it is (sub), precisely.",
    reason=(
        "The provider gives tokens to all its customers. Without a condition on the subject, every repository on GitHub,"
        " every service account of the cluster or every guest of the identity pool can assume the role. `ForAllValues:`"
        " and `…IfExists` pass when the token has no such claim, and so narrow nothing."
    ),
    remedy=(
        "Demand aud with StringEquals, and a sub that names one repository, project or workload. Wildcards may follow the"
        " name (repo:ORG/REPO:*), and may not stand in it (repo:ORG/*). For SAML demand SAML:aud; for a Cognito identity"
        " pool demand aud and amr."
    ),
    applies_to=_TYPES,
    on_resource=_trust_in_any_token,
    bad=(
        Example(
            "any-repository-of-the-organisation",
            """
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Federated: !Sub "arn:aws:iam::${AWS::AccountId}:oidc-provider/token.actions.githubusercontent.com"}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals:
                token.actions.githubusercontent.com:aud: sts.amazonaws.com
              StringLike:
                token.actions.githubusercontent.com:sub: repo:example/*
""",
            finding="'repo:example/*' is too wide",
        ),
        Example(
            "any-token-of-github",
            """
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Federated: !Sub "arn:aws:iam::${AWS::AccountId}:oidc-provider/token.actions.githubusercontent.com"}
            Action: sts:AssumeRoleWithWebIdentity
""",
            finding="does not name the subject",
        ),
        Example(
            "no-audience",
            """
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Federated: !Sub "arn:aws:iam::${AWS::AccountId}:oidc-provider/token.actions.githubusercontent.com"}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals: {token.actions.githubusercontent.com:sub: "repo:example/project:ref:refs/heads/main"}
""",
            finding="for whom",
        ),
        Example(
            "set-operator-that-passes-without-the-claim",
            """
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Federated: !Sub "arn:aws:iam::${AWS::AccountId}:oidc-provider/token.actions.githubusercontent.com"}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals: {token.actions.githubusercontent.com:aud: sts.amazonaws.com}
              ForAllValues:StringLike: {token.actions.githubusercontent.com:sub: "repo:example/project:*"}
""",
            finding="'ForAllValues:StringLike' passes",
        ),
        Example(
            "repository-by-prefix",
            """
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Federated: !Sub "arn:aws:iam::${AWS::AccountId}:oidc-provider/token.actions.githubusercontent.com"}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals: {token.actions.githubusercontent.com:aud: sts.amazonaws.com}
              StringLike: {token.actions.githubusercontent.com:sub: ["repo:example/project:*", "repo:example@123/pro*"]}
""",
            finding="'repo:example@123/pro*'",
        ),
        Example(
            "subject-that-everybody-can-have",
            """
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Federated: !Sub "arn:aws:iam::${AWS::AccountId}:oidc-provider/token.actions.githubusercontent.com"}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals:
                token.actions.githubusercontent.com:aud: sts.amazonaws.com
                token.actions.githubusercontent.com:sub: environment:production
""",
            finding="'environment:production'",
        ),
        Example(
            "any-service-account-of-the-cluster",
            """
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Federated: arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals: {"oidc.eks.eu-west-1.amazonaws.com/id/ABC:aud": sts.amazonaws.com}
              StringLike: {"oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub": "system:serviceaccount:*:*"}
""",
            finding="'system:serviceaccount:*:*'",
        ),
        Example(
            "saml-for-anybody",
            """
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Federated: arn:aws:iam::123456789012:saml-provider/idp}
            Action: sts:AssumeRoleWithSAML
""",
            finding="for whom idp",
        ),
        Example(
            "guests-of-an-identity-pool",
            """
Parameters:
  Pool: {Type: String}
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Federated: cognito-identity.amazonaws.com}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals: {cognito-identity.amazonaws.com:aud: !Ref Pool}
""",
            finding="guests",
        ),
        Example(
            "every-provider",
            """
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Federated: "*"}
            Action: sts:AssumeRoleWithWebIdentity
""",
            finding="every identity provider",
        ),
        Example(
            "subject-pattern-from-parameter",
            """
Parameters:
  Subject: {Type: String}
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Federated: !Sub "arn:aws:iam::${AWS::AccountId}:oidc-provider/token.actions.githubusercontent.com"}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals: {token.actions.githubusercontent.com:aud: sts.amazonaws.com}
              StringLike: {token.actions.githubusercontent.com:sub: !Ref Subject}
""",
            severity="cannot-tell",
            finding="'${Subject}'",
        ),
    ),
    good=(
        Example(
            "one-repository",
            """
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Federated: !Sub "arn:aws:iam::${AWS::AccountId}:oidc-provider/token.actions.githubusercontent.com"}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals:
                token.actions.githubusercontent.com:aud: sts.amazonaws.com
              StringLike:
                token.actions.githubusercontent.com:sub: repo:example/project:*
""",
        ),
        Example(
            "one-repository-with-ids-and-environment",
            """
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Federated: !Sub "arn:aws:iam::${AWS::AccountId}:oidc-provider/token.actions.githubusercontent.com"}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals:
                token.actions.githubusercontent.com:aud: sts.amazonaws.com
                token.actions.githubusercontent.com:sub: repo:example@1234/project@5678:environment:production
""",
        ),
        Example(
            "repository-from-parameters",
            """
Parameters:
  Organisation: {Type: String}
  Repository: {Type: String}
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Federated: !Sub "arn:aws:iam::${AWS::AccountId}:oidc-provider/token.actions.githubusercontent.com"}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals: {token.actions.githubusercontent.com:aud: sts.amazonaws.com}
              StringLike: {token.actions.githubusercontent.com:sub: !Sub "repo:${Organisation}/${Repository}:*"}
""",
        ),
        Example(
            "one-service-account",
            """
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Federated: arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals:
                oidc.eks.eu-west-1.amazonaws.com/id/ABC:aud: sts.amazonaws.com
                oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub: system:serviceaccount:shop:orders
""",
        ),
        Example(
            "one-project-of-gitlab",
            """
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Federated: arn:aws:iam::123456789012:oidc-provider/gitlab.com}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals: {"gitlab.com:aud": https://gitlab.com}
              StringLike: {"gitlab.com:sub": "project_path:group/sub/project:ref_type:branch:ref:*"}
""",
        ),
        Example(
            "one-workspace-of-terraform",
            """
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Federated: arn:aws:iam::123456789012:oidc-provider/app.terraform.io}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals: {"app.terraform.io:aud": aws.workload.identity}
              StringLike: {"app.terraform.io:sub": "organization:acme:project:shop:workspace:prod:run_phase:*"}
""",
        ),
        Example(
            "saml-with-audience",
            """
Parameters:
  Provider: {Type: String}
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Federated: !Ref Provider}
            Action: sts:AssumeRoleWithSAML
            Condition:
              StringEquals: {"SAML:aud": https://signin.aws.amazon.com/saml}
""",
        ),
        Example(
            "users-of-an-identity-pool",
            """
Parameters:
  Pool: {Type: String}
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Federated: cognito-identity.amazonaws.com}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals: {cognito-identity.amazonaws.com:aud: !Ref Pool}
              ForAnyValue:StringLike: {cognito-identity.amazonaws.com:amr: authenticated}
""",
        ),
    ),
)
