"""What the local AWS cannot take. The local deployment is the real one without what is named here, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aws_cdk import CfnResource
from aws_cdk.aws_ec2 import CfnVPC

from stacks.acknowledgements import acknowledge
from stacks.settings import Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from stacks.settings import Service

LEFT_OUT_LOCALLY: Final = frozenset(
    {
        "AWS::EC2::FlowLog",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
    }
)
"""All of them tell a network what to do; the local AWS carries no packets."""


def endpoints_to_ask_for(target: Target, endpoints: Mapping[Service, str]) -> Mapping[Service, str]:
    """Give the endpoints through which the stores' policies ask calls to come: none locally.

    No call on the local AWS comes through an endpoint, so a store that asked for one would refuse them all.
    """
    return {} if target is Target.LOCAL else endpoints


def leave_out_network_only(scope: Construct) -> None:
    """Remove the resources of ``LEFT_OUT_LOCALLY`` from everything below ``scope``.

    What the rule packs miss then is acknowledged here, so that the deployment to AWS has no such acknowledgement.
    """
    acknowledge(
        scope,
        "CredentialChecks::function-reaches-what-it-may-call",
        "The local AWS carries no packets, so its groups lack the rules that lead to the interface endpoints.",
    )
    for node in scope.node.find_all():
        parent = node.node.scope
        if isinstance(node, CfnResource) and node.cfn_resource_type in LEFT_OUT_LOCALLY and parent is not None:
            parent.node.try_remove_child(node.node.id)
        if isinstance(node, CfnVPC):
            acknowledge(
                node,
                "AwsSolutions::AwsSolutions-VPC7",
                "The local AWS takes no flow log; the deployment to AWS has one.",
            )
