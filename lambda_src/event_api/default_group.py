"""Custom resource of the network stack: leaves the VPC's default security group without a rule.

EC2 makes that group with every VPC, open within itself and to everywhere, and nobody can delete it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from event_api.custom_resource import CannotBeDone, answered
from event_api.role_clients import RoleClients
from event_api.settings import required

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_PHYSICAL_ID: Final = "empty-default-group"

_clients: Final = RoleClients(required("AWS_REGION"))


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Empty the group, unless its VPC is about to go.

    Args:
        event: The custom resource's request; ``GroupId`` is the group's id.
        context: Lambda's.
    """
    with answered(event, context, physical_id=_PHYSICAL_ID):
        if event["RequestType"] != "Delete":
            _empty(event["ResourceProperties"]["GroupId"])


def _empty(group: str) -> None:
    ec2 = _clients.client("ec2")
    found = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    if [entry["GroupName"] for entry in found] != ["default"]:
        raise CannotBeDone(
            f"{group} is no VPC's default security group, so its rules are left alone: emptying another group would cut "
            "off what uses it. Give the attribute DefaultSecurityGroup of the VPC."
        )
    (rules,) = found
    if rules["IpPermissions"]:
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rules["IpPermissions"])
    if rules["IpPermissionsEgress"]:
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=rules["IpPermissionsEgress"])
