"""Asks the evaluator what a deployment lets through: requests as they would be, with the policies that they would pass."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from credential_rules.policy_evaluation import Request, authorise
from stacks.access import Path, access_table
from stacks.settings import Function, Service
from stacks.stores import Store, Stores
from tests.stacks.concrete import Deployed
from tests.stacks.permissions import functions, role_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.policy_evaluation import Verdict
    from tests.stacks.cloud_assembly import Assembly

OTHER: Final = "999999999999"
ORGANISATION: Final = "o-exampleorgid"
ADMINISTRATOR: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
"""May everything that its own policies can give."""
OVER_TLS: Final = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
FROM_THE_INTERNET: Final = {**OVER_TLS, "aws:SourceIp": "203.0.113.7"}
DATA: Final = {
    Service.DYNAMODB: ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"),
    Service.SQS: ("SendMessage", "ReceiveMessage", "DeleteMessage", "PurgeQueue", "GetQueueAttributes"),
    Service.S3: ("GetObject", "PutObject", "DeleteObject"),
}
"""What can be done with a store's data."""
ADMINISTRATION: Final = {
    Service.DYNAMODB: ("DescribeTable", "UpdateTable", "PutResourcePolicy", "DeleteTable", "CreateBackup"),
    Service.SQS: ("GetQueueAttributes", "SetQueueAttributes", "DeleteQueue", "StartMessageMoveTask"),
    Service.S3: ("PutBucketPolicy", "PutLifecycleConfiguration", "DeleteBucket"),
}
"""What can be done with the store itself: by the operator and by CloudFormation."""


class Use(NamedTuple):
    """One thing that a function does."""

    function: Function
    service: Service
    action: str
    resource: str
    path: Path


class Case:
    """One deployment, ready to be asked."""

    def __init__(self, assembly: Assembly) -> None:
        self.deployed = Deployed.of(assembly)
        self.stores = replace(Stores.of(self.deployed.settings), account=self.deployed.account)
        self.policies = self.deployed.store_policies()
        self.endpoints = self.deployed.endpoints()
        api = assembly.api
        self.roles = {Function(name): role_of(api, function) for name, function in functions(api).items()}
        self.identity = {function: self.deployed.identity(role) for function, role in self.roles.items()}

    def uses(self, path: Path) -> Iterator[Use]:
        """Give all that functions do on the stores, by the table of permissions."""
        for entry in access_table(self.stores):
            if entry.path is path and entry.resource != "*":
                for action in entry.actions:
                    resource = entry.resource.replace("payloads/*", "payloads/acme/1")
                    yield Use(entry.function, entry.service, action, resource, path)

    def policy_on(self, resource: str) -> dict[str, Any]:
        """Give the policy of the store that a resource is, or is in."""
        (found,) = (
            policy for arn, policy in self.policies.items() if resource == arn or resource.startswith(f"{arn}/")
        )
        return found

    def request(self, action: str, resource: str, *, role: str, account: str | None = None, **keys: str) -> Request:
        """Give a request of a role's session over TLS, in our organisation if it is of our account."""
        account = account or self.deployed.account
        context = {**OVER_TLS, "aws:ResourceAccount": self.deployed.account}
        if self.deployed.settings.organization:
            context["aws:ResourceOrgID"] = ORGANISATION
            if account == self.deployed.account:
                context["aws:PrincipalOrgID"] = ORGANISATION
        context |= {f"aws:{name}": value for name, value in keys.items()}
        return Request(action, resource, f"arn:aws:sts::{account}:assumed-role/{role}/session", account, context)

    def by_function(self, use: Use, *, through: str | None = None, **keys: str) -> Verdict:
        """Judge what a function does, through our endpoint unless another or none is named."""
        ours, endpoint = self.endpoints[use.service]
        came = ours if through is None else through
        request = self.request(
            use.action,
            use.resource,
            role=self.deployed.settings.role_name(use.function),
            **({"SourceVpce": came} if came else {"SourceIp": "203.0.113.7"}),
            **keys,
        )
        return authorise(
            request,
            identity=self.identity[use.function],
            resource=self.policy_on(use.resource),
            endpoint=endpoint if came == ours else None,
        )

    def administration(self) -> Iterator[tuple[str, str]]:
        """Give each action on each store: on its data and on itself."""
        for store in Store:
            arn = self.stores.arn(store)
            service = Service(arn.split(":")[2])
            for name in (*DATA[service], *ADMINISTRATION[service]):
                yield f"{service}:{name}", f"{arn}/key" if name.endswith("Object") else arn
