"""The rules on roles hold for every way in which people write the same thing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from credential_rules.engine import Target, judge
from credential_rules.reader import read_template
from credential_rules.registry import all_rules

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "123456789012"
RULES = {rule.slug: rule for rule in all_rules()}


@pytest.fixture
def verdict(tmp_path: Path) -> Any:  # noqa: ANN401 (a function of a slug and resources)
    """The severities of one rule's findings on a template of the given resources."""

    def judged(slug: str, resources: dict[str, Any], **sections: Any) -> set[str]:  # noqa: ANN401 (template sections)
        file = tmp_path / "template.json"
        file.write_text(json.dumps({"Resources": resources, **sections}), encoding="utf-8")
        target = Target()
        target.templates.append(read_template(file))
        report = judge(target, [RULES[slug]])
        assert report.errors == {}
        return {found.severity for found in report.findings}

    return judged


OPEN = {"Parameters": {"Open": {"Type": "String"}}}


def role(*statements: dict[str, Any], **properties: Any) -> dict[str, Any]:  # noqa: ANN401 (a role's properties)
    """A role that trusts by the given statements."""
    whole = [{"Effect": "Allow", "Action": "sts:AssumeRole", **one} for one in statements]
    return {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Statement": whole}, **properties},
        }
    }


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    """A managed policy of the given statements."""
    whole = [{"Effect": "Allow", "Resource": "*", **one} for one in statements]
    return {"Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": {"Statement": whole}}}}


# --- trust-is-narrow ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        {"Principal": "*"},
        {"Principal": {"AWS": ["*", "arn:aws:iam::123456789012:role/x"]}},
        {"Principal": {"AWS": "arn:aws:iam::*:root"}},
        {"Principal": {"AWS": "arn:aws:iam::*:role/deployer"}},
        {"Principal": {"AWS": ACCOUNT}},
        {"Principal": {"AWS": 123456789012}},
        {"Principal": {"AWS": {"Fn::Join": [":", ["arn:aws:iam:", {"Ref": "AWS::AccountId"}, "root"]]}}},
        {"Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${Open}:root"}}},
        {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/*"}, "Condition": {"Bool": {"aws:SecureTransport": True}}},
        {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Condition": {"Null": {"sts:ExternalId": "false"}}},
        {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Condition": {"StringLike": {"sts:ExternalId": "*"}}},
        {
            "Principal": {"AWS": {"Ref": "AWS::AccountId"}},
            "Condition": {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}},
        },
        {"Principal": {"AWS": "*"}, "Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}},
        {"Principal": {"AWS": "*"}, "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-example1234"}}},
        {"NotPrincipal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}},
        {"Principal": {"Service": "*"}},
        {"Principal": {"Service": "lambda"}},
        {"Principal": {"Service": "ec2.amazonaws.com"}, "Action": ["sts:*"]},
        {"Principal": {"Service": "ec2.amazonaws.com"}, "Action": "*"},
        {"Principal": {"Service": "ec2.amazonaws.com"}, "Action": None, "NotAction": "sts:TagSession"},
    ],
)
def test_wide_trust_is_refused(statement: dict[str, Any], verdict: Any) -> None:  # noqa: ANN401 (see verdict)
    """Everybody, a whole account, no service at all, or every way to assume."""
    written = {key: value for key, value in statement.items() if value is not None}
    resources = role(written)
    if statement.get("Action", "") is None:
        del resources["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Action"]
    assert verdict("trust-is-narrow", resources, **OPEN) == {"error"}


@pytest.mark.parametrize(
    "statement",
    [
        {"Principal": {"Service": ["ec2.amazonaws.com", "ssm.amazonaws.com"]}},
        {"Principal": {"Service": {"Fn::Sub": "ec2.${AWS::URLSuffix}"}}},
        {"Principal": {"Service": {"Fn::Sub": "logs.${AWS::Region}.amazonaws.com"}}},
        {"Principal": {"Service": "channels.lexv2.amazonaws.com.cn"}},
        {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/deployer"}},
        {"Principal": {"AWS": [f"arn:aws-cn:iam::{ACCOUNT}:user/jane", f"arn:aws:sts::{ACCOUNT}:assumed-role/a/b"]}},
        {"Principal": {"AWS": {"Fn::GetAtt": ["Other", "Arn"]}}},
        {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Condition": {"StringEquals": {"sts:ExternalId": "x1"}}},
        {"Principal": {"AWS": {"Ref": "Open"}}, "Condition": {"StringEquals": {"sts:ExternalId": {"Ref": "Open"}}}},
        {
            "Principal": {"AWS": ACCOUNT},
            "Condition": {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-example1234/r-ab12/*"]}},
        },
        {
            "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}},
            "Condition": {
                "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*/Admin_*"}
            },
        },
        {
            "Principal": {"AWS": {"Ref": "AWS::AccountId"}},
            "Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}},
        },
        {
            "Principal": {"AWS": "*"},
            "Condition": {"StringEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/deployer"}},
        },
        {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:TagSession"},
        {"Principal": "*", "Effect": "Deny"},
    ],
)
def test_narrow_trust_passes(statement: dict[str, Any], verdict: Any) -> None:  # noqa: ANN401 (see verdict)
    """Named principals and services, and accounts under a condition on the caller."""
    resources = {**role(statement), "Other": role({"Principal": {"Service": "ec2.amazonaws.com"}})["Role"]}
    assert verdict("trust-is-narrow", resources, **OPEN) == set()


