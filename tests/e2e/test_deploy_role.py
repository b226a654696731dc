"""The role that CloudFormation deploys with, under the generated policies, on a local AWS of its own.

The real CDK CLI bootstraps with them. The local AWS's CloudFormation does not act as the role, so a deployment there
proves nothing about it: instead the role's own credentials ask for every action that it is granted, and one step beside.

What is deployed here at the end is the application with a key of the account's own, and what that key is used for is proven.
"""

from __future__ import annotations

import itertools
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from credential_rules.policy_evaluation import Decision
from event_api.role_clients import AWS_ERRORS, FailureKind, classify
from local_aws import emulator, environment, journey, up
from local_aws.cdk import Cdk
from local_aws.cloud import Cloud
from local_aws.environment import ACCOUNT, REGION
from local_aws.errors import LocalAwsError
from local_aws.places import PROJECT, Places
from tests.e2e.data_key import ADMINISTRATOR, CALLERS_ACCOUNT, KEY_ACTIONS, MANAGEMENT, STACKS, STATED_BY_KMS, DataKey
from tests.e2e.roles import without
from tests.e2e.scenarios import LARGE
from tests.e2e.smallest_calls import PROOF, smallest_call

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.roles import Document

pytestmark = pytest.mark.e2e

_WRITTEN: dict[str, Document] = json.loads((PROJECT / "docs" / "deploy-policy.json").read_text())
POLICIES = {name: document for name, document in _WRITTEN.items() if not name.endswith("-caller")}
(CALLER,) = (document for name, document in _WRITTEN.items() if name.endswith("-caller"))
ROLE = f"cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"

ASSETS = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"


class Setting(NamedTuple):
    """A bootstrapped local AWS."""

    places: Places
    variables: dict[str, str]

    operator: Cloud
    as_role: Cloud
    arns: dict[str, str]
    values: dict[str, Any]


