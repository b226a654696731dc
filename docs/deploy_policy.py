"""What CloudFormation's role has to be allowed to deploy this application, and nothing beside it.

``python docs/deploy_policy.py cdk.out --account 111122223333 --into policies`` reads what ``make synth`` wrote, writes one
file per managed policy, and prints the commands that make CloudFormation deploy with them instead of with
AdministratorAccess. ``--write`` writes all of them into one file: ``docs/deploy-policy.json`` holds those of `cdk.json`.

A type of resource, or a property, that ``resource_handlers.py`` does not know stops the generator: nothing new is
deployed with a permission that nobody has looked at.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

PROJECT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from credential_rules import iam_actions  # noqa: E402 - the project is deployed, not installed
from docs.resource_handlers import CUSTOM_RESOURCE, HANDLERS, ROLES, Condition, Handlers  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Json = Any
"""A JSON value, as a template has it."""

FILE: Final = PROJECT / "docs" / "deploy-policy.json"
EXAMPLE_ACCOUNT: Final = "123456789012"
"""The account in ``FILE``: the one that the local AWS plays."""

POLICY_LIMIT: Final = 6144
"""Characters of a managed policy, white space aside."""

CALLERS_ROLES: Final = ("deploy", "file-publishing", "image-publishing", "lookup")
"""The CDK's own roles that whoever runs `cdk deploy` becomes, and all that this person has to be allowed."""


class UnknownToTheTable(Exception):
    """A resource type or property whose permissions nobody has looked at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a deployment goes, and what its names begin with.

    Attributes:
        stacks: What its stacks' names begin with, and so the names that CloudFormation makes up.
        names: What the names that we give begin with.
    """

    partition: str
    account: str
    region: str
    stacks: str
    names: str

    def arn(self, pattern: str) -> str:
        """Fill in a pattern of ``Handlers``."""
        return pattern.format(
            aws=f"arn:{self.partition}", a=self.account, r=self.region, s=f"{self.stacks}-", n=f"{self.names}-"
        )


def policies(templates: Sequence[Mapping[str, Json]], place: Place) -> dict[str, Json]:
    """Give the managed policies of CloudFormation's role and the policy of its caller, by name.

    Raises:
        UnknownToTheTable: A template has a type or property that nobody has looked at.
    """
    statements = _statements(templates, place)
    documents: list[list[Json]] = [[]]
    for statement in statements:
        if _size(_document([*documents[-1], statement])) > POLICY_LIMIT:
            documents.append([])
        documents[-1].append(statement)
    name = f"{place.names}-{place.region}-deploy"
    made = {f"{name}-{number}": _document(each) for number, each in enumerate(documents, 1)}
    too_large = [name for name, document in made.items() if _size(document) > POLICY_LIMIT]
    if too_large:
        raise ValueError(f"A statement alone is larger than a managed policy may be: {', '.join(too_large)}")
    caller = {
        "Sid": "BecomeTheCdksRoles",
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Resource": [
            f"arn:{place.partition}:iam::{place.account}:role/cdk-hnb659fds-{role}-role-{place.account}-{place.region}"
            for role in CALLERS_ROLES
        ],
    }
    return {**made, f"{name}-caller": _document([caller])}


def handler_actions(resource: Mapping[str, Json]) -> Iterator[str]:
    """Give what CloudFormation does to one resource of a template, `iam:PassRole` aside.

    Raises:
        UnknownToTheTable: Its type, or one of its properties, is not in the table.
    """
    row = _row(resource["Type"])
    yield from row.actions
    if row is CUSTOM_RESOURCE:
        return
    for path in _property_paths(resource.get("Properties", {})):
        if path in row.needs:
            yield from row.needs[path]
        elif path not in row.plain and path not in row.passes:
            raise UnknownToTheTable(
                f"{resource['Type']} has the property {path}, and nobody has said what CloudFormation does for it. A "
                "deployment with the generated policy could fail. Look at the handlers of the type (aws cloudformation "
                f"describe-type --type RESOURCE --type-name {resource['Type']}) and put {path} into its row in "
                "docs/resource_handlers.py."
            )


