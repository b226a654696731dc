"""CloudFormation's role may do to this application what deploying it takes, and nothing to anything else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from credential_rules import iam_actions
from credential_rules.policy_evaluation import Decision, Request, authorise
from docs import deploy_policy
from docs.deploy_policy import EXAMPLE_ACCOUNT, POLICY_LIMIT, UnknownToTheTable, handler_actions, policies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.stacks.cloud_assembly import Assembly, Resource, Template

    Json = Any

ROLE = "arn:aws:iam::{account}:role/cdk-hnb659fds-cfn-exec-role-{account}-{region}"


class Deployer:
    """CloudFormation's role with the generated policies, for one deployment."""

    def __init__(self, assembly: Assembly) -> None:
        self.account = assembly.context.get("account", EXAMPLE_ACCOUNT)
        self.region = assembly.region
        templates, place = deploy_policy.read_assembly(assembly.folder, self.account)
        self.policies = policies(templates, place)
        self._documents = [document for name, document in self.policies.items() if not name.endswith("-caller")]

    def may(self, action: str, resource: str, context: Mapping[str, str] | None = None) -> Decision:
        """What IAM says of it."""
        request = Request(
            action=action,
            resource=resource.format(a=self.account, r=self.region),
            principal_arn=ROLE.format(account=self.account, region=self.region),
            principal_account=self.account,
            context={"aws:ResourceAccount": self.account, **(context or {})},
        )
        # A role that anybody in the account may become, and a key that anybody may use, as far as these are concerned.
        trusting = trust(self.account, action) if action == "sts:AssumeRole" or action.startswith("kms:") else None
        return authorise(request, identity=self._documents, resource=trusting).decision


@pytest.fixture
def deployer(deployment: Assembly) -> Deployer:
    """The role for each deployment in turn."""
    return Deployer(deployment)


def trust(account: str, action: str = "sts:AssumeRole") -> Json:
    """The policy of a role or key that leaves it to the account's own policies who may do this, as the CDK's roles do."""
    root = {"AWS": f"arn:aws:iam::{account}:root"}
    statement = {"Effect": "Allow", "Principal": root, "Action": action}
    return {"Version": "2012-10-17", "Statement": [statement]}


ARNS = {
    "AWS::ApiGatewayV2::Api": ("arn:aws:apigateway:{r}::/apis", "arn:aws:apigateway:{r}::/apis/a1"),
    "AWS::ApiGatewayV2::Authorizer": ("arn:aws:apigateway:{r}::/apis/a1/authorizers/b2",),
    "AWS::ApiGatewayV2::Integration": ("arn:aws:apigateway:{r}::/apis/a1/integrations/b2",),
    "AWS::ApiGatewayV2::Route": ("arn:aws:apigateway:{r}::/apis/a1/routes/b2",),
    "AWS::ApiGatewayV2::Stage": ("arn:aws:apigateway:{r}::/apis/a1/stages/$default",),
    "AWS::CloudWatch::Alarm": ("arn:aws:cloudwatch:{r}:{a}:alarm:{AlarmName}",),
    "AWS::CloudWatch::Dashboard": ("arn:aws:cloudwatch::{a}:dashboard/{DashboardName}",),
    "AWS::DynamoDB::GlobalTable": ("arn:aws:dynamodb:{r}:{a}:table/{TableName}",),
    "AWS::IAM::Role": ("arn:aws:iam::{a}:role/{RoleName}",),
    "AWS::IAM::Policy": ("arn:aws:iam::{a}:role/{made_up}",),
    "AWS::KMS::Key": ("arn:aws:kms:{r}:{a}:key/1",),
    "AWS::KMS::Alias": ("arn:aws:kms:{r}:{a}:key/1", "arn:aws:kms:{r}:{a}:{AliasName}"),
    "AWS::Lambda::EventInvokeConfig": ("arn:aws:lambda:{r}:{a}:function:{ours}-sweeper",),
    "AWS::Lambda::EventSourceMapping": ("arn:aws:lambda:{r}:{a}:event-source-mapping:1",),
    "AWS::Lambda::Function": ("arn:aws:lambda:{r}:{a}:function:{FunctionName}",),
    "AWS::Lambda::LayerVersion": (
        "arn:aws:lambda:{r}:{a}:layer:{LayerName}",
        "arn:aws:lambda:{r}:{a}:layer:{LayerName}:7",
    ),
    "AWS::Lambda::Permission": ("arn:aws:lambda:{r}:{a}:function:{ours}-api",),
    "AWS::Logs::LogGroup": ("arn:aws:logs:{r}:{a}:log-group:{LogGroupName}",),
    "AWS::S3::Bucket": ("arn:aws:s3:::{BucketName}",),
    "AWS::S3::BucketPolicy": ("arn:aws:s3:::{ours}-{a}-{r}-payloads",),
    "AWS::SQS::Queue": ("arn:aws:sqs:{r}:{a}:{QueueName}",),
    "AWS::SQS::QueuePolicy": ("arn:aws:sqs:{r}:{a}:{ours}-event-queue",),
    "AWS::Scheduler::Schedule": ("arn:aws:scheduler:{r}:{a}:schedule/default/{made_up}",),
    "Custom::EmptyDefaultGroup": ("arn:aws:lambda:{r}:{a}:function:{ours}-default-group",),
    "Custom::GatewayPrefixLists": ("arn:aws:lambda:{r}:{a}:function:{ours}-prefix-lists",),
}
"""Where the resources of a type will be, written down apart from the generator's own patterns."""

