"""IAM policy documents, normalised once: wherever a template holds one, rules see the same `Statement`s."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from credential_rules import conditions, intrinsics
from credential_rules.branches import branch_of
from credential_rules.template import Node, Place, Raw, Value
from credential_rules.values import UNKNOWN, literal_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.branches import Branch
    from credential_rules.template import Resource
    from credential_rules.values import Text

DocumentKind = Literal["identity", "trust", "resource", "endpoint"]
"""What a document is attached to: someone who acts, a role's trust, a thing that is acted on, a VPC endpoint."""

DOCUMENTS: Final[dict[str, tuple[tuple[DocumentKind, tuple[str, ...]], ...]]] = {
    "AWS::IAM::Role": (("trust", ("AssumeRolePolicyDocument",)), ("identity", ("Policies", "*", "PolicyDocument"))),
    "AWS::IAM::Policy": (("identity", ("PolicyDocument",)),),
    "AWS::IAM::ManagedPolicy": (("identity", ("PolicyDocument",)),),
    "AWS::IAM::RolePolicy": (("identity", ("PolicyDocument",)),),
    "AWS::IAM::UserPolicy": (("identity", ("PolicyDocument",)),),
    "AWS::IAM::GroupPolicy": (("identity", ("PolicyDocument",)),),
    "AWS::IAM::User": (("identity", ("Policies", "*", "PolicyDocument")),),
    "AWS::IAM::Group": (("identity", ("Policies", "*", "PolicyDocument")),),
    "AWS::SSO::PermissionSet": (("identity", ("InlinePolicy",)),),
    "AWS::Serverless::Function": (("trust", ("AssumeRolePolicyDocument",)), ("identity", ("Policies", "*"))),
    "AWS::Serverless::StateMachine": (("identity", ("Policies", "*")),),
    "AWS::EC2::VPCEndpoint": (("endpoint", ("PolicyDocument",)),),
    "AWS::SQS::QueuePolicy": (("resource", ("PolicyDocument",)),),
    "AWS::SQS::QueueInlinePolicy": (("resource", ("PolicyDocument",)),),
    "AWS::SNS::TopicPolicy": (("resource", ("PolicyDocument",)),),
    "AWS::SNS::TopicInlinePolicy": (("resource", ("PolicyDocument",)),),
    "AWS::S3::BucketPolicy": (("resource", ("PolicyDocument",)),),
    "AWS::S3::AccessPoint": (("resource", ("Policy",)),),
    "AWS::S3::MultiRegionAccessPointPolicy": (("resource", ("Policy",)),),
    "AWS::S3Express::BucketPolicy": (("resource", ("PolicyDocument",)),),
    "AWS::S3Tables::TableBucketPolicy": (("resource", ("ResourcePolicy",)),),
    "AWS::S3Tables::TablePolicy": (("resource", ("ResourcePolicy",)),),
    "AWS::S3ObjectLambda::AccessPointPolicy": (("resource", ("PolicyDocument",)),),
    "AWS::S3Outposts::BucketPolicy": (("resource", ("PolicyDocument",)),),
    "AWS::KMS::Key": (("resource", ("KeyPolicy",)),),
    "AWS::KMS::ReplicaKey": (("resource", ("KeyPolicy",)),),
    "AWS::SecretsManager::ResourcePolicy": (("resource", ("ResourcePolicy",)),),
    "AWS::ECR::Repository": (("resource", ("RepositoryPolicyText",)),),
    "AWS::ECR::RegistryPolicy": (("resource", ("PolicyText",)),),
    "AWS::ECR::RepositoryCreationTemplate": (("resource", ("RepositoryPolicy",)),),
    "AWS::ECR::PublicRepository": (("resource", ("RepositoryPolicyText",)),),
    "AWS::DynamoDB::Table": (("resource", ("ResourcePolicy", "PolicyDocument")),),
    "AWS::DynamoDB::GlobalTable": (("resource", ("Replicas", "*", "ResourcePolicy", "PolicyDocument")),),
    "AWS::Kinesis::ResourcePolicy": (("resource", ("ResourcePolicy",)),),
    "AWS::Events::EventBusPolicy": (("resource", ("Statement",)),),
    "AWS::Events::EventBus": (("resource", ("Policy",)),),
    "AWS::EFS::FileSystem": (("resource", ("FileSystemPolicy",)),),
    "AWS::Elasticsearch::Domain": (("resource", ("AccessPolicies",)),),
    "AWS::OpenSearchService::Domain": (("resource", ("AccessPolicies",)),),
    "AWS::ApiGateway::RestApi": (("resource", ("Policy",)),),
    "AWS::Serverless::Api": (("resource", ("Auth", "ResourcePolicy", "CustomStatements")),),
    "AWS::CodeArtifact::Domain": (("resource", ("PermissionsPolicyDocument",)),),
    "AWS::CodeArtifact::Repository": (("resource", ("PermissionsPolicyDocument",)),),
    "AWS::Backup::BackupVault": (("resource", ("AccessPolicy",)),),
    "AWS::Logs::ResourcePolicy": (("resource", ("PolicyDocument",)),),
    "AWS::Lambda::ResourcePolicy": (("resource", ("Policy",)),),
    "AWS::Glacier::Vault": (("resource", ("AccessPolicy",)),),
    "AWS::MediaStore::Container": (("resource", ("Policy",)),),
    "AWS::IoT::Policy": (("identity", ("PolicyDocument",)),),
    "AWS::VpcLattice::AuthPolicy": (("resource", ("Policy",)),),
    "AWS::VpcLattice::ResourcePolicy": (("resource", ("Policy",)),),
    "AWS::MSK::ClusterPolicy": (("resource", ("Policy",)),),
    "AWS::RAM::Permission": (("resource", ("PolicyTemplate",)),),
    "AWS::SSM::ResourcePolicy": (("resource", ("Policy",)),),
    "AWS::XRay::ResourcePolicy": (("resource", ("PolicyDocument",)),),
    "AWS::SES::EmailIdentityPolicy": (("resource", ("Policy",)),),
}
"""Where each resource type keeps its policy documents; `*` stands for every element of a list."""