def _row(kind: str) -> Handlers:
    if kind.startswith("Custom::"):
        return CUSTOM_RESOURCE
    if kind not in HANDLERS:
        raise UnknownToTheTable(
            f"docs/resource_handlers.py has no {kind}, so the policy for deploying it is not known. Read its "
            f"handlers (aws cloudformation describe-type --type RESOURCE --type-name {kind}) and give it a row."
        )
    return HANDLERS[kind]


def _property_paths(properties: Mapping[str, Json]) -> Iterator[str]:
    for name, value in properties.items():
        if name == "Replicas":
            if len(value) != 1:
                raise UnknownToTheTable(
                    "A table has replicas in several regions: DynamoDB acts there with a role of its own, which the "
                    "policy for deploying does not know. Extend the row of the type in docs/resource_handlers.py."
                )
            yield from (f"Replicas.{part}" for part in value[0])
        else:
            yield name


@dataclass(frozen=True, slots=True)
class _Grant:
    """One action on some resources under one condition."""

    action: str
    arns: tuple[str, ...]
    condition: Condition | None = None


def _grants(template: Mapping[str, Json]) -> Iterator[_Grant]:
    """Everything that deploying a template needs, with ARNs as patterns."""
    for resource in template["Resources"].values():
        row = _row(resource["Type"])
        for action in handler_actions(resource):
            yield _Grant(action, row.elsewhere.get(action, row.arns), row.conditions.get(action))
        for path, service in row.passes.items():
            if path in resource["Properties"]:
                yield _Grant("iam:PassRole", ROLES, {"StringEquals": {"iam:PassedToService": service}})
        for service in row.service_roles:
            arn = f"{{aws}}:iam::{{a}}:role/aws-service-role/{service}/*"
            yield _Grant("iam:CreateServiceLinkedRole", (arn,), {"StringEquals": {"iam:AWSServiceName": service}})
    if any(str(one["Type"]).startswith("AWS::SSM::") for one in template.get("Parameters", {}).values()):
        yield _Grant("ssm:GetParameters", ("{aws}:ssm:{r}:{a}:parameter/cdk-bootstrap/*",))
    if "Fn::GetAZs" in json.dumps(template["Resources"]):
        yield _Grant("ec2:DescribeAvailabilityZones", ("*",))


def _statements(templates: Sequence[Mapping[str, Json]], place: Place) -> list[Json]:
    """Everything that is needed, with actions on the same resources under the same condition in one statement."""
    boundary = _boundary(templates, place)
    grouped: dict[str, set[str]] = {}
    for grant in (grant for template in templates for grant in _grants(template)):
        known = iam_actions.action(grant.action)
        if known is None:
            raise UnknownToTheTable(f"IAM has no action {grant.action}: mend docs/resource_handlers.py.")
        arns = [place.arn(arn) for arn in grant.arns] if known.has_resource_level else ["*"]
        condition = boundary if boundary and grant.action in _GIVING else _filled(grant.condition, place)
        grouped.setdefault(json.dumps([arns, condition]), set()).add(grant.action)
    statements = []
    for key, actions in sorted(grouped.items(), key=lambda each: (each[0], sorted(each[1]))):
        arns, condition = json.loads(key)
        statements.append(
            {
                "Effect": "Allow",
                "Action": _one_or_all(sorted(actions)),
                "Resource": _one_or_all(arns),
                **({"Condition": condition} if condition else {}),
            }
        )
    return statements


_GIVING: Final = frozenset({"iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"})
"""What gives a role something: with a permissions boundary, only to roles that have it."""