EC2_ARNS = tuple(
    f"arn:aws:ec2:{{r}}:{{a}}:{kind}/{kind}-1"
    for kind in ("vpc", "subnet", "route-table", "security-group", "vpc-endpoint", "vpc-flow-log")
)


def places(deployer: Deployer, template: Template, resource: Resource, action: str) -> list[str]:
    """The ARNs that IAM is asked for when CloudFormation does this to the resource."""
    ours = "-".join(template.stack.split("-")[:2]).lower()
    named = {name: value for name, value in resource.properties.items() if name.endswith("Name")}
    written = {
        # As CloudFormation makes names up: the stack's, the resource's, and something random.
        "made_up": f"{template.stack}-{resource.logical_id}-1EXAMPLE2ABC",
        "ours": ours,
        "a": deployer.account,
        "r": deployer.region,
        **{
            name: template.text(value)
            .replace("<AWS::AccountId>", deployer.account)
            .replace("<AWS::Region>", deployer.region)
            for name, value in named.items()
            if name != "FunctionName" or isinstance(value, str)
        },
    }
    for name in ("RoleName", "LogGroupName"):
        written.setdefault(name, written["made_up"])
    if action in ELSEWHERE:
        patterns: tuple[str, ...] = (ELSEWHERE[action],)
    elif action.startswith("ec2:"):
        patterns = EC2_ARNS
    else:
        patterns = ARNS[resource.type]
    return [pattern.format(**written) for pattern in patterns]


ELSEWHERE = {
    "s3:GetObject": "arn:aws:s3:::cdk-hnb659fds-assets-{a}-{r}/code.zip",
    "s3:GetObjectVersion": "arn:aws:s3:::cdk-hnb659fds-assets-{a}-{r}/code.zip",
    "route53:AssociateVPCWithHostedZone": "arn:aws:route53:::hostedzone/Z1",
    **dict.fromkeys(("kms:CreateGrant", "kms:DescribeKey", "kms:Decrypt", "kms:Encrypt"), "arn:aws:kms:{r}:{a}:key/1"),
    "lambda:GetLayerVersion": "arn:aws:lambda:{r}:{a}:layer:{ours}-dependencies:7",
}
"""What a handler does to something else than the resource itself."""