def test_deny_of_everybody_else_narrows_trust(verdict: Any) -> None:  # noqa: ANN401 (see verdict)
    """Allow for the account, and a Deny for all but one role."""
    only = {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/deployer"}}
    trust = role(
        {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}},
        {"Effect": "Deny", "Principal": "*", "Condition": only},
    )
    assert verdict("trust-is-narrow", trust) == set()


def test_edge_function_needs_both_of_lambda_s_principals(verdict: Any) -> None:  # noqa: ANN401 (see verdict)
    """Lambda@Edge is documented with two principals; a third service is one too many."""
    function = {"Type": "AWS::Lambda::Function", "Properties": {"Role": {"Fn::GetAtt": ["Role", "Arn"]}}}
    both = role({"Principal": {"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}})
    more = role({"Principal": {"Service": ["lambda.amazonaws.com", "apigateway.amazonaws.com"]}})
    assert verdict("trust-is-narrow", {**both, "F": function}) == set()
    assert verdict("trust-is-narrow", {**more, "F": function}) == {"error"}
    assert verdict("trust-is-narrow", more) == set()


# --- federated-trust-names-its-subject ----------------------------------------------------------------------------

GITHUB = "token.actions.githubusercontent.com"


def github(sub: Any, operator: str = "StringLike", provider: Any = None) -> dict[str, Any]:  # noqa: ANN401 (any value)
    """Trust in GitHub with an audience and a subject."""
    return role(
        {
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": provider or f"arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB}"},
            "Condition": {"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}, operator: {f"{GITHUB}:sub": sub}},
        }
    )


@pytest.mark.parametrize(
    "sub",
    [
        "repo:acme/shop:ref:refs/heads/main",
        "repo:acme/shop:ref:refs/heads/*",
        "repo:acme/shop:*",
        "repo:acme@1234/shop@5678:*",
        "repo:acme@1234/shop@5678:environment:production",
        ["repo:acme/shop:pull_request", "repo:acme/other:environment:*"],
        {"Fn::Sub": "repo:${Open}:*"},
        {"Fn::Sub": "repo:acme/${Open}:ref:refs/heads/main"},
        "repository_id:1234:ref:*",
        "job_workflow_ref:acme/shop/.github/workflows/deploy.yml@refs/heads/main",
    ],
)
def test_subject_that_names_a_repository_passes(sub: Any, verdict: Any) -> None:  # noqa: ANN401 (any value)
    """Wildcards may follow the name, in both of GitHub's forms."""
    assert verdict("federated-trust-names-its-subject", github(sub), **OPEN) == set()


@pytest.mark.parametrize(
    "sub",
    [
        "*",
        "repo:*",
        "repo:acme/*",
        "repo:acme*",
        "repo:*/shop:*",
        "repo:acme/shop*",
        "repo:acme@1234/*",
        "repo:acme/shop-?:*",
        {"Fn::Sub": "repo:${Open}/*"},
        ["repo:acme/shop:*", "repo:acme/*"],
        "environment:production",
        "ref:refs/heads/main",
        "repository_owner:acme:*",
        "job_workflow_ref:*",
    ],
)
def test_subject_that_others_can_have_is_refused(sub: Any, verdict: Any) -> None:  # noqa: ANN401 (any value)
    """One wide value is enough, whatever the others say."""
    assert verdict("federated-trust-names-its-subject", github(sub), **OPEN) == {"error"}


@pytest.mark.parametrize("operator", ["ForAllValues:StringLike", "StringLikeIfExists", "StringNotLike", "Null"])
def test_operator_that_passes_without_the_claim_is_refused(operator: str, verdict: Any) -> None:  # noqa: ANN401 (see verdict)
    """A token without the claim, or any other token, would be accepted."""
    assert verdict("federated-trust-names-its-subject", github("repo:acme/shop:*", operator)) == {"error"}


def test_provider_of_the_same_template_is_known(verdict: Any) -> None:  # noqa: ANN401 (see verdict)
    """By reference to the provider's resource as by its ARN."""
    provider = {"Type": "AWS::IAM::OIDCProvider", "Properties": {"Url": f"https://{GITHUB}"}}
    good = github("repo:acme/shop:*", provider={"Ref": "Provider"})
    bad = github("environment:x", provider={"Fn::GetAtt": "Provider.Arn"})
    assert verdict("federated-trust-names-its-subject", {**good, "Provider": provider}) == set()
    assert verdict("federated-trust-names-its-subject", {**bad, "Provider": provider}) == {"error"}


@pytest.mark.parametrize(
    ("host", "sub", "expected"),
    [
        ("gitlab.com", "project_path:acme/shop:ref_type:branch:ref:main", set()),
        ("gitlab.com", "project_path:acme/*", {"error"}),
        ("app.terraform.io", "organization:acme:project:p:workspace:*:run_phase:*", set()),
        ("app.terraform.io", "organization:acme:project:*:workspace:*:run_phase:*", {"error"}),
        ("app.terraform.io", "organization:acme*", {"error"}),
        ("api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc", "{1234-5678}:*", set()),
        ("api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc", "*:{1234}", {"error"}),
        ("oidc.circleci.com/org/1234", "org/1234/project/5678/user/*", set()),
        ("oidc.circleci.com/org/1234", "org/1234/project/*", {"error"}),
        ("agent.buildkite.com", "organization:acme:pipeline:shop:ref:*", set()),
        ("oidc.eks.eu-west-1.amazonaws.com/id/A", "system:serviceaccount:shop:orders", set()),
        ("oidc.eks.eu-west-1.amazonaws.com/id/A", "system:serviceaccount:shop:*", {"error"}),
        ("oidc.eks.eu-west-1.amazonaws.com/id/A", "system:serviceaccount:*:orders", {"error"}),
        ("oidc.vercel.com/acme", "owner:acme:project:shop:environment:*", set()),
        ("login.example.com", "*", {"error"}),
    ],
)
def test_subjects_of_other_providers(host: str, sub: str, expected: set[str], verdict: Any) -> None:  # noqa: ANN401 (see verdict)
    """Each provider names its projects in its own form."""
    trust = role(
        {
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"},
            "Condition": {"StringEquals": {f"{host}:aud": "aws"}, "StringLike": {f"{host}:sub": sub}},
        }
    )
    assert verdict("federated-trust-names-its-subject", trust) == expected


# --- no-wildcard-resources ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": "*"},
        {"Action": "s3:*"},
        {"Action": ["s3:getobject"]},
        {"Action": "s3:*", "Resource": "arn:aws:s3:::*"},
        {"Action": ["s3:ListBucket"], "Resource": ["arn:aws:s3:::reports", "arn:aws:s3:::*"]},
        {"Action": "*", "Resource": "arn:aws:sqs:*:*:*"},
        {"Action": "kms:Decrypt", "Resource": {"Fn::Sub": "arn:aws:kms:*:${AWS::AccountId}:key/*"}},
        {"Action": "kms:Decrypt", "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}},
        {
            "Action": "secretsmanager:GetSecretValue",
            "Resource": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:*",
        },
        {"Action": "ssm:GetParameter", "Resource": "arn:aws:ssm:*:*:parameter/*"},
        {"Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:*"},
        {"Action": "iam:PassRole", "Resource": "arn:aws:iam::123456789012:role/*"},
        {"Action": ["ec2:RunInstances"], "Resource": "*"},
        {"Action": ["ec2:CreateNetworkInterface"], "Resource": "arn:aws:ec2:*:*:subnet/*"},
        {"Action": ["ec2:DeleteNetworkInterface"], "Resource": "arn:aws:ec2:*:*:network-interface/*"},
        {"Action": "ec2:StopInstances", "Condition": {"StringLike": {"aws:ResourceTag/team": "*"}}},
        {"Action": "ec2:StopInstances", "Condition": {"StringEqualsIfExists": {"aws:ResourceTag/team": "shop"}}},
        {"Action": "ec2:StopInstances", "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}},
        {"NotAction": "iam:*"},
    ],
)
def test_resource_of_every_name_is_refused(statement: dict[str, Any], verdict: Any) -> None:  # noqa: ANN401 (see verdict)
    """For an action that could name one."""
    assert verdict("no-wildcard-resources", policy(statement)) == {"error"}


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": ["sts:GetCallerIdentity", "ec2:DescribeInstances", "logs:DescribeLogGroups", "ec2:Describe*"]},
        {"Action": ["xray:PutTraceSegments", "cloudwatch:PutMetricData", "autoscaling:Describe*", "tag:GetResources"]},
        {"Action": ["s3:ListAllMyBuckets", "kms:ListAliases", "ecr:GetAuthorizationToken", "ssmmessages:*"]},
        {"Action": "rds:DescribeDBInstances"},
        {"Action": ["s3:*"], "Resource": ["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"]},
        {"Action": "s3:GetObject", "Resource": {"Fn::Sub": "${Bucket.Arn}/*"}},
        {"Action": "s3:GetObject", "Resource": {"Fn::Join": ["", [{"Fn::GetAtt": ["Bucket", "Arn"]}, "/*"]]}},
        {"Action": "s3:GetObject", "Resource": {"Fn::Sub": "arn:aws:s3:::${Open}/*"}},
        {"Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:*:*:function:orders:*"},
        {"Action": "logs:*", "Resource": "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/orders:*"},
        {"Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:eu-west-1:123456789012:abc/*/POST/orders"},
        {"Action": "iam:CreateAccessKey", "Resource": "arn:aws:iam::*:user/${aws:username}"},
        {"Action": "ec2:RunInstances", "Resource": ["arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:*:*:volume/*"]},
        {"Action": "ec2:CreateNetworkInterface", "Resource": "arn:aws:ec2:*:*:network-interface/*"},
        {"Action": "ec2:StopInstances", "Condition": {"StringEquals": {"ec2:ResourceTag/team": ["shop"]}}},
        {"Action": "ec2:DeleteVolume", "Condition": {"Null": {"aws:ResourceTag/cluster": "false"}}},
        {"Action": "ec2:CreateTags", "Condition": {"StringEquals": {"ec2:CreateAction": "RunInstances"}}},
        {
            "Action": "ecs:RunTask",
            "Condition": {"ArnEquals": {"ecs:cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/c"}},
        },
        {"Action": "s3:DeleteObject", "Effect": "Deny"},
        {"Action": "nonsense:Nothing"},
    ],
)
def test_resource_that_is_as_exact_as_can_be_passes(statement: dict[str, Any], verdict: Any) -> None:  # noqa: ANN401 (see verdict)
    """Named, below a name, pinned by a tag, made by the action, or beyond naming."""
    resources = {**policy(statement), "Bucket": {"Type": "AWS::S3::Bucket"}}
    assert verdict("no-wildcard-resources", resources, **OPEN) == set()


def test_resource_that_the_template_does_not_decide(verdict: Any) -> None:  # noqa: ANN401 (see verdict)
    """A parameter may be `*`; its default says so, or says that it is not."""
    given = policy({"Action": "sqs:SendMessage", "Resource": {"Ref": "Open"}})
    imported = policy({"Action": "sqs:SendMessage", "Resource": {"Fn::ImportValue": "queue"}})
    harmless = policy({"Action": "sts:GetCallerIdentity", "Resource": {"Ref": "Open"}})
    assert verdict("no-wildcard-resources", given, **OPEN) == {"cannot-tell"}
    assert verdict("no-wildcard-resources", imported) == {"cannot-tell"}
    assert verdict("no-wildcard-resources", harmless, **OPEN) == set()
    assert verdict("no-wildcard-resources", given, Parameters={"Open": {"Type": "String", "Default": "*"}}) == {"error"}
    arn = "arn:aws:sqs:eu-west-1:123456789012:events"
    assert verdict("no-wildcard-resources", given, Parameters={"Open": {"Type": "String", "Default": arn}}) == set()


def test_deny_to_the_code_has_to_be_the_same_role_s(verdict: Any) -> None:  # noqa: ANN401 (see verdict)
    """A policy that two roles share passes only if both keep the action from their functions' code."""
    deny = {
        "Effect": "Deny",
        "Action": "ec2:DeleteNetworkInterface",
        "Resource": "*",
        "Condition": {"ArnLike": {"lambda:SourceFunctionArn": "arn:aws:lambda:*:*:function:*"}},
    }
    shared = policy({"Action": "ec2:DeleteNetworkInterface", "Resource": "arn:aws:ec2:*:*:network-interface/*"})
    shared["Policy"]["Properties"]["Roles"] = [{"Ref": "A"}, {"Ref": "B"}]
    trust = {"Principal": {"Service": "lambda.amazonaws.com"}}
    denying = role(trust, Policies=[{"PolicyName": "d", "PolicyDocument": {"Statement": deny}}])["Role"]
    plain = role(trust)["Role"]
    assert verdict("no-wildcard-resources", {**shared, "A": denying, "B": denying}) == set()
    assert verdict("no-wildcard-resources", {**shared, "A": denying, "B": plain}) == {"error"}


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("ArnEquals", "arn:aws:lambda:eu-west-1:123456789012:function:worker", set()),
        ("ArnLike", "arn:aws:lambda:*:*:function:work*", set()),
        ("ArnEquals", {"Fn::Sub": "arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:${Open}"}, set()),
        ("ArnEquals", "arn:aws:lambda:eu-west-1:123456789012:function:another", {"error"}),
        ("StringEquals", "arn:aws:lambda:*:*:function:*", {"error"}),
    ],
)
def test_deny_to_the_code_has_to_be_about_the_function(
    operator: str,
    value: str | dict[str, str],
    expected: set[str],
    verdict: Any,  # noqa: ANN401 (see verdict)
) -> None:
    """One that names another function, or nothing that an ARN can be, leaves the code what it was to be kept from."""
    interfaces = "arn:aws:ec2:*:*:network-interface/*"
    deny = {
        "Effect": "Deny",
        "Action": "ec2:DeleteNetworkInterface",
        "Resource": "*",
        "Condition": {operator: {"lambda:SourceFunctionArn": value}},
    }
    allow = {"Effect": "Allow", "Action": "ec2:DeleteNetworkInterface", "Resource": interfaces}
    both = [{"PolicyName": "p", "PolicyDocument": {"Statement": [allow, deny]}}]
    function = {"FunctionName": "worker", "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Code": {"ZipFile": ""}}
    resources = {
        **role({"Principal": {"Service": "lambda.amazonaws.com"}}, Policies=both),
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
    }
    assert verdict("no-wildcard-resources", resources, **OPEN) == expected