POLICY_TYPES: Final = tuple(sorted(DOCUMENTS))
"""Every resource type that holds a policy document: `applies_to` of a rule on statements."""
IDENTITY_TYPES: Final = tuple(sorted(t for t, places in DOCUMENTS.items() if any(k == "identity" for k, _ in places)))
"""The types whose documents say what someone may do."""
RESOURCE_POLICY_TYPES: Final = tuple(sorted(t for t, ps in DOCUMENTS.items() if any(k == "resource" for k, _ in ps)))
"""The types whose documents say who may act on something."""


@dataclass(frozen=True, slots=True)
class Principal:
    """One principal of a statement: `kind` is `AWS`, `Service`, `Federated`, `CanonicalUser` or `*` for a bare star."""

    kind: str
    text: Text


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison: `operator` and `key` as written, and the possible values."""

    operator: str
    key: str
    values: tuple[Text, ...]

    @property
    def narrows(self) -> bool:
        """False for `ForAllValues:…` and `…IfExists`, which pass when the key is absent, and for `Null: true`."""
        operator = self.operator.lower()
        if operator.startswith("forallvalues:") or operator.endswith("ifexists"):
            return False
        return operator != "null" or all(text.literal == "false" for text in self.values)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement under one combination of the template's conditions.

    `effect` is `Allow`, `Deny`, or empty if the template does not decide. An empty `actions` with an empty
    `not_actions` means that neither was written. `element("Action")` is where a finding should point. `attached` says
    under which conditions its policy is attached to the role that has it, beside those that it is written under.
    """

    kind: DocumentKind
    owner: Resource
    value: Value
    effect: str
    sid: str
    actions: tuple[Text, ...]
    not_actions: tuple[Text, ...]
    resources: tuple[Text, ...]
    not_resources: tuple[Text, ...]
    principals: tuple[Principal, ...]
    not_principals: tuple[Principal, ...]
    conditions: tuple[Condition, ...]
    has_unknown_condition: bool = False
    attached: tuple[Branch, ...] = ()

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The branches of a deployment in which it is in force."""
        return (*branch_of(self.value), *self.attached)

    @property
    def allows(self) -> bool:
        """Whether it may grant something: `Allow`, or an effect that the template does not decide."""
        return self.effect != "Deny"

    @property
    def place(self) -> Place:
        """Where the statement was written."""
        return self.value.place

    def element(self, name: str) -> Value:
        """One element (`Action`, `Resource`, `Principal` …), for a finding's place; the statement if it is missing."""
        return self.value[name] or self.value

    def where(self, name: str, wanted: Text) -> Value:
        """The place of one text within an element: `Properties.PolicyDocument.Statement.0.Action.2`."""
        for value, text in self.value[name].located_texts():
            if text == wanted:
                return value
        return self.element(name)

    def where_principal(self, wanted: Principal, name: str = "Principal") -> Value:
        """The place of one principal: `….Statement.0.Principal.AWS.1`."""
        element = self.value[name]
        for kind, listed in element.entries():
            if kind == wanted.kind:
                for value, text in listed.located_texts():
                    if text == wanted.text:
                        return value
        return element or self.value


def statements_of(resource: Resource) -> list[Statement]:
    """The statements of every document that `resource` holds, each once per combination of conditions."""
    found: list[Statement] = []
    for kind, steps in DOCUMENTS.get(resource.type, ()):
        for document in _documents(resource.properties, steps):
            found.extend(_statements(document, kind, resource))
    return found


def _documents(value: Value, steps: tuple[str, ...]) -> Iterator[Value]:
    if not steps:
        yield from value.each()
    elif steps[0] == "*":
        for element in value.each():
            yield from _documents(element, steps[1:])
    else:
        yield from _documents(value[steps[0]], steps[1:])


