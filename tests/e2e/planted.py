"""A small deployed function with a network, a role, a table and a queue of its own, in which a test plants one fault.

Everything is made by API calls on the local AWS, as an operator would find it. The local AWS keeps no policy, private DNS
and groups of an endpoint: `with_endpoints_kept` remembers what `CreateVpcEndpoint` was given, and puts it into the answers
of `DescribeVpcEndpoints`, where EC2 has it.
"""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config  # noqa: TID251 - faults are planted by AWS's own APIs

if TYPE_CHECKING:
    from collections.abc import Mapping

    import botocore.session  # noqa: TID251 - as above

REGION: Final = "us-east-1"
ACCOUNT: Final = "123456789012"

CODE: Final = """\
import os

import boto3


def handler(event, context):
    boto3.client("dynamodb").put_item(TableName=os.environ["TABLE"], Item={"pk": {"S": "1"}})
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody="1")
"""

KEEPS: Final = """\
import os

import boto3
from botocore.config import Config


def handler(event, context):
    boto3.client("dynamodb").put_item(TableName=os.environ["TABLE"], Item={"pk": {"S": "1"}})
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody="1")
    objects = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
    objects.put_object(Bucket=os.environ["BUCKET"], Key="1", Body=b"")
"""

PASSES_KEYS: Final = """\
import os

import boto3


def handler(event, context):
    client = boto3.client(
        "sqs",
        aws_access_key_id=os.environ["SENDER_ID"],
        aws_secret_access_key=os.environ["SENDER_SECRET"],
        aws_session_token=os.environ.get("SENDER_TOKEN"),
    )
    client.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody="1")
"""

PASSES_ITS_OWN_KEY: Final = """\
import os

import boto3


def handler(event, context):
    client = boto3.client(
        "sqs",
        aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
    )
    client.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody="1")
"""


def with_endpoints_kept(session: botocore.session.Session) -> botocore.session.Session:
    """Make a session's EC2 tell of endpoints what it was told when they were made."""
    asked: list[Mapping[str, Any]] = []
    kept: dict[str, dict[str, Any]] = {}

    def before(**event: Any) -> None:  # noqa: ANN401 - as botocore calls it
        asked.append(event["params"])

    def made(**event: Any) -> None:  # noqa: ANN401 - as above
        given = asked.pop()
        endpoint = event["parsed"]["VpcEndpoint"]
        full = {
            "Version": "2008-10-17",
            "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
        }
        kept[endpoint["VpcEndpointId"]] = {
            "PolicyDocument": given.get("PolicyDocument", json.dumps(full)),
            "PrivateDnsEnabled": bool(given.get("PrivateDnsEnabled", False)),
            "Groups": [{"GroupId": group, "GroupName": group} for group in given.get("SecurityGroupIds", ())],
        }

    def described(**event: Any) -> None:  # noqa: ANN401 - as above
        for endpoint in event["parsed"].get("VpcEndpoints", ()):
            endpoint.update(kept.get(endpoint["VpcEndpointId"], {}))

    session.register("provide-client-params.ec2.CreateVpcEndpoint", before)
    session.register("after-call.ec2.CreateVpcEndpoint", made)
    session.register("after-call.ec2.DescribeVpcEndpoints", described)
    return session