def arn(service: str, resource: str) -> str:
    """An ARN in the local account and region."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory, command: Any) -> Iterator[Setting]:  # noqa: ANN401 - see conftest
    """Bootstrapped with the policies; the role can be taken on by the operator."""
    directory: Path = tmp_path_factory.mktemp("deploy-role") / "local"
    places = Places(project=PROJECT, directory=directory)
    directory.mkdir()
    record = up.running_emulator(places, lambda _line: None)
    variables = environment.for_clients(places, record.port, os.environ)
    try:
        with environment.only(variables):
            operator = Cloud()
            arns = {
                name: operator.call("iam", "CreatePolicy", PolicyName=name, PolicyDocument=json.dumps(document))[
                    "Policy"
                ]["Arn"]
                for name, document in POLICIES.items()
            }
            Cdk(places, variables, lambda _line: None).bootstrap(execution_policies=list(arns.values()))
            operator.call(
                "iam", "UpdateAssumeRolePolicy", RoleName=ROLE, PolicyDocument=json.dumps(TRUSTS_THE_OPERATOR)
            )
            as_role = operator.acting_as(f"arn:aws:iam::{ACCOUNT}:role/{ROLE}")
            yield Setting(places, variables, operator, as_role, arns, _values(operator))
    finally:
        command("down", directory=directory)


TRUSTS_THE_OPERATOR = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    ],
}


def _values(operator: Cloud) -> dict[str, Any]:
    """What to call things in requests: names of the application, and resources that carry its tag."""

    def tagged(kind: str) -> list[dict[str, Any]]:
        return [{"ResourceType": kind, "Tags": [{"Key": "project", "Value": "rolebound"}]}]

    vpc = operator.call("ec2", "CreateVpc", CidrBlock="10.9.0.0/16", TagSpecifications=tagged("vpc"))["Vpc"]["VpcId"]
    subnet = operator.call(
        "ec2", "CreateSubnet", VpcId=vpc, CidrBlock="10.9.1.0/24", TagSpecifications=tagged("subnet")
    )["Subnet"]["SubnetId"]
    table = operator.call("ec2", "CreateRouteTable", VpcId=vpc, TagSpecifications=tagged("route-table"))
    group = operator.call(
        "ec2",
        "CreateSecurityGroup",
        GroupName=PROOF,
        Description=PROOF,
        VpcId=vpc,
        TagSpecifications=tagged("security-group"),
    )["GroupId"]
    operator.call("s3", "CreateBucket", Bucket=PROOF)
    nobody = json.dumps({"Version": "2012-10-17", "Statement": []})
    return {
        "sqs:QueueUrl": f"{os.environ['AWS_ENDPOINT_URL']}/{ACCOUNT}/{PROOF}",
        "dynamodb:ResourceArn": arn("dynamodb", f"table/{PROOF}"),
        "cloudwatch:ResourceARN": arn("cloudwatch", f"alarm:{PROOF}"),
        "logs:logGroupName": f"/aws/lambda/{PROOF}",
        "logs:resourceArn": arn("logs", f"log-group:/aws/lambda/{PROOF}"),
        "lambda:Resource": arn("lambda", f"function:{PROOF}"),
        "lambda:ListTags Resource": arn("lambda", f"event-source-mapping:{'1' * 36}"),
        "lambda:UUID": "1" * 36,
        "lambda:FunctionName": PROOF,
        "scheduler:Name": "Rolebound-dev-Api-Sweep",
        "scheduler:ScheduleExpression": "rate(1 minute)",
        "ssm:Names": ["/cdk-bootstrap/hnb659fds/version"],
        "iam:PolicyDocument": nobody,
        "iam:AssumeRolePolicyDocument": nobody,
        "iam:AWSServiceName": "ops.apigateway.amazonaws.com",
        "s3:GetObject Bucket": ASSETS,
        "s3:GetObjectVersion Bucket": ASSETS,
        "ec2:VpcId": vpc,
        "ec2:SubnetId": subnet,
        "ec2:RouteTableId": table["RouteTable"]["RouteTableId"],
        "ec2:GroupId": group,
    }


def _actions(document: Document) -> set[str]:
    return {
        action
        for statement in document["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


def test_the_role_has_exactly_the_generated_policies(setting: Setting) -> None:
    """As the CDK's own template attaches them; nothing inline, and no AdministratorAccess."""
    attached = setting.operator.call("iam", "ListAttachedRolePolicies", RoleName=ROLE)["AttachedPolicies"]
    assert {policy["PolicyArn"] for policy in attached} == set(setting.arns.values())
    assert setting.operator.call("iam", "ListRolePolicies", RoleName=ROLE)["PolicyNames"] == []
    for name, policy in setting.arns.items():
        version = setting.operator.call("iam", "GetPolicyVersion", PolicyArn=policy, VersionId="v1")
        assert version["PolicyVersion"]["Document"] == POLICIES[name]


NO_OPERATION = {
    "iam:PassRole",
    *("logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:GetLogDelivery", "logs:ListLogDeliveries"),
    "logs:UpdateLogDelivery",
    *("s3:ListTagsForResource", "s3:TagResource", "s3:UntagResource"),
}
"""AWS asks for these while it does something else, or in an API that the SDK keeps under another name."""

ASKED_OTHERWISE = {
    # On everything, where AWS asks for the resource that the request names.
    *("cloudwatch:DeleteAlarms", "cloudwatch:DeleteDashboards", "cloudwatch:GetDashboard", "cloudwatch:PutDashboard"),
    *("cloudwatch:ListTagsForResource", "cloudwatch:TagResource", "cloudwatch:UntagResource"),
    *("dynamodb:DeleteResourcePolicy", "dynamodb:GetResourcePolicy", "dynamodb:PutResourcePolicy"),
    *("dynamodb:ListTagsOfResource", "dynamodb:TagResource", "dynamodb:UntagResource"),
    *("ec2:CreateFlowLogs", "ec2:CreateTags", "ec2:CreateVpc", "ec2:DeleteTags", "ec2:DisassociateRouteTable"),
    *("ec2:ModifyVpcEndpoint", "iam:CreateServiceLinkedRole", "lambda:CreateFunction"),
    *("logs:DeleteDataProtectionPolicy", "logs:GetDataProtectionPolicy", "ssm:GetParameters"),
    # Without the tags of the resource, or the function of the mapping.
    *("ec2:DeleteFlowLogs", "ec2:DeleteRouteTable", "ec2:DeleteSecurityGroup", "ec2:DeleteSubnet", "ec2:DeleteVpc"),
    *("ec2:DeleteVpcEndpoints", "lambda:CreateEventSourceMapping"),
}
"""The local AWS denies these although they are granted as AWS asks for them."""