def test_all_that_the_handlers_do_is_allowed(deployment: Assembly, deployer: Deployer) -> None:
    """On the names that the resources will really have."""
    refused = set()
    named = deployment.context.get("permissions_boundary")
    for template in deployment.templates.values():
        function = f"arn:aws:lambda:{deployer.region}:{deployer.account}:function:{template.stack.lower()}"
        context = {
            "aws:ResourceTag/project": "rolebound",
            "lambda:FunctionArn": function.removesuffix(f"-{template.part.lower()}") + "-worker",
            # Absent where the role that is made has none.
            **({"iam:PermissionsBoundary": f"arn:aws:iam::{deployer.account}:policy/{named}"} if named else {}),
        }
        for resource in template.resources:
            for action in handler_actions(resource.body):
                known = iam_actions.action(action)
                assert known is not None, action
                asked = places(deployer, template, resource, action) if known.has_resource_level else ["*"]
                if Decision.ALLOWED not in {deployer.may(action, place, context) for place in asked}:
                    refused.add((resource.path, action))
    assert refused == set()


def test_roles_are_passed_to_their_services_only(deployment: Assembly, deployer: Deployer) -> None:
    """Ours, to the three services that act as them."""
    environment = deployment.context.get("environment", "dev")
    ours = f"arn:aws:iam::{{a}}:role/rolebound-{environment}-{{r}}-api"
    for service in ("lambda", "scheduler", "vpc-flow-logs"):
        passed = {"iam:PassedToService": f"{service}.amazonaws.com"}
        assert deployer.may("iam:PassRole", ours, passed) is Decision.ALLOWED
        assert deployer.may("iam:PassRole", "arn:aws:iam::{a}:role/admin", passed) is Decision.IMPLICIT_DENY
    for service in ("ec2", "ecs-tasks", "cloudformation", "glue"):
        passed = {"iam:PassedToService": f"{service}.amazonaws.com"}
        assert deployer.may("iam:PassRole", ours, passed) is Decision.IMPLICIT_DENY


NEAR_MISSES = (
    ("iam:CreateUser", "arn:aws:iam::{a}:user/rolebound-dev-user"),
    ("iam:CreateAccessKey", "arn:aws:iam::{a}:user/rolebound-dev-user"),
    ("iam:CreateRole", "arn:aws:iam::{a}:role/admin"),
    ("iam:CreateRole", "arn:aws:iam::{a}:role/rolebound-development-x"),
    ("iam:PutRolePolicy", "arn:aws:iam::{a}:role/cdk-hnb659fds-cfn-exec-role-{a}-{r}"),
    ("iam:AttachRolePolicy", "arn:aws:iam::{a}:role/rolebound-dev-{r}-api"),
    ("iam:UpdateAssumeRolePolicy", "arn:aws:iam::{a}:role/OrganizationAccountAccessRole"),
    ("iam:CreatePolicyVersion", "arn:aws:iam::{a}:policy/rolebound-dev-{r}-deploy-1"),
    ("iam:CreateOpenIDConnectProvider", "*"),
    ("dynamodb:DeleteTable", "arn:aws:dynamodb:{r}:{a}:table/customers"),
    ("dynamodb:DeleteTable", "arn:aws:dynamodb:{r}:{a}:table/rolebound-development-events"),
    ("dynamodb:GetItem", "arn:aws:dynamodb:{r}:{a}:table/rolebound-dev-events"),
    ("dynamodb:Scan", "arn:aws:dynamodb:{r}:{a}:table/rolebound-dev-events"),
    ("sqs:ReceiveMessage", "arn:aws:sqs:{r}:{a}:rolebound-dev-event-queue"),
    ("sqs:DeleteQueue", "arn:aws:sqs:{r}:{a}:orders"),
    ("s3:GetObject", "arn:aws:s3:::rolebound-dev-{a}-{r}-payloads/demo/1"),
    ("s3:DeleteBucket", "arn:aws:s3:::backups"),
    ("s3:PutObject", "arn:aws:s3:::cdk-hnb659fds-assets-{a}-{r}/code.zip"),
    ("lambda:UpdateFunctionCode", "arn:aws:lambda:{r}:{a}:function:billing"),
    ("lambda:CreateFunction", "arn:aws:lambda:eu-west-3:{a}:function:rolebound-dev-api"),
    ("logs:DeleteLogGroup", "arn:aws:logs:{r}:{a}:log-group:/aws/cloudtrail"),
    ("ec2:DeleteVpc", "arn:aws:ec2:{r}:{a}:vpc/vpc-1"),
    ("ec2:CreateInternetGateway", "arn:aws:ec2:{r}:{a}:internet-gateway/*"),
    ("ec2:CreateNatGateway", "arn:aws:ec2:{r}:{a}:natgateway/*"),
    ("ec2:CreateVpcPeeringConnection", "arn:aws:ec2:{r}:{a}:vpc-peering-connection/*"),
    ("ec2:CreateRoute", "arn:aws:ec2:{r}:{a}:route-table/rtb-1"),
    ("ec2:RunInstances", "arn:aws:ec2:{r}:{a}:instance/*"),
    ("sts:AssumeRole", "arn:aws:iam::{a}:role/rolebound-dev-{r}-api"),
    ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:{r}:{a}:secret:x"),
    ("cloudformation:CreateStack", "*"),
)