@dataclass(slots=True)
class Plan:
    """What is deployed; a fault is one field changed.

    Attributes:
        code: The function's source.
        variables: More variables.
        actions: What the role may do, on which resource; `table` and `queue` stand for the function's own.
        boundary: The actions of the role's permissions boundary, if it has one.
        has_queue_endpoint: Whether SQS has an endpoint.
        private_dns: Whether that one has private DNS.
        dns_host_names: Whether the VPC has.
        in_wrong_group: Whether the function is in a group that nobody admits.
        associates_table: Whether the subnets are associated with the route table of the gateway endpoint.
        endpoint_actions: What the queue's endpoint lets through.
        refused: What the policy of the queue, the table or the bucket refuses the role under which condition;
            `{queue endpoint}` in it stands for the id of the endpoint.
        encrypted: Which of them a customer's key encrypts.
        key_actions: What the role may do with that key.
        key_admits: Whether that key's policy leaves it to the account who may use it.
        trusted: The service that may assume the role.
        invokes: Whether the function is run, so that its log shows what happens.
    """

    code: str = CODE
    variables: Mapping[str, str] = field(default_factory=dict)
    actions: Mapping[str, str] = field(
        default_factory=lambda: {"dynamodb:PutItem": "table", "sqs:SendMessage": "queue"}
    )
    boundary: tuple[str, ...] = ()
    has_queue_endpoint: bool = True
    private_dns: bool = True
    dns_host_names: bool = True
    in_wrong_group: bool = False
    associates_table: bool = True
    endpoint_actions: tuple[str, ...] = ("sqs:SendMessage",)
    refused: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    encrypted: tuple[str, ...] = ()
    key_actions: tuple[str, ...] = ("kms:Decrypt", "kms:GenerateDataKey")
    key_admits: bool = True
    trusted: str = "lambda.amazonaws.com"
    invokes: bool = True