NOT_ASKED = {
    *("application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScalingPolicies"),
    *("lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping", "lambda:DeleteEventSourceMapping"),
    *("lambda:GetFunctionEventInvokeConfig", "lambda:PutFunctionEventInvokeConfig"),
    *("lambda:UpdateFunctionEventInvokeConfig", "lambda:DeleteFunctionEventInvokeConfig"),
    *("lambda:GetFunctionRecursionConfig", "lambda:GetFunctionScalingConfig", "lambda:GetRuntimeManagementConfig"),
    *("lambda:GetLayerVersion", "lambda:DeleteLayerVersion"),
    *("s3:GetBucketAbac", "s3:GetBucketMetadataTableConfiguration", "s3:GetObjectVersion"),
}
"""The local AWS asks for nothing here, or for another action."""


def test_every_granted_action_is_needed_by_name(setting: Setting, subtests: pytest.Subtests) -> None:
    """Without it the call is denied and names it; with it the call is admitted, whatever it then answers.

    What the local AWS does not decide as AWS does is on the lists above, and decided by the evaluator in
    `tests/stacks/test_deploy_policy.py`. A list that no longer holds fails.
    """
    actions = {action for document in POLICIES.values() for action in _actions(document)}
    assert actions >= NO_OPERATION | ASKED_OTHERWISE | NOT_ASKED
    # Deletions last: they spare nothing.
    for action in sorted(actions - NO_OPERATION, key=lambda each: (":Delete" in each, each)):
        with subtests.test(action):
            call = smallest_call(setting.operator, action, setting.values)
            with _lacking(setting, action):
                denied = _denied(setting.as_role, call)
            if action in NOT_ASKED:
                assert denied != action.lower(), "It is enforced now: take it off the list."
            else:
                assert denied == action.lower()
                assert (_denied(setting.as_role, call) is None) == (action not in ASKED_OTHERWISE)