# --- pass-role-names-its-service, no-privilege-escalation ----------------------------------------------------------


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([{"Action": "iam:CreatePolicyVersion"}], {"error"}),
        ([{"Action": "iam:SetDefault*"}], {"error"}),
        ([{"Action": "IAM:*"}], {"error"}),
        ([{"Action": "iam:PutUserPolicy", "Resource": "arn:aws:iam::*:user/${aws:username}"}], {"error"}),
        ([{"Action": "iam:UpdateLoginProfile", "Resource": "arn:aws:iam::123456789012:user/*"}], {"error"}),
        ([{"Action": "iam:AddUserToGroup"}], {"error"}),
        ([{"Action": "iam:UpdateAssumeRolePolicy"}, {"Action": "sts:AssumeRole"}], {"error"}),
        ([{"Action": ["iam:PassRole", "cloudformation:CreateStack"]}], {"error"}),
        ([{"Action": "iam:PassRole"}, {"Action": ["ecs:Register*", "ecs:RunTask"]}], {"error"}),
        ([{"Action": "iam:PassRole"}, {"Action": ["glue:CreateDevEndpoint"], "Resource": "x"}], {"error"}),
        (
            [{"Action": ["iam:PassRole", "datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition"]}],
            {"error"},
        ),
        (
            [
                {"Action": "iam:PassRole", "Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}},
                {"Action": "ec2:RunInstances"},
            ],
            {"error"},
        ),
        ([{"NotAction": ["s3:*"]}], {"error"}),
        (
            [
                {
                    "Action": "iam:AttachRolePolicy",
                    "Condition": {"ArnLike": {"iam:PolicyARN": "arn:aws:iam::aws:policy/*"}},
                }
            ],
            {"error"},
        ),
        ([{"Action": "iam:PassRole"}, {"Action": "lambda:CreateFunction"}], set()),
        ([{"Action": ["iam:Get*", "iam:List*", "lambda:GetFunction", "s3:*"]}], set()),
        ([{"Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/cdk-*"}], set()),
        ([{"Action": "sts:AssumeRole", "Condition": {"StringEquals": {"iam:ResourceTag/cdk": "deploy"}}}], set()),
        ([{"Action": "lambda:UpdateFunctionCode", "Resource": "arn:aws:lambda:*:*:function:orders"}], set()),
        ([{"Action": "iam:PutRolePolicy", "Resource": "arn:aws:iam::123456789012:role/other"}], set()),
        ([{"Action": "*", "Resource": "arn:aws:s3:::reports/*"}], set()),
        ([{"Action": "iam:*"}, {"Effect": "Deny", "Action": "iam:*"}], set()),
        ([{"Action": "iam:*"}, {"Effect": "Deny", "NotAction": "iam:Get*"}], set()),
        ([{"Action": "iam:CreateAccessKey"}, {"Effect": "Deny", "Action": "iam:*", "Resource": "x"}], {"error"}),
        (
            [
                {"Action": "iam:CreateAccessKey"},
                {"Effect": "Deny", "Action": "iam:*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}},
            ],
            {"error"},
        ),
        (
            [
                {"Action": ["iam:AttachRolePolicy", "iam:GetRole"]},
                {
                    "Effect": "Deny",
                    "Action": "iam:*RolePolicy",
                    "Condition": {"StringNotEquals": {"iam:PermissionsBoundary": "arn:aws:iam::123456789012:policy/b"}},
                },
            ],
            set(),
        ),
    ],
)
def test_sets_of_permissions(statements: list[dict[str, Any]], expected: set[str], verdict: Any) -> None:  # noqa: ANN401 (see verdict)
    """What leads to every permission is refused; what is confined, denied or harmless is not."""
    assert verdict("no-privilege-escalation", policy(*statements)) == expected