def _boundary(templates: Sequence[Mapping[str, Json]], place: Place) -> Condition | None:
    """The condition that every role has the one permissions boundary; none where not every role has one."""
    found = {
        json.dumps(resource["Properties"].get("PermissionsBoundary"))
        for template in templates
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::IAM::Role"
    }
    if found <= {"null"}:
        return None
    if len(found) > 1:
        raise UnknownToTheTable(
            "Some roles have a permissions boundary and some have not, or another one: the policy for deploying could "
            "not ask for it. Give every role the same one, as the setting permissions_boundary does."
        )
    (boundary,) = found
    return {"StringEquals": {"iam:PermissionsBoundary": _arn_of(json.loads(boundary), place)}}


def _arn_of(value: Json, place: Place) -> str:
    """Write an ARN of a template as a text, with this deployment's account, partition and region."""
    pseudo = {"AWS::AccountId": place.account, "AWS::Partition": place.partition, "AWS::Region": place.region}
    match value:
        case str():
            return value
        case {"Ref": str(name)} if name in pseudo:
            return pseudo[name]
        case {"Fn::Join": ["", [*parts]]}:
            return "".join(_arn_of(part, place) for part in parts)
    raise UnknownToTheTable(f"The permissions boundary {value!r} has no ARN that is known before the deployment.")


def _filled(condition: Condition | None, place: Place) -> Condition | None:
    return condition and {
        operator: {key: place.arn(value) for key, value in keys.items()} for operator, keys in condition.items()
    }


def _one_or_all(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _document(statements: Sequence[Json]) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _size(document: Json) -> int:
    return len(json.dumps(document, separators=(",", ":")))


def read_assembly(folder: Path, account: str | None) -> tuple[list[Json], Place]:
    """Read the templates of a cloud assembly, and where its stacks go.

    Raises:
        ValueError: Neither the assembly nor the caller names the account, or there is no assembly.
    """
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    stacks = {
        artifact.get("properties", {}).get("stackName", name): artifact
        for name, artifact in manifest["artifacts"].items()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    templates = [
        json.loads((folder / artifact["properties"]["templateFile"]).read_text(encoding="utf-8"))
        for artifact in stacks.values()
    ]
    _, _, where = next(iter(stacks.values()))["environment"].partition("aws://")
    named, _, region = where.partition("/")
    account = account or (named if named.isdigit() else None)
    if account is None:
        raise ValueError(
            f"{folder} is for whatever account the credentials in use belong to, so its ARNs are not known. Name it: "
            "--account 111122223333, or synthesise with -c account=111122223333."
        )
    prefix = next(iter(stacks)).rpartition("-")[0]
    partition = "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
    return templates, Place(partition=partition, account=account, region=region, stacks=prefix, names=prefix.lower())


def text(folder: Path, account: str | None = None) -> str:
    """Give the content of ``FILE`` for an assembly."""
    return json.dumps(policies(*read_assembly(folder, account)), indent=1) + "\n"


def main(given: Sequence[str] | None = None) -> int:
    """Write the policies, and say how they are used."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("assembly", type=Path, help="the cloud assembly: cdk.out")
    parser.add_argument("--account", help="the account to deploy to, where the assembly does not name it")
    parser.add_argument("--into", type=Path, help="write one file per policy into this folder")
    parser.add_argument("--write", type=Path, help="write all of them into this file")
    arguments = parser.parse_args(given)
    try:
        templates, place = read_assembly(arguments.assembly, arguments.account)
        made = policies(templates, place)
    except (OSError, ValueError, UnknownToTheTable) as error:
        sys.stderr.write(f"No policy was made: {error}\n")
        return 1
    if arguments.write:
        arguments.write.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
        return 0
    if not arguments.into:
        sys.stdout.write(json.dumps(made, indent=1) + "\n")
        return 0
    arguments.into.mkdir(parents=True, exist_ok=True)
    for name, document in made.items():
        (arguments.into / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        sys.stdout.write(
            f"aws iam create-policy --policy-name {name} --policy-document file://{arguments.into / name}.json\n"
        )
    arns = ",".join(f"arn:{place.partition}:iam::{place.account}:policy/{name}" for name in list(made)[:-1])
    sys.stdout.write(f"cdk bootstrap --cloudformation-execution-policies {arns}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