def _statements(document: Value, kind: DocumentKind, owner: Resource) -> Iterator[Statement]:
    node = _read(document)
    if node is None or not isinstance(node.raw, dict):
        return
    if intrinsics.is_intrinsic(node.raw):
        if kind != "endpoint":
            # The rule on endpoints says itself that it does not see the document.
            yield _undecided(node, kind, owner)
        return
    if "Statement" not in node.raw and "Effect" in node.raw:
        elements = [node]
    else:
        elements = [element.nodes[0] for element in Value((node,), may_be_absent=False)["Statement"].each()]
    for element in elements:
        for written in _in_each_world(element):
            if intrinsics.is_intrinsic(written.raw):
                yield _undecided(written, kind, owner)
            elif isinstance(written.raw, dict):
                yield _statement(written, kind, owner)


def _read(document: Value) -> Node | None:
    """The document, be it written as a mapping or as JSON text; None if it is neither, an intrinsic if nobody knows it."""
    node = document.nodes[0]
    if isinstance(node.raw, str) or (intrinsics.is_intrinsic(node.raw) and not document.is_unknown):
        parsed = _json_document(document)
        if parsed is not None:
            return node._replace(raw=parsed)
    return None if isinstance(node.raw, str) else node


def _undecided(node: Node, kind: DocumentKind, owner: Resource) -> Statement:
    """What stands for a document, or a statement, that the template does not hold: it may allow anything to anybody."""
    has_principal = kind in {"trust", "resource", "endpoint"}
    return Statement(
        kind=kind,
        owner=owner,
        value=Value((node,), may_be_absent=False),
        effect="",
        sid="",
        actions=(UNKNOWN,),
        not_actions=(),
        resources=() if kind == "trust" else (UNKNOWN,),
        not_resources=(),
        principals=(Principal("AWS", UNKNOWN),) if has_principal else (),
        not_principals=(),
        conditions=(),
    )


def _in_each_world(node: Node) -> Iterator[Node]:
    return (node._replace(assumed=assumed) for assumed in conditions.worlds(node))


def _json_document(document: Value) -> dict[str, Raw] | None:
    """A document that was written as JSON text (`!Sub '{…}'`); holes stay readable inside of it as `Fn::Sub`."""
    for text in document.texts():
        if "{" not in text.pattern:
            continue
        try:
            parsed = json.loads(text.pattern)
        except (ValueError, RecursionError):
            continue
        if isinstance(parsed, dict):
            return _with_holes(parsed) if any(text.holes) else parsed
    return None


def _with_holes(parsed: dict[str, Raw]) -> dict[str, Raw]:
    def held(raw: Raw) -> Raw:
        if isinstance(raw, dict):
            return {key: held(child) for key, child in raw.items()}
        if isinstance(raw, list):
            return [held(child) for child in raw]
        return {"Fn::Sub": raw} if isinstance(raw, str) and "${" in raw else raw

    return {key: held(child) for key, child in parsed.items()}


def _statement(node: Node, kind: DocumentKind, owner: Resource) -> Statement:
    value = Value((node,), may_be_absent=False)
    raw = node.raw if isinstance(node.raw, dict) else {}

    def texts(name: str) -> tuple[Text, ...]:
        written = raw.get(name)
        # Most elements are plain: they need no look through intrinsics.
        if isinstance(written, str):
            return (literal_text(written),)
        if isinstance(written, list) and all(isinstance(part, str) for part in written):
            return tuple(literal_text(part) for part in written if isinstance(part, str))
        return tuple(value[name].texts()) if name in raw else ()

    effects = texts("Effect")
    effect = effects[0].literal if len(effects) == 1 else None
    written, unknown = _conditions(value["Condition"]) if "Condition" in raw else ((), False)
    sids = texts("Sid")
    return Statement(
        kind=kind,
        owner=owner,
        value=value,
        effect=effect or "",
        sid=(sids[0].literal or "") if sids else "",
        actions=texts("Action"),
        not_actions=texts("NotAction"),
        resources=texts("Resource"),
        not_resources=texts("NotResource"),
        principals=tuple(_principals(value["Principal"])) if "Principal" in raw else (),
        not_principals=tuple(_principals(value["NotPrincipal"])) if "NotPrincipal" in raw else (),
        conditions=written,
        has_unknown_condition=unknown,
    )


def _principals(value: Value) -> Iterator[Principal]:
    for possible in value.possibilities():
        raw = possible.raw
        if isinstance(raw, dict) and not intrinsics.is_intrinsic(raw):
            for kind in raw:
                for text in possible[kind].texts():
                    yield Principal(kind, text)
        else:
            for text in possible.texts():
                yield Principal("*" if text.literal == "*" else "AWS", text)


def _conditions(value: Value) -> tuple[tuple[Condition, ...], bool]:
    found: list[Condition] = []
    unknown = value.is_unknown
    for operator, comparisons in value.entries():
        unknown = unknown or comparisons.is_unknown
        for key, values in comparisons.entries():
            found.append(Condition(operator, key, tuple(values.texts())))
    return tuple(found), unknown