def test_group_and_its_policies_are_one_holder(verdict: Any) -> None:  # noqa: ANN401 (see verdict)
    """What a group may do is what all its policies say together."""
    resources = {
        "Group": {
            "Type": "AWS::IAM::Group",
            "Properties": {
                "GroupName": "developers",
                "Policies": [
                    {
                        "PolicyName": "pass",
                        "PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}},
                    }
                ],
            },
        },
        "Run": {
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyName": "run",
                "Groups": ["developers"],
                "PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*"}},
            },
        },
    }
    assert verdict("no-privilege-escalation", resources) == {"error"}
    del resources["Run"]
    assert verdict("no-privilege-escalation", resources) == set()


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Action": "iam:PassRole"}, {"error"}),
        ({"Action": "iam:PASSROLE", "Resource": "arn:aws:iam::123456789012:role/x"}, {"error"}),
        ({"Action": ["iam:*"]}, {"error"}),
        ({"Action": "*"}, {"error"}),
        ({"Action": "iam:PassRole", "Condition": {"StringLike": {"iam:PassedToService": "*"}}}, {"error"}),
        ({"Action": "iam:PassRole", "Condition": {"StringNotEquals": {"iam:PassedToService": "a.b"}}}, {"error"}),
        ({"Action": "iam:PassRole", "Condition": {"Null": {"iam:PassedToService": "false"}}}, {"error"}),
        (
            {"Action": "iam:PassRole", "Condition": {"StringEquals": {"iam:PassedToService": "ecs.amazonaws.com"}}},
            set(),
        ),
        ({"Action": "iam:PassRole", "Condition": {"StringEquals": {"iam:PassedToService": {"Ref": "Open"}}}}, set()),
        ({"Action": ["iam:GetRole", "s3:*"]}, set()),
        ({"NotAction": ["iam:*"]}, set()),
        ({"Action": "iam:PassRole", "Effect": "Deny"}, set()),
    ],
)
def test_passing_a_role_says_to_which_service(statement: dict[str, Any], expected: set[str], verdict: Any) -> None:  # noqa: ANN401 (see verdict)
    """By a condition that demands the key with a service's name."""
    assert verdict("pass-role-names-its-service", policy(statement), **OPEN) == expected


