"""Policies of a template as they will be once it is deployed, for the evaluator.

What only the deployment gives (the ids of endpoints, groups, keys) is a made-up text that names the construct. Account and
ARNs of what has a physical name are as they will be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from stacks.settings import Service, Settings

if TYPE_CHECKING:
    from tests.stacks.cloud_assembly import Assembly, Json, Resource, Template

ACCOUNT: Final = "123456789012"
"""The account of a deployment that leaves it to the session."""

_ARN_OF: Final = {
    "AWS::DynamoDB::GlobalTable": ("TableName", "arn:aws:dynamodb:{region}:{account}:table/{name}"),
    "AWS::SQS::Queue": ("QueueName", "arn:aws:sqs:{region}:{account}:{name}"),
    "AWS::S3::Bucket": ("BucketName", "arn:aws:s3:::{name}"),
    "AWS::Logs::LogGroup": ("LogGroupName", "arn:aws:logs:{region}:{account}:log-group:{name}:*"),
    "AWS::Lambda::Function": ("FunctionName", "arn:aws:lambda:{region}:{account}:function:{name}"),
    "AWS::IAM::Role": ("RoleName", "arn:aws:iam::{account}:role/{name}"),
    "AWS::KMS::Key": ("", "arn:aws:kms:{region}:{account}:key/{name}"),
}


@dataclass(frozen=True, slots=True)
class Deployed:
    """One deployment as the evaluator sees it.

    Attributes:
        assembly: What was synthesised.
        settings: Its settings.
    """

    assembly: Assembly
    settings: Settings

    @classmethod
    def of(cls, assembly: Assembly) -> Deployed:
        """See a deployment so."""
        return cls(assembly, Settings.from_context(assembly.context))

    @property
    def account(self) -> str:
        """The account that it is deployed to."""
        return self.settings.account or ACCOUNT

    def text(self, template: Template, value: Json) -> str:
        """Write one text as it will be."""
        told = template.text(value).replace("<AWS::AccountId>", self.account)
        told = told.replace("<AWS::Region>", self.settings.region).replace("<AWS::URLSuffix>", "amazonaws.com")
        return re.sub(r"<(?P<path>[^<>]+)\.Arn>", lambda found: self._arn(found["path"]), told)

    def arn(self, resource: Resource) -> str:
        """Give a resource's ARN."""
        name, form = _ARN_OF[resource.type]
        template = self.assembly.templates[resource.path.partition("/")[0]]
        physical = resource.properties.get(name)
        told = self.text(template, physical) if physical else resource.path.replace("/", "-")
        return form.format(region=self.settings.region, account=self.account, name=told)

    def document(self, template: Template, value: Json) -> Any:  # noqa: ANN401 - JSON
        """Give a policy document, or a part of one, without intrinsics."""
        match value:
            case {"Ref": _} | {"Fn::GetAtt": _} | {"Fn::ImportValue": _} | {"Fn::Join": _}:
                return self.text(template, value)
            case dict():
                return {key: self.document(template, inner) for key, inner in value.items()}
            case list():
                return [self.document(template, inner) for inner in value]
        return value

    def identity(self, role: Resource) -> list[dict[str, Any]]:
        """Give the policies that are attached to a role."""
        template = self.assembly.templates[role.path.partition("/")[0]]
        return [
            self.document(template, policy.properties["PolicyDocument"])
            for policy in template.of_type("AWS::IAM::Policy")
            if {"Ref": role.logical_id} in policy.properties["Roles"]
        ]

    def endpoints(self) -> dict[Service, tuple[str, dict[str, Any]]]:
        """Give each endpoint's id and policy, by the service that it leads to."""
        network = self.assembly.network
        return {
            Service(network.text(endpoint.properties["ServiceName"]).rpartition(".")[2]): (
                f"<{endpoint.path}>",
                self.document(network, endpoint.properties["PolicyDocument"]),
            )
            for endpoint in network.of_type("AWS::EC2::VPCEndpoint")
        }

    def store_policies(self) -> dict[str, dict[str, Any]]:
        """Give the policies of tables, queues and the bucket, by the ARN of what they stand on."""
        data = self.assembly.data
        found = {
            self.arn(table): self.document(data, table.properties["Replicas"][0]["ResourcePolicy"]["PolicyDocument"])
            for table in data.of_type("AWS::DynamoDB::GlobalTable")
        }
        by_path = {f"<{each.path}>": each for each in data.of_type("AWS::SQS::Queue", "AWS::S3::Bucket")}
        for policy in data.of_type("AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy"):
            on = policy.properties.get("Queues") or [policy.properties["Bucket"]]
            (store,) = (by_path[data.text(each)] for each in on)
            found[self.arn(store)] = self.document(data, policy.properties["PolicyDocument"])
        return found

    def _arn(self, path: str) -> str:
        template = self.assembly.templates[path.partition("/")[0]]
        (found,) = (resource for resource in template.resources if resource.path == path and resource.type in _ARN_OF)
        return self.arn(found)
