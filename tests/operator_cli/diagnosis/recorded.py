"""What AWS answers about one function without a fault, to be changed by a test: recorded from APIs, no account needed."""

from __future__ import annotations

import copy
import io
import json
import threading
import zipfile
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from operator_cli.answers import Failure, FailureKind

if TYPE_CHECKING:
    from collections.abc import Mapping

REGION: Final = "eu-west-1"
ACCOUNT: Final = "123456789012"
NAME: Final = "events-api"
ROLE: Final = "events-role"
ARN: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{NAME}"
TABLE: Final = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/events"
QUEUE: Final = f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue"
BUCKET: Final = "arn:aws:s3:::payloads"
KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b"
CHANGED: Final = 1_790_000_000_000
"""When the function was last changed, in milliseconds."""

CODE: Final = """\
import os

import boto3


def handler(event, context):
    boto3.client("dynamodb").put_item(TableName=os.environ["TABLE"], Item={"pk": {"S": "1"}})
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody="1")
"""

_HTTPS: Final = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}


def https(**peer: object) -> dict[str, Any]:
    """Give a rule of a security group as EC2 describes it."""
    empty: dict[str, Any] = {"IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": []}
    return {**_HTTPS, **empty, **peer}


def to_group(group: str) -> dict[str, Any]:
    """Give a rule for HTTPS to or from a group."""
    return https(UserIdGroupPairs=[{"GroupId": group, "UserId": ACCOUNT}])


def to_prefix_list(identifier: str) -> dict[str, Any]:
    """Give a rule for HTTPS to a prefix list."""
    return https(PrefixListIds=[{"PrefixListId": identifier}])


def statement(actions: list[str] | str, resource: list[str] | str, **more: object) -> dict[str, Any]:
    """Give a statement that allows something."""
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def document(*statements: Mapping[str, Any]) -> dict[str, Any]:
    """Give a policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def acl_entries(action: str, number: int) -> list[dict[str, Any]]:
    """Give the entries of a network ACL that allow, or deny, everything both ways."""
    everything = {"CidrBlock": "0.0.0.0/0", "Protocol": "-1", "RuleAction": action, "RuleNumber": number}
    return [{**everything, "Egress": way} for way in (True, False)]


def deny(sid: str, actions: str, *resources: str, **condition: object) -> dict[str, Any]:
    """Give a statement of a resource's policy that refuses everybody something under a condition."""
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": actions,
        "Resource": list(resources),
        "Condition": condition,
    }


def only_own(actions: str, *resources: str) -> list[dict[str, Any]]:
    """Give what the policies of this project's stores refuse on any way: plain HTTP, and strangers."""
    return [
        deny("NoPlainHttp", actions, *resources, Bool={"aws:SecureTransport": "false"}),
        deny(
            "NoStrangers",
            actions,
            *resources,
            StringNotEquals={"aws:PrincipalAccount": ACCOUNT},
            BoolIfExists={"aws:PrincipalIsAWSService": "false"},
        ),
    ]