def test_boundary_grants_nothing(verdict: Any) -> None:  # noqa: ANN401 (see verdict)
    """A policy that is only somebody's boundary limits them; attached, it is judged like any other."""
    boundary = policy({"Action": "*"})
    bounded = role({"Principal": {"Service": "ec2.amazonaws.com"}}, PermissionsBoundary={"Ref": "Policy"})
    attached = role(
        {"Principal": {"Service": "ec2.amazonaws.com"}},
        PermissionsBoundary={"Ref": "Policy"},
        ManagedPolicyArns=[{"Ref": "Policy"}],
    )
    for slug in ("no-wildcard-resources", "no-privilege-escalation", "pass-role-names-its-service"):
        assert verdict(slug, {**boundary, **bounded}) == set()
        assert verdict(slug, {**boundary, **attached}) == {"error"}


# --- managed policies, shared roles -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("arn:aws:iam::aws:policy/AdministratorAccess", {"error"}),
        ("arn:aws-us-gov:iam::aws:policy/PowerUserAccess", {"error"}),
        ({"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::aws:policy/IAMFullAccess"]]}, {"error"}),
        ("arn:aws:iam::aws:policy/AWSLambda_FullAccess", {"error"}),
        ("arn:aws:iam::aws:policy/AmazonSSMFullAccess", {"error"}),
        ("arn:aws:iam::aws:policy/AdministratorAccess-Amplify", {"error"}),
        ("arn:aws:iam::aws:policy/job-function/SystemAdministrator", {"error"}),
        ("arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole", set()),
        ("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore", set()),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", set()),
        (f"arn:aws:iam::{ACCOUNT}:policy/TeamFullAccess", set()),
        ({"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:policy/${Open}"}, set()),
        ({"Fn::Sub": "arn:aws:iam::aws:policy/${Open}"}, {"cannot-tell"}),
        ({"Ref": "Open"}, {"cannot-tell"}),
    ],
)
def test_managed_policies(name: Any, expected: set[str], verdict: Any) -> None:  # noqa: ANN401 (any value)
    """AWS's by their names; those of the account are judged by what they say."""
    resources = role({"Principal": {"Service": "ec2.amazonaws.com"}}, ManagedPolicyArns=[name])
    assert verdict("no-broad-managed-policies", resources, **OPEN) == expected