@pytest.mark.parametrize(("action", "resource"), NEAR_MISSES)
def test_one_step_outside_is_refused(dev: Assembly, action: str, resource: str) -> None:
    """No user, no other role, no managed policy, nothing of another name, no way out of the VPC, and no data."""
    answer = Deployer(dev).may(action, resource, {"aws:ResourceTag/project": "customers"})
    assert answer is Decision.IMPLICIT_DENY


def test_no_action_is_a_wildcard(deployer: Deployer) -> None:
    """And each fits into a managed policy."""
    for document in deployer.policies.values():
        assert len(json.dumps(document, separators=(",", ":"))) <= POLICY_LIMIT
        for statement in document["Statement"]:
            assert statement["Effect"] == "Allow"
            assert "*" not in str(statement["Action"])


def test_only_what_has_no_narrower_resource_is_allowed_on_everything(dev: Assembly) -> None:
    """Listing, the delivery of access logs, and the mapping, which is tied to our functions."""
    everywhere = {
        action
        for document in Deployer(dev).policies.values()
        for statement in document["Statement"]
        if statement["Resource"] == "*" and "Condition" not in statement
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    assert {action for action in everywhere if ":Describe" not in action} == {
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
    }


def test_whoever_deploys_becomes_the_cdks_roles_and_no_other(deployer: Deployer) -> None:
    """Not CloudFormation's role itself, which would be all of the above without CloudFormation."""
    (caller,) = (document for name, document in deployer.policies.items() if name.endswith("-caller"))

    def may(action: str, role: str) -> Decision:
        resource = f"arn:aws:iam::{deployer.account}:role/{role}-{deployer.account}-{deployer.region}"
        person = f"arn:aws:iam::{deployer.account}:role/developer"
        request = Request(action=action, resource=resource, principal_arn=person, principal_account=deployer.account)
        return authorise(request, identity=caller, resource=trust(deployer.account)).decision

    for role in ("deploy", "file-publishing", "image-publishing", "lookup"):
        assert may("sts:AssumeRole", f"cdk-hnb659fds-{role}-role") is Decision.ALLOWED
    assert may("sts:AssumeRole", "cdk-hnb659fds-cfn-exec-role") is Decision.IMPLICIT_DENY


def one(kind: str, **properties: Json) -> Json:
    """A template with one resource."""
    return {"Resources": {"R": {"Type": kind, "Properties": properties}}}


PLACE = deploy_policy.Place(
    partition="aws", account="111122223333", region="us-east-1", stacks="Rolebound-dev", names="rolebound-dev"
)


def test_a_type_that_nobody_has_looked_at_stops_the_generator() -> None:
    """By name, with where to put it."""
    with pytest.raises(UnknownToTheTable, match=r"AWS::RDS::DBInstance.*resource_handlers\.py|resource_handlers\.py.*"):
        policies([one("AWS::RDS::DBInstance")], PLACE)


def test_a_property_that_nobody_has_looked_at_stops_the_generator() -> None:
    """It may need an action of its own, as a bucket's replication does."""
    with pytest.raises(UnknownToTheTable, match="AWS::S3::Bucket has the property ReplicationConfiguration"):
        policies([one("AWS::S3::Bucket", BucketName="b", ReplicationConfiguration={})], PLACE)


def test_a_second_region_stops_the_generator() -> None:
    """DynamoDB replicates as a role of its own."""
    with pytest.raises(UnknownToTheTable, match="several regions"):
        policies([one("AWS::DynamoDB::GlobalTable", Replicas=[{"Region": "a"}, {"Region": "b"}])], PLACE)


def test_with_a_permissions_boundary_no_role_is_made_without_it() -> None:
    """Neither made nor given a policy."""
    boundary = "arn:aws:iam::111122223333:policy/limit"
    role = one(
        "AWS::IAM::Role",
        RoleName="rolebound-dev-us-east-1-api",
        AssumeRolePolicyDocument={},
        PermissionsBoundary={"Fn::Join": ["", ["arn:aws:iam::", {"Ref": "AWS::AccountId"}, ":policy/limit"]]},
    )
    made = policies([role, one("AWS::IAM::Policy", PolicyName="p", PolicyDocument={}, Roles=[])], PLACE)
    documents = [document for name, document in made.items() if not name.endswith("-caller")]
    for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"):
        for context, expected in (
            ({}, Decision.IMPLICIT_DENY),
            ({"iam:PermissionsBoundary": "arn:aws:iam::111122223333:policy/wider"}, Decision.IMPLICIT_DENY),
            ({"iam:PermissionsBoundary": boundary}, Decision.ALLOWED),
        ):
            request = Request(
                action=action,
                resource="arn:aws:iam::111122223333:role/rolebound-dev-us-east-1-api",
                principal_arn=ROLE.format(account="111122223333", region="us-east-1"),
                principal_account="111122223333",
                context=context,
            )
            assert authorise(request, identity=documents).decision is expected


def test_roles_with_and_without_a_boundary_stop_the_generator() -> None:
    """The policy could not ask for it."""
    with pytest.raises(UnknownToTheTable, match="Give every role the same one"):
        policies([one("AWS::IAM::Role"), one("AWS::IAM::Role", PermissionsBoundary="arn:aws:iam::1:policy/x")], PLACE)


def test_policies_are_fresh(dev: Assembly) -> None:
    """docs/deploy-policy.json is what `cdk.json` alone gives; `make docs` writes it."""
    written = deploy_policy.FILE.read_text(encoding="utf-8")
    assert written == deploy_policy.text(dev.folder, EXAMPLE_ACCOUNT), "Run `make docs` and commit it."


def test_an_account_that_nobody_names_is_asked_for(dev: Assembly) -> None:
    """An ARN with a guessed account would allow nothing, or too much."""
    with pytest.raises(ValueError, match="--account"):
        deploy_policy.read_assembly(dev.folder, None)


def test_each_policy_becomes_a_file_and_a_command(
    prod: Assembly, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is printed can be run as it is; the caller's policy is not CloudFormation's."""
    assert deploy_policy.main([str(prod.folder), "--into", str(tmp_path / "policies")]) == 0
    *created, bootstrap = capsys.readouterr().out.splitlines()
    for line in created:
        file = line.partition("file://")[2]
        document = json.loads(Path(file).read_text(encoding="utf-8"))
        assert document["Statement"]
        name = line.split(" --policy-name ")[1].split(" ")[0]
        assert (f":policy/{name}" in bootstrap) != name.endswith("-caller")
    assert bootstrap.startswith("cdk bootstrap --cloudformation-execution-policies arn:aws:iam::111122223333:policy/")


def test_what_cannot_be_generated_is_said(dev: Assembly, capsys: pytest.CaptureFixture[str]) -> None:
    """No trace, exit 1, and what to do."""
    assert deploy_policy.main([str(dev.folder)]) == 1
    assert "--account 111122223333" in capsys.readouterr().err