class Recorded:
    """Answers as AWS does. A test changes what it is about.

    Attributes:
        configuration: The function's.
        variables: Its environment.
        files: Its code, by path.
        inline: The role's inline policies by name.
        trust: Who may assume the role; None for a role that does not exist.
        tags: The role's.
        boundary: The document of the role's permissions boundary.
        subnets, tables, endpoints, groups: As EC2 describes them, by id.
        dns: The VPC's attributes.
        acls: Its network ACLs, by id.
        name_servers: What its machines are told to ask.
        zones: The names of private hosted zones.
        lines: What its log holds: text, and milliseconds after the last change.
        policies: The policies of the queue, the table and the bucket, by ARN; None for one that has none.
        encryption: The keys that these are encrypted with, as their services tell them, by ARN.
        key_policies: The policies of keys, by ARN.
        aliases: The keys behind aliases.
        grants: The grants of any key.
        organisation: That of the account; empty for none.
        failures: The error codes that single operations answer.
        streams: The names of the log's streams.
        read_streams, polled: Which streams were read, and for which function event sources were asked for.
        refused: The permissions that the caller lacks.
        asked: What was asked, in order.
    """

    def __init__(self) -> None:
        self.configuration: dict[str, Any] = {
            "FunctionName": NAME,
            "FunctionArn": ARN,
            "Runtime": "python3.14",
            "Handler": "app/index.handler",
            "Role": f"arn:aws:iam::{ACCOUNT}:role/{ROLE}",
            "Timeout": 10,
            "LastModified": "2026-09-21T14:13:20.000+0000",
            "PackageType": "Zip",
            "VpcConfig": {
                "VpcId": "vpc-1",
                "SubnetIds": ["subnet-a", "subnet-b"],
                "SecurityGroupIds": ["sg-functions"],
            },
        }
        self.variables = {"TABLE": "events", "QUEUE_URL": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/queue"}
        self.files = {"app/index.py": CODE}
        self.inline: dict[str, Any] = {
            "work": document(statement("dynamodb:PutItem", TABLE), statement("sqs:SendMessage", QUEUE))
        }
        self.trust: dict[str, Any] | None = document(
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        )
        self.tags: list[dict[str, str]] = []
        self.boundary: dict[str, Any] | None = None
        self.subnets = {
            name: {"SubnetId": name, "VpcId": "vpc-1", "CidrBlock": f"10.0.{number}.0/24"}
            for number, name in enumerate(("subnet-a", "subnet-b"))
        }
        local = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
        to_tables = {"DestinationPrefixListId": "pl-dynamodb", "GatewayId": "vpce-tables", "State": "active"}
        self.tables: dict[str, dict[str, Any]] = {
            "rtb-main": {"Associations": [{"Main": True, "RouteTableId": "rtb-main"}], "Routes": [local]},
            "rtb-1": {
                "Associations": [{"Main": False, "SubnetId": name, "RouteTableId": "rtb-1"} for name in self.subnets],
                "Routes": [local, to_tables],
            },
        }
        everybody = {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}}
        self.endpoints: dict[str, dict[str, Any]] = {
            "vpce-tables": {
                "VpcEndpointType": "Gateway",
                "ServiceName": f"com.amazonaws.{REGION}.dynamodb",
                "RouteTableIds": ["rtb-1"],
                "PolicyDocument": json.dumps(document(statement("dynamodb:PutItem", TABLE, **everybody))),
            },
            "vpce-queue": {
                "VpcEndpointType": "Interface",
                "ServiceName": f"com.amazonaws.{REGION}.sqs",
                "SubnetIds": ["subnet-a", "subnet-b"],
                "Groups": [{"GroupId": "sg-doors", "GroupName": "doors"}],
                "PrivateDnsEnabled": True,
                "PolicyDocument": json.dumps(document(statement("sqs:SendMessage", QUEUE, **everybody))),
            },
        }
        self.groups: dict[str, dict[str, Any]] = {
            "sg-functions": {
                "IpPermissions": [],
                "IpPermissionsEgress": [to_group("sg-doors"), to_prefix_list("pl-dynamodb")],
            },
            "sg-doors": {"IpPermissions": [to_group("sg-functions")], "IpPermissionsEgress": []},
            "sg-other": {"IpPermissions": [], "IpPermissionsEgress": [https(IpRanges=[{"CidrIp": "0.0.0.0/0"}])]},
        }
        self.dns = {"enableDnsSupport": True, "enableDnsHostnames": True}
        self.acls: dict[str, dict[str, Any]] = {
            "acl-default": {
                "Associations": [{"SubnetId": name} for name in self.subnets],
                "Entries": [*acl_entries("allow", 100), *acl_entries("deny", 32767)],
            }
        }
        self.name_servers = ["AmazonProvidedDNS"]
        self.zones: list[str] = []
        self.lines: list[tuple[str, int]] = [("START RequestId: 1 Version: $LATEST", 500)]
        self.policies: dict[str, dict[str, Any] | None] = {
            QUEUE: document(*only_own("sqs:*", QUEUE)),
            TABLE: document(*only_own("dynamodb:*", TABLE, f"{TABLE}/*")),
            BUCKET: document(*only_own("s3:*", BUCKET, f"{BUCKET}/*")),
        }
        self.encryption: dict[str, str] = {}
        everything = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*"}
        self.key_policies: dict[str, dict[str, Any]] = {KEY: document({**everything, "Resource": "*"})}
        self.aliases: dict[str, str] = {}
        self.grants: list[dict[str, Any]] = []
        self.organisation = ""
        self.failures: dict[str, str] = {}
        self.streams = ["2026/09/21/[$LATEST]1"]
        self.read_streams: list[str] = []
        self.polled: list[str] = []
        self.refused: set[str] = set()
        self.asked: list[str] = []

    def logs(self, *texts: str, after: int = 1000) -> None:
        """Put lines into its log, some milliseconds after the last change."""
        self.lines += [(text, after) for text in texts]

    def __call__(self, service: str, operation: str, parameters: Mapping[str, Any], /) -> Any:  # noqa: ANN401 - as AWS answers
        """Answer one question."""
        self.asked.append(f"{service}:{operation}")
        permission = f"{service}:{operation.replace('_', '')}"
        if operation in self.failures:
            code = self.failures[operation]
            kind = FailureKind.NOT_FOUND if code == "ResourceNotFoundException" else FailureKind.OTHER
            return Failure(kind=kind, code=code, what="AWS said no.")
        permission = {"s3:getbucketencryption": "s3:getencryptionconfiguration"}.get(permission, permission)
        if permission in {one.lower() for one in self.refused}:
            return Failure(kind=FailureKind.DENIED, code="AccessDenied", what="AWS denied it.")
        return copy.deepcopy(getattr(self, f"_{operation}")(parameters))

    def archive(self, address: str, /) -> bytes | Failure:
        """Give its code."""
        assert address == "https://code.example/function"
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for path, text in self.files.items():
                archive.writestr(path, text)
        return content.getvalue()

    # --- answers ---

    def _get_function(self, _: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as AWS answers
        environment = {"Environment": {"Variables": self.variables}}
        return {
            "Configuration": {**self.configuration, **environment},
            "Code": {"Location": "https://code.example/function"},
        }

    def _list_event_source_mappings(self, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        self.polled.append(parameters["FunctionName"])
        return {"EventSourceMappings": []}

    def _no_role(self) -> Failure | None:
        said = Failure(kind=FailureKind.OTHER, code="NoSuchEntity", what="AWS answered NoSuchEntity.")
        return said if self.trust is None else None

    def _get_role(self, _: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        limit = {"PermissionsBoundary": {"PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/limit"}}
        return self._no_role() or {
            "Role": {
                "RoleName": ROLE,
                "AssumeRolePolicyDocument": self.trust,
                "Tags": self.tags,
                **(limit if self.boundary is not None else {}),
            }
        }

    def _list_role_policies(self, _: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        return self._no_role() or {"PolicyNames": list(self.inline)}

    def _get_role_policy(self, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        return {"PolicyDocument": self.inline[parameters["PolicyName"]]}

    def _list_attached_role_policies(self, _: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        return self._no_role() or {"AttachedPolicies": []}

    def _get_policy(self, _: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        return {"Policy": {"DefaultVersionId": "v1"}}

    def _get_policy_version(self, _: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        return {"PolicyVersion": {"Document": self.boundary}}

    def _describe_subnets(self, _: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        return {"Subnets": list(self.subnets.values())}

    def _describe_route_tables(self, _: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        return {
            "RouteTables": [{"RouteTableId": name, "VpcId": "vpc-1", **table} for name, table in self.tables.items()]
        }

    def _describe_vpc_endpoints(self, _: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        return {
            "VpcEndpoints": [{"VpcEndpointId": name, "VpcId": "vpc-1", **one} for name, one in self.endpoints.items()]
        }

    def _describe_security_groups(self, _: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        return {"SecurityGroups": [{"GroupId": name, "VpcId": "vpc-1", **group} for name, group in self.groups.items()]}

    def _describe_vpcs(self, _: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        return {"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "DhcpOptionsId": "dopt-1"}]}

    def _describe_vpc_attribute(self, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        name = parameters["Attribute"]
        return {name[0].upper() + name[1:]: {"Value": self.dns[name]}}

    def _describe_network_acls(self, _: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        return {"NetworkAcls": [{"NetworkAclId": name, "VpcId": "vpc-1", **acl} for name, acl in self.acls.items()]}

    def _describe_dhcp_options(self, _: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        values = [{"Value": server} for server in self.name_servers]
        return {"DhcpOptions": [{"DhcpConfigurations": [{"Key": "domain-name-servers", "Values": values}]}]}

    def _describe_prefix_lists(self, _: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        return {
            "PrefixLists": [
                {"PrefixListId": f"pl-{service}", "PrefixListName": f"com.amazonaws.{REGION}.{service}"}
                for service in ("dynamodb", "s3")
            ]
        }

    def _list_hosted_zones_by_vpc(self, _: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        return {"HostedZoneSummaries": [{"Name": name} for name in self.zones]}

    def _describe_log_streams(self, _: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        return {"logStreams": [{"logStreamName": name} for name in self.streams]}

    def _get_log_events(self, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        self.read_streams.append(parameters["logStreamName"])
        return {"events": [{"timestamp": CHANGED + after, "message": text} for text, after in self.lines]}

    def _get_queue_attributes(self, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        host, account, name = parameters["QueueUrl"].split("/")[-3:]
        arn = f"arn:aws:sqs:{host.split('.')[1]}:{account}:{name}"
        policy, key = self.policies.get(arn), self.encryption.get(arn)
        told = {
            **({"Policy": json.dumps(policy)} if policy else {}),
            **({"KmsMasterKeyId": key} if key else {}),
        }
        return {"Attributes": {each: told[each] for each in parameters["AttributeNames"] if each in told}}

    def _get_resource_policy(self, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        policy = self.policies.get(parameters["ResourceArn"])
        return {"Policy": json.dumps(policy)} if policy else _none("PolicyNotFoundException")

    def _describe_table(self, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        key = self.encryption.get(parameters["TableName"])
        described = {"SSEDescription": {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key}}
        return {"Table": described if key else {}}

    def _get_bucket_policy(self, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        policy = self.policies.get(f"arn:aws:s3:::{parameters['Bucket']}")
        return {"Policy": json.dumps(policy)} if policy else _none("NoSuchBucketPolicy")

    def _get_bucket_encryption(self, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        key = self.encryption.get(f"arn:aws:s3:::{parameters['Bucket']}")
        by = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key} if key else {"SSEAlgorithm": "AES256"}
        return {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": by}]}}

    def _describe_key(self, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        return {"KeyMetadata": {"Arn": self.aliases[parameters["KeyId"]]}}

    def _get_key_policy(self, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        return {"Policy": json.dumps(self.key_policies[parameters["KeyId"]])}

    def _describe_organization(self, _: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        known = {"Organization": {"Id": self.organisation}}
        return known if self.organisation else _none("AWSOrganizationsNotInUseException")

    def _list_grants(self, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        principal = parameters["GranteePrincipal"]
        return {"Grants": [grant for grant in self.grants if grant["GranteePrincipal"] == principal]}


class InRounds:
    """Answers as another does, and no question of a round before all questions of that round were asked.

    Whoever asks them one after the other gets no answer. That takes no clock but the one that ends the wait.
    """

    _AT_MOST_SECONDS: Final = 30

    def __init__(self, near: Recorded, *rounds: str) -> None:
        """`rounds` give the operations of each, parted by spaces; one that is asked twice stands there twice."""
        self._near = near
        self._open = [Counter(each.split()) for each in rounds]
        self._asked = threading.Condition()
        self.archive = near.archive

    def __call__(self, service: str, operation: str, parameters: Mapping[str, Any], /) -> Any:  # noqa: ANN401 - as AWS answers
        """Answer one question."""
        with self._asked:
            of_round = next((each for each in self._open if each[operation]), None)
            assert of_round is not None, f"{operation} is asked in no round, or once more than was said"
            of_round[operation] -= 1
            self._asked.notify_all()
            is_whole = self._asked.wait_for(lambda: not of_round.total(), self._AT_MOST_SECONDS)
            assert is_whole, f"{operation} is not asked together with {+of_round}"
        return self._near(service, operation, parameters)

    @property
    def are_over(self) -> bool:
        """Whether everything was asked."""
        return not any(each.total() for each in self._open)


FIRST_ROUNDS: Final = (
    "get_function",
    "list_event_source_mappings describe_log_streams get_role list_role_policies list_attached_role_policies",
    "get_log_events get_role_policy",
)
"""Of a function outside of a VPC, whose role has one inline policy."""


def _none(code: str) -> Failure:
    return Failure(kind=FailureKind.OTHER, code=code, what=f"AWS answered {code}.")