def test_same_export_is_the_same_role(verdict: Any) -> None:  # noqa: ANN401 (see verdict)
    """Whatever role is behind it, two functions share it; two exports are two roles."""
    first, second, other = (
        {"Type": "AWS::Lambda::Function", "Properties": {"Role": {"Fn::ImportValue": name}}}
        for name in ("role", "role", "other")
    )
    assert verdict("one-role-per-function", {"A": first, "B": second}) == {"error"}
    assert verdict("one-role-per-function", {"A": first, "B": other}) == set()


# --- permissions to invoke ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"Principal": "sns.amazonaws.com"}, {"error"}),
        ({"Principal": "sns.amazonaws.com", "SourceArn": "*"}, {"error"}),
        ({"Principal": "events.amazonaws.com", "SourceArn": "arn:aws:events:*:*:rule/*"}, {"error"}),
        ({"Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::*"}, {"error"}),
        ({"Principal": "s3.amazonaws.com", "SourceAccount": "*"}, {"error"}),
        ({"Principal": "*", "EventSourceToken": "x"}, {"error"}),
        ({"Principal": "alexa-appkit.amazon.com"}, {"error"}),
        ({"Principal": "*", "PrincipalOrgID": "o-*"}, {"error"}),
        ({"Principal": {"Ref": "Open"}}, {"cannot-tell"}),
        ({"Principal": "sns.amazonaws.com", "SourceArn": {"Ref": "Open"}}, set()),
        ({"Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::incoming"}, set()),
        ({"Principal": "s3.amazonaws.com", "SourceAccount": {"Ref": "AWS::AccountId"}}, set()),
        ({"Principal": "events.amazonaws.com", "SourceArn": "arn:aws:events:*:123456789012:rule/*"}, set()),
        ({"Principal": {"Ref": "Open"}, "SourceAccount": ACCOUNT}, set()),
        ({"Principal": {"Ref": "AWS::AccountId"}}, set()),
        ({"Principal": ACCOUNT}, set()),
        ({"Principal": "*", "PrincipalOrgID": "o-example1234"}, set()),
    ],
)
def test_permission_names_who_calls(properties: dict[str, Any], expected: set[str], verdict: Any) -> None:  # noqa: ANN401 (see verdict)
    """An account by itself; a service by the source on whose behalf it calls."""
    resources = {
        "P": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {"FunctionName": "f", "Action": "lambda:InvokeFunction", **properties},
        }
    }
    assert verdict("lambda-permission-names-its-source", resources, **OPEN) == expected