def test_one_step_outside_is_denied(setting: Setting, subtests: pytest.Subtests) -> None:
    """Users, other roles, managed policies, other names, other people's networks, and the data itself."""
    foreign = setting.operator.call("ec2", "CreateVpc", CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    setting.operator.call("iam", "CreateRole", RoleName=PROOF, AssumeRolePolicyDocument=json.dumps(TRUSTS_THE_OPERATOR))
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    trusts = json.dumps(TRUSTS_THE_OPERATOR)
    key = {"tenant_id": {"S": "demo"}, "event_id": {"S": "1"}}
    for action, call in (
        ("iam:CreateUser", ("iam", "CreateUser", {"UserName": PROOF})),
        ("iam:CreateRole", ("iam", "CreateRole", {"RoleName": "admin", "AssumeRolePolicyDocument": trusts})),
        ("iam:AttachRolePolicy", ("iam", "AttachRolePolicy", {"RoleName": PROOF, "PolicyArn": administrator})),
        (
            "iam:PutRolePolicy",
            ("iam", "PutRolePolicy", {"RoleName": ROLE, "PolicyName": "p", "PolicyDocument": trusts}),
        ),
        ("dynamodb:DeleteTable", ("dynamodb", "DeleteTable", {"TableName": "customers"})),
        ("dynamodb:GetItem", ("dynamodb", "GetItem", {"TableName": "rolebound-dev-events", "Key": key})),
        ("sqs:CreateQueue", ("sqs", "CreateQueue", {"QueueName": "orders"})),
        ("s3:PutObject", ("s3", "PutObject", {"Bucket": ASSETS, "Key": "k", "Body": b""})),
        ("lambda:UpdateFunctionCode", ("lambda", "UpdateFunctionCode", {"FunctionName": "billing"})),
        ("ec2:DeleteVpc", ("ec2", "DeleteVpc", {"VpcId": foreign})),
        ("ec2:CreateInternetGateway", ("ec2", "CreateInternetGateway", {})),
        ("ec2:RunInstances", ("ec2", "RunInstances", {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1})),
        (
            "sts:AssumeRole",
            ("sts", "AssumeRole", {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{PROOF}", "RoleSessionName": PROOF}),
        ),
        ("secretsmanager:ListSecrets", ("secretsmanager", "ListSecrets", {})),
    ):
        with subtests.test(action):
            assert _denied(setting.as_role, call) == action.lower()


def test_whoever_deploys_needs_to_become_the_cdks_roles_and_nothing_else(setting: Setting) -> None:
    """The real `cdk deploy` of the whole application, with the credentials of somebody who has that policy alone."""
    setting.operator.call(
        "iam", "CreateRole", RoleName="developer", AssumeRolePolicyDocument=json.dumps(TRUSTS_THE_OPERATOR)
    )
    developer = setting.operator.acting_as(f"arn:aws:iam::{ACCOUNT}:role/developer")
    cdk = Cdk(setting.places, setting.variables | developer.credentials(), lambda _line: None)
    # With a key of the account's own, which the other end-to-end tests deploy without: the tests below look at it.
    with pytest.raises(LocalAwsError, match="developer/local-aws is not authorized to perform"):
        cdk.deploy(context={**up.CONTEXT, "encryption": "customer"})
    setting.operator.call(
        "iam", "PutRolePolicy", RoleName="developer", PolicyName="caller", PolicyDocument=json.dumps(CALLER)
    )
    # What was synthesised a moment ago.
    cdk.deploy(app=str(setting.places.cdk_out))
    assert setting.operator.stack_outputs(f"Rolebound-{up.DEPLOYMENT}-Api")


@pytest.fixture(scope="module")
def data_key(setting: Setting) -> DataKey:
    """The key of the application that was deployed above."""
    return DataKey.of(setting.operator, setting.places.directory / "role-change.json")


def test_events_travel_encrypted_with_the_accounts_own_key(setting: Setting, data_key: DataKey) -> None:
    """From the API through queue and worker to the table, and a large payload to the bucket.

    The queues name the key. What tables and bucket are encrypted with, the local AWS's CloudFormation does not keep; that
    the template says it is for `tests/stacks/test_data_stack.py`.
    """
    record = emulator.read_record(setting.places)
    assert record is not None
    outputs = up.deployed_outputs(setting.places, record)
    journey.travel(outputs)
    large = journey.travel(outputs, LARGE)
    data = setting.operator.stack_outputs(STACKS[0])
    bucket = data["PayloadBucketName"]
    assert setting.operator.call("s3", "HeadObject", Bucket=bucket, Key=f"{outputs.tenant}/{large}")["ContentLength"]
    for name in ("EventQueueUrl", "DeadLetterQueueUrl"):
        queue = setting.operator.call("sqs", "GetQueueAttributes", QueueUrl=data[name], AttributeNames=["All"])
        assert queue["Attributes"]["KmsMasterKeyId"] == data_key.arn


def test_each_use_of_the_key_is_needed_by_name(data_key: DataKey, subtests: pytest.Subtests) -> None:
    """Taken from the role's policy, it is denied.

    The local AWS's services ask for no use of a key, so the role's own credentials do, on the deployed policies without
    the two conditions that only KMS can state: through which service a call comes, and of whose account.
    """
    uses = data_key.uses()
    assert {use.role.name for use in uses} == {"api", "authorizer", "worker", "sweeper"}
    with data_key.without_conditions(*STATED_BY_KMS):
        ciphertext, as_role = data_key.encrypted(), data_key.as_users()
        for use in uses:
            with subtests.test(f"{use.role.name}: {use.action}"):
                call = ("kms", use.action.partition(":")[2], use.parameters(data_key.arn, ciphertext))
                assert _denied(as_role[use.role.name], call) is None
                with data_key.roles_policy_without(use):
                    assert _denied(as_role[use.role.name], call) == use.action.lower()


def test_nobody_uses_the_key_directly(setting: Setting, data_key: DataKey, subtests: pytest.Subtests) -> None:
    """The condition on the service alone keeps out the functions' roles, whatever the use, and the role that deploys."""
    with data_key.without_conditions(*STATED_BY_KMS):
        ciphertext = data_key.encrypted()
    with data_key.without_conditions(CALLERS_ACCOUNT):
        for name, cloud in {**data_key.as_users(), "deploying role": setting.as_role}.items():
            for use in data_key.uses():
                with subtests.test(f"{name}: {use.action}"):
                    call = ("kms", use.action.partition(":")[2], use.parameters(data_key.arn, ciphertext))
                    assert _denied(cloud, call) == use.action.lower()


def test_through_which_service_a_key_is_used_is_proven_by_the_evaluator(
    data_key: DataKey, subtests: pytest.Subtests
) -> None:
    """On the deployed policies, each role, use and service: allowed is what the table of permissions needs.

    The key's own policy says so too: to a function's role that its own policies allowed everything.
    """
    needed = {(use.role.name, service, use.action) for use in data_key.uses() for service in use.services}
    functions = {use.role.name for use in data_key.uses()}
    assert ("worker", "sqs", "kms:Decrypt") in needed
    for role in data_key.roles:
        for service, action in itertools.product(("dynamodb", "sqs", "s3", "lambda", ""), KEY_ACTIONS):
            with subtests.test(f"{role.name}: {action} through {service or 'nothing'}"):
                expected = Decision.ALLOWED if (role.name, service, action) in needed else Decision.IMPLICIT_DENY
                assert data_key.judged(role, action, service) is expected
                if role.name in functions and action not in MANAGEMENT:
                    assert data_key.judged(role, action, service, own_policies=[ADMINISTRATOR]) is expected


def _denied(cloud: Cloud, call: tuple[str, str, dict[str, Any]]) -> str | None:
    """The action, in lower case, whose want the call is denied for; `None` if IAM lets it through."""
    service, operation, parameters = call
    try:
        cloud.call(service, operation, **parameters)
    except AWS_ERRORS as error:
        failure = classify(error)
        # Refused by the SDK itself, before anybody was asked.
        assert failure.code != "ParamValidationError", failure.detail
        if failure.kind is not FailureKind.DENIED:
            return None
        return failure.detail.partition("is not authorized to perform: ")[2].split(" ")[0].lower()
    return None


@contextmanager
def _lacking(setting: Setting, action: str) -> Iterator[None]:
    """For the length of the block the role's policies lack an action."""

    def have(name: str, document: Document) -> None:
        """Make this the policy's only version."""
        policy = setting.arns[name]
        before = setting.operator.call("iam", "ListPolicyVersions", PolicyArn=policy)["Versions"]
        setting.operator.call(
            "iam", "CreatePolicyVersion", PolicyArn=policy, PolicyDocument=json.dumps(document), SetAsDefault=True
        )
        for version in before:
            setting.operator.call("iam", "DeletePolicyVersion", PolicyArn=policy, VersionId=version["VersionId"])

    concerned = {name: document for name, document in POLICIES.items() if action in _actions(document)}
    try:
        for name, document in concerned.items():
            have(name, without(document, action))
        yield
    finally:
        for name, document in concerned.items():
            have(name, document)
