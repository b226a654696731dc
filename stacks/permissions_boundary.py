"""The limit that an organisation puts on every role, whatever its policies say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam

from stacks.stores import Stores

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import Stack

    from stacks.settings import Settings


def bound_every_role(stacks: Iterable[Stack], settings: Settings) -> None:
    """Give every role of the stacks the boundary that the settings name, those of custom resources included."""
    named = settings.permissions_boundary
    if named is None:
        return
    place = Stores.of(settings)
    arn = named if named.startswith("arn:") else f"arn:{place.partition}:iam::{place.account}:policy/{named}"
    for stack in stacks:
        boundary = iam.ManagedPolicy.from_managed_policy_arn(stack, "PermissionsBoundary", arn)
        iam.PermissionsBoundary.of(stack).apply(boundary)