# --- resource policies --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        ("AWS::SQS::QueuePolicy", "PolicyDocument"),
        ("AWS::SNS::TopicPolicy", "PolicyDocument"),
        ("AWS::S3::BucketPolicy", "PolicyDocument"),
        ("AWS::KMS::Key", "KeyPolicy"),
        ("AWS::SecretsManager::ResourcePolicy", "ResourcePolicy"),
        ("AWS::ECR::Repository", "RepositoryPolicyText"),
        ("AWS::OpenSearchService::Domain", "AccessPolicies"),
        ("AWS::EFS::FileSystem", "FileSystemPolicy"),
        ("AWS::Backup::BackupVault", "AccessPolicy"),
        ("AWS::S3::MultiRegionAccessPointPolicy", "Policy"),
    ],
)
@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": ["arn:aws:iam::*:root"]}, {"Service": "*"}])
def test_policy_for_everybody_is_refused_on_every_kind_of_resource(
    kind: str,
    document: str,
    principal: Any,  # noqa: ANN401 (any form of a principal)
    verdict: Any,  # noqa: ANN401 (see verdict)
) -> None:
    """In every form of everybody."""

    def with_principal(who: Any) -> dict[str, Any]:  # noqa: ANN401 (any form of a principal)
        statement = {"Effect": "Allow", "Principal": who, "Action": "*", "Resource": "*"}
        return {"X": {"Type": kind, "Properties": {document: {"Version": "2012-10-17", "Statement": [statement]}}}}

    assert verdict("resource-policy-is-not-public", with_principal(principal)) == {"error"}
    named = {"AWS": [ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"], "Service": "cloudtrail.amazonaws.com"}
    assert verdict("resource-policy-is-not-public", with_principal(named)) == set()
    assert verdict("resource-policy-is-not-public", with_principal({"AWS": {"Ref": "Open"}}), **OPEN) == {"cannot-tell"}


def test_search_domain_within_a_vpc_is_not_public(verdict: Any) -> None:  # noqa: ANN401 (see verdict)
    """AWS documents an open policy there: the domain has no address outside, and security groups decide."""
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "es:ESHttp*", "Resource": "*"}
    properties: dict[str, Any] = {"AccessPolicies": {"Statement": [statement]}}
    domain = {"D": {"Type": "AWS::OpenSearchService::Domain", "Properties": properties}}
    assert verdict("resource-policy-is-not-public", domain) == {"error"}
    properties["VPCOptions"] = {"SubnetIds": ["subnet-1"]}
    assert verdict("resource-policy-is-not-public", domain) == set()