class Deployment:
    """Deploys plans to one local AWS."""

    def __init__(self, session: botocore.session.Session) -> None:
        self._ec2: Any = session.create_client("ec2")
        self._iam: Any = session.create_client("iam")
        self._lambda: Any = session.create_client("lambda")
        self._sqs: Any = session.create_client("sqs")
        self._dynamodb: Any = session.create_client("dynamodb")
        self._s3: Any = session.create_client("s3", config=Config(s3={"addressing_style": "path"}))
        self._kms: Any = session.create_client("kms")
        self._cloudformation: Any = session.create_client("cloudformation")
        # AWS gives no session of less than 15 minutes, and the SDK knows that; the local AWS gives one of a second.
        self._sts: Any = session.create_client("sts", config=Config(parameter_validation=False))

    def deploy(self, plan: Plan) -> str:
        """Deploy a plan, and give the function's name."""
        name = f"planted-{uuid.uuid4().hex[:8]}"
        key = self._key(name, plan) if plan.encrypted else ""
        # Each service takes the key by a name of its own kind.
        with_key = {"KmsMasterKeyId": f"alias/{name}"} if "queue" in plan.encrypted else {}
        queue_url = self._sqs.create_queue(QueueName=name, Attributes=with_key)["QueueUrl"]
        specification = {"SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}}
        self._dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            **(specification if "table" in plan.encrypted else {}),
        )
        self._s3.create_bucket(Bucket=name)
        if "bucket" in plan.encrypted:
            by_key = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
            self._s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [by_key]})
        resources = {
            "table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}",
            "queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}",
            "bucket": f"arn:aws:s3:::{name}/*",
            "key": key,
        }
        network = self._network(plan, resources)
        self._lambda.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=self._role(name, plan, resources),
            Handler="app/index.handler",
            Code={"ZipFile": _archive({"app/index.py": plan.code})},
            Environment={"Variables": {"TABLE": name, "QUEUE_URL": queue_url, "BUCKET": name, **plan.variables}},
            VpcConfig={kind: network[kind] for kind in ("SubnetIds", "SecurityGroupIds")},
            Timeout=4,
        )
        for store, condition in plan.refused.items():
            (endpoint,) = network["queue endpoint"] or [""]
            text = json.dumps(condition).replace("{queue endpoint}", endpoint)
            self._refuse(store, name, resources[store], json.loads(text))
        if plan.invokes:
            self.invoke(name)
        return name

    def invoke(self, function: str) -> None:
        """Run a function once, whatever comes of it."""
        self._lambda.invoke(FunctionName=function, Payload=b"{}")

    def publish(self, function: str, *, alias: str) -> str:
        """Publish what a function is now as a version, and give the ARN of an alias that stands for it."""
        version = self._lambda.publish_version(FunctionName=function)["Version"]
        return str(self._lambda.create_alias(FunctionName=function, Name=alias, FunctionVersion=version)["AliasArn"])

    def set_variable(self, function: str, name: str, value: str) -> None:
        """Set one more variable of a function, which leaves its versions as they are."""
        held = self._lambda.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        self._lambda.update_function_configuration(
            FunctionName=function, Environment={"Variables": {**held, name: value}}
        )

    def delete_role(self, name: str) -> None:
        """Delete a function's role, which carries its name."""
        for policy in self._iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            self._iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
        self._iam.delete_role_policy(RoleName=name, PolicyName="work")
        self._iam.delete_role(RoleName=name)

    def _key(self, name: str, plan: Plan) -> str:
        """Make a customer's key, with an alias of the function's name."""
        account = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        managed = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy", "kms:ListGrants", "kms:CreateAlias"]
        actions = ["kms:*"] if plan.key_admits else managed
        statement = {"Sid": "Account", **_allow(actions, "*"), "Principal": account}
        key = str(self._kms.create_key(Policy=_policy([statement]))["KeyMetadata"]["Arn"])
        self._kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
        return key

    def _refuse(self, store: str, name: str, resource: str, condition: Mapping[str, Any]) -> None:
        """Give a store a policy that refuses what the code does there, under a condition."""
        actions = {"queue": "sqs:SendMessage", "table": "dynamodb:PutItem", "bucket": "s3:PutObject"}
        statement = {
            "Sid": f"Closed{store.capitalize()}",
            "Effect": "Deny",
            "Principal": "*",
            "Action": actions[store],
            "Resource": resource,
            "Condition": dict(condition),
        }
        policy = _policy([statement])
        if store == "queue":
            url = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
            self._sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        elif store == "table":
            self._dynamodb.put_resource_policy(ResourceArn=resource, Policy=policy)
        else:
            self._s3.put_bucket_policy(Bucket=name, Policy=policy)

    def session(self, *, seconds: int) -> dict[str, str]:
        """Give the credentials of another role's session, as variables that a plan's code passes on."""
        name = f"sender-{uuid.uuid4().hex[:8]}"
        role = self._iam.create_role(RoleName=name, AssumeRolePolicyDocument=_trust({"AWS": ACCOUNT}))["Role"]["Arn"]
        self._iam.put_role_policy(
            RoleName=name, PolicyName="send", PolicyDocument=_policy([_allow(["sqs:SendMessage"], "*")])
        )
        given = self._sts.assume_role(RoleArn=role, RoleSessionName="copied", DurationSeconds=seconds)["Credentials"]
        return {
            "SENDER_ID": given["AccessKeyId"],
            "SENDER_SECRET": given["SecretAccessKey"],
            "SENDER_TOKEN": given["SessionToken"],
        }

    def _role(self, name: str, plan: Plan, resources: Mapping[str, str]) -> str:
        limit = {}
        if plan.boundary:
            document = _policy([_allow(list(plan.boundary), "*")])
            limit["PermissionsBoundary"] = self._iam.create_policy(
                PolicyName=f"{name}-boundary", PolicyDocument=document
            )["Policy"]["Arn"]
        role = self._iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=_trust({"Service": plan.trusted}), **limit
        )["Role"]["Arn"]
        statements = [_allow([action], resources.get(resource, resource)) for action, resource in plan.actions.items()]
        statements += [_allow(["s3:PutObject"], resources["bucket"])] if plan.code is KEEPS else []
        statements += [_allow(list(plan.key_actions), resources["key"])] if plan.encrypted and plan.key_actions else []
        # The first inline, all in a managed one: roles have policies of both kinds.
        managed = self._iam.create_policy(PolicyName=f"{name}-managed", PolicyDocument=_policy(statements))
        self._iam.attach_role_policy(RoleName=name, PolicyArn=managed["Policy"]["Arn"])
        self._iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=_policy(statements[:1]))
        return str(role)

    def _network(self, plan: Plan, resources: Mapping[str, str]) -> dict[str, list[str]]:
        ec2 = self._ec2
        vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
        if plan.dns_host_names:
            ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
                "SubnetId"
            ]
            for number, zone in enumerate("ab")
        ]
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        if plan.associates_table:
            for subnet in subnets:
                ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        functions, doors, wrong = self._group_to_gateways(vpc), self._group(vpc, "doors"), self._group(vpc, "wrong")
        https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
        ec2.authorize_security_group_egress(
            GroupId=functions, IpPermissions=[{**https, "UserIdGroupPairs": [{"GroupId": doors}]}]
        )
        ec2.authorize_security_group_ingress(
            GroupId=doors, IpPermissions=[{**https, "UserIdGroupPairs": [{"GroupId": functions}]}]
        )
        ec2.create_vpc_endpoint(
            VpcId=vpc,
            ServiceName=f"com.amazonaws.{REGION}.dynamodb",
            VpcEndpointType="Gateway",
            RouteTableIds=[table],
            PolicyDocument=_endpoint_policy(["dynamodb:PutItem"], resources["table"]),
        )
        if plan.code is KEEPS:
            ec2.create_vpc_endpoint(
                VpcId=vpc,
                ServiceName=f"com.amazonaws.{REGION}.s3",
                VpcEndpointType="Gateway",
                RouteTableIds=[table],
                PolicyDocument=_endpoint_policy(["s3:PutObject"], resources["bucket"]),
            )
        queue_endpoint = []
        if plan.has_queue_endpoint:
            made = ec2.create_vpc_endpoint(
                VpcId=vpc,
                ServiceName=f"com.amazonaws.{REGION}.sqs",
                VpcEndpointType="Interface",
                SubnetIds=subnets,
                SecurityGroupIds=[doors],
                PrivateDnsEnabled=plan.private_dns,
                PolicyDocument=_endpoint_policy(list(plan.endpoint_actions), resources["queue"]),
            )
            queue_endpoint = [str(made["VpcEndpoint"]["VpcEndpointId"])]
        return {
            "SubnetIds": subnets,
            "SecurityGroupIds": [wrong if plan.in_wrong_group else functions],
            "queue endpoint": queue_endpoint,
        }

    def _group_to_gateways(self, vpc: str) -> str:
        """Give a group that lets HTTPS out to the prefix lists of DynamoDB and S3.

        By CloudFormation: the local AWS keeps a prefix list from there, and loses one that EC2's API is given.
        """
        names = [f"com.amazonaws.{REGION}.{service}" for service in ("dynamodb", "s3")]
        lists = self._ec2.describe_managed_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": names}])
        egress = [
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "DestinationPrefixListId": one["PrefixListId"]}
            for one in lists["PrefixLists"]
        ]
        group = {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"VpcId": vpc, "GroupDescription": "functions", "SecurityGroupEgress": egress},
        }
        stack = f"planted-{vpc}"
        self._cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": {"Functions": group}}))
        self._cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
        made = self._cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId="Functions")
        return str(made["StackResourceDetail"]["PhysicalResourceId"])

    def _group(self, vpc: str, name: str) -> str:
        group = str(self._ec2.create_security_group(VpcId=vpc, GroupName=name, Description=name)["GroupId"])
        everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        self._ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[everything])
        return group


def _archive(files: Mapping[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def _trust(principal: Mapping[str, str]) -> str:
    return _policy([{"Effect": "Allow", "Principal": dict(principal), "Action": "sts:AssumeRole"}])


def _policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _allow(actions: list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def _endpoint_policy(actions: list[str], resource: str) -> str:
    return _policy(
        [
            {
                **_allow(actions, resource),
                "Principal": "*",
                "Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
            }
        ]
    )
