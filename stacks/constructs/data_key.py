"""A key of the account's own for stored data, which nobody can use but through the services that store it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

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


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleUse:
    """What one role does with the key.

    Attributes:
        role: Its ARN; the role need not exist yet.
        service: The service that uses the key for it, such as ``sqs``.
        actions: The actions of KMS.
    """

    role: str
    service: str
    actions: frozenset[str]


class DataKey(Construct):
    """A symmetric key that is rotated every year.

    Its policy lets nobody use it directly: who holds an encrypted copy of the data and this key's name can still not decrypt
    it. It holds the roles that it is told of to their uses, whatever their own policies say; of everybody else in the account
    it leaves to their own policies who may use it through one of the services, and who may manage it.

    Args:
        alias: The key's name in the account and region, without ``alias/``.
        services: The services that store data under it, such as ``sqs``.
        uses: Everything that the application's roles do with it.
        removal: What happens to it when its stack is deleted. Without the key the data is gone.

    Attributes:
        key: The key.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        alias: str,
        services: Sequence[str],
        uses: Sequence[RoleUse],
        removal: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        # The roles do not exist yet, and KMS takes no principal that is nobody: conditions name them, which are texts to it.
        account = iam.AccountRootPrincipal()

        def through(*services: str) -> dict[str, Any]:
            return {
                "kms:ViaService": [f"{service}.{stack.region}.{stack.url_suffix}" for service in services],
                "kms:CallerAccount": stack.account,
            }

        roles: dict[tuple[str, frozenset[str]], list[str]] = defaultdict(list)
        for use in uses:
            roles[use.service, use.actions].append(use.role)
        others = {"ArnNotEquals": {"aws:PrincipalArn": sorted({use.role for use in uses})}}
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
                    *(
                        iam.PolicyStatement(
                            principals=[account],
                            actions=sorted(actions),
                            resources=["*"],
                            conditions={
                                "StringEquals": through(service),
                                "ArnEquals": {"aws:PrincipalArn": sorted(named)},
                            },
                        )
                        for (service, actions), named in roles.items()
                    ),
                    iam.PolicyStatement(
                        sid="OthersUseThroughServices",
                        principals=[account],
                        actions=list(_USE),
                        resources=["*"],
                        conditions={"StringEquals": through(*services), **others},
                    ),
                    # DynamoDB goes on with grants where no principal is at hand: backups, indexes, time to live.
                    iam.PolicyStatement(
                        sid="OthersGrantToServices",
                        principals=[account],
                        actions=["kms:CreateGrant"],
                        resources=["*"],
                        conditions={
                            "StringEquals": through(*services),
                            "Bool": {"kms:GrantIsForAWSResource": "true"},
                            **others,
                        },
                    ),
                ]
            ),
        )
