"""A key of the account's own for stored data, which nobody can use but through the services that store it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import RemovalPolicy

_MANAGEMENT: Final = (
    *("kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListKeyPolicies", "kms:PutKeyPolicy", "kms:UpdateKeyDescription"),
    *("kms:EnableKey", "kms:DisableKey", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"),
    *("kms:GetKeyRotationStatus", "kms:EnableKeyRotation", "kms:DisableKeyRotation", "kms:ListKeyRotations"),
    *("kms:RotateKeyOnDemand", "kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"),
    *("kms:ListResourceTags", "kms:TagResource", "kms:UntagResource", "kms:ListGrants", "kms:RevokeGrant"),
)
"""Everything about the key; nothing with it."""

_USE: Final = (
    *("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo"),
    *("kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"),
)


class DataKey(Construct):
    """A symmetric key that is rotated every year.

    Its policy leaves to the account's own policies who may manage it, and who may use it through one of the services. It
    lets nobody use it directly: who holds an encrypted copy of the data and this key's name can still not decrypt it.

    Args:
        alias: The key's name in the account and region, without ``alias/``.
        services: The services that store data under it, such as ``sqs``.
        removal: What happens to it when its stack is deleted. Without the key the data is gone.

    Attributes:
        key: The key.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, alias: str, services: Sequence[str], removal: RemovalPolicy
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        # The roles cannot be named here: they do not exist yet, and KMS takes no name of nobody.
        account = iam.AccountRootPrincipal()
        via = {"kms:ViaService": [f"{service}.{stack.region}.{stack.url_suffix}" for service in services]}
        ours = {"kms:CallerAccount": stack.account}
        self.key = kms.Key(
            self,
            "Key",
            alias=alias,
            description="Tables, queues and payloads",
            enable_key_rotation=True,
            removal_policy=removal,
            policy=iam.PolicyDocument(
                statements=[
                    iam.PolicyStatement(sid="Manage", principals=[account], actions=list(_MANAGEMENT), resources=["*"]),
                    iam.PolicyStatement(
                        sid="UseThroughServices",
                        principals=[account],
                        actions=list(_USE),
                        resources=["*"],
                        conditions={"StringEquals": {**via, **ours}},
                    ),
                    # DynamoDB goes on with grants where no principal is at hand: backups, indexes, time to live.
                    iam.PolicyStatement(
                        sid="GrantToServices",
                        principals=[account],
                        actions=["kms:CreateGrant"],
                        resources=["*"],
                        conditions={"StringEquals": {**via, **ours}, "Bool": {"kms:GrantIsForAWSResource": "true"}},
                    ),
                ]
            ),
        )
