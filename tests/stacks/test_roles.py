"""Each function acts as a role of its own, which may do what its code needs and nothing more."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from credential_rules.engine import read
from credential_rules.grants import denying
from credential_rules.index import Index
from credential_rules.needs import needs_of
from credential_rules.policy_evaluation import Decision, Request, authorise
from stacks.access import Path
from stacks.settings import Function
from tests.stacks.concrete import Deployed
from tests.stacks.function_source import modules_of
from tests.stacks.permissions import allowed, functions, role_of, role_statements, statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stacks.access import Access
    from tests.stacks.cloud_assembly import Assembly, Resource, Template

INTERFACES = "arn:aws:ec2:<AWS::Region>:<AWS::AccountId>:network-interface/*"
TABLES = "arn:aws:dynamodb:<AWS::Region>:<AWS::AccountId>:table/rolebound-{environment}"
EVENTS = f"{TABLES}-events"
QUEUE = "arn:aws:sqs:<AWS::Region>:<AWS::AccountId>:rolebound-{environment}-event-queue"
PAYLOADS = "arn:aws:s3:::rolebound-{environment}-<AWS::AccountId>-<AWS::Region>-payloads/*"

MAY = {
    "api": {
        ("dynamodb:PutItem", EVENTS),
        ("dynamodb:GetItem", EVENTS),
        ("s3:PutObject", PAYLOADS),
        ("s3:GetObject", PAYLOADS),
        ("sqs:SendMessage", QUEUE),
        ("sqs:GetQueueAttributes", QUEUE),
    },
    "authorizer": {("dynamodb:GetItem", f"{TABLES}-api-keys")},
    "worker": {
        ("dynamodb:UpdateItem", EVENTS),
        ("sqs:ReceiveMessage", QUEUE),
        ("sqs:DeleteMessage", QUEUE),
        ("sqs:GetQueueAttributes", QUEUE),
    },
    "sweeper": {
        ("dynamodb:Query", f"{EVENTS}/index/pending"),
        ("dynamodb:UpdateItem", EVENTS),
        ("sqs:SendMessage", QUEUE),
    },
}
"""What each function may do with the application's data: whoever changes this changes who can read events."""

POLLED = {"worker": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}}
"""What of it is not for the function's code but for Lambda, which polls the queue from outside the VPC."""

KEY = "<Data/Key/Key.Arn>"
ON_KEY = {
    "api": {"kms:Decrypt", "kms:GenerateDataKey"},
    "authorizer": {"kms:Decrypt"},
    "worker": {"kms:Decrypt"},
    "sweeper": {"kms:Decrypt", "kms:GenerateDataKey"},
}
"""What each function may do with the account's own key, where the data is encrypted with it; only through services."""

WILDCARDS = {
    ("s3:PutObject", PAYLOADS): "objects are made as events arrive, one per large payload",
    ("s3:GetObject", PAYLOADS): "as for PutObject",
    ("ec2:CreateNetworkInterface", INTERFACES): "the id is given by EC2; subnet and security group are named beside it",
    ("ec2:DeleteNetworkInterface", INTERFACES): "Lambda makes and removes the interfaces, so no id is known before",
    ("ec2:AssignPrivateIpAddresses", INTERFACES): "as for DeleteNetworkInterface",
    ("ec2:UnassignPrivateIpAddresses", INTERFACES): "as for DeleteNetworkInterface",
    ("ec2:DescribeNetworkInterfaces", "*"): "EC2 has no resource level for it",
    ("ec2:DescribeSubnets", "*"): "EC2 has no resource level for it",
    ("ec2:DescribeManagedPrefixLists", "*"): "EC2 has no resource level for it",
    ("ec2:DescribeSecurityGroups", "*"): "EC2 has no resource level for it",
}
"""Every wildcard that any role of ours is allowed, and why there is nothing narrower."""


def _for_environment(assembly: Assembly, pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    environment = assembly.context.get("environment", "dev")
    return {(action, resource.replace("{environment}", environment)) for action, resource in pairs}


def _all_roles(assembly: Assembly) -> list[tuple[Template, Resource]]:
    return list(assembly.of_type("AWS::IAM::Role"))


def _what_lambda_needs(assembly: Assembly, name: str) -> set[tuple[str, str]]:
    """What Lambda does with the role of a function in the VPC, besides the application's own calls."""
    group = f"<Api/{name.capitalize()}/Log.Arn>"
    place = "arn:aws:ec2:<AWS::Region>:<AWS::AccountId>"
    subnets = [f"<{subnet.path}>" for subnet in assembly.network.of_type("AWS::EC2::Subnet")]
    return {
        ("logs:CreateLogStream", group),
        ("logs:PutLogEvents", group),
        ("ec2:CreateNetworkInterface", INTERFACES),
        ("ec2:CreateNetworkInterface", f"{place}:security-group/<Network/Functions.GroupId>"),
        *(("ec2:CreateNetworkInterface", f"{place}:subnet/{subnet}") for subnet in subnets),
        ("ec2:DeleteNetworkInterface", INTERFACES),
        ("ec2:AssignPrivateIpAddresses", INTERFACES),
        ("ec2:UnassignPrivateIpAddresses", INTERFACES),
        ("ec2:DescribeNetworkInterfaces", "*"),
        ("ec2:DescribeSubnets", "*"),
    }


def test_no_two_functions_share_a_role(deployment: Assembly) -> None:
    """What one function may do says nothing about another."""
    roles = [
        (template.part, role_of(template, function).path)
        for template in deployment.templates.values()
        for function in functions(template).values()
    ]
    assert len(roles) == len(set(roles)) == len(Function) + 2


@pytest.mark.parametrize("name", list(Function))
def test_a_function_may_do_what_it_is_for_and_nothing_else(deployment: Assembly, name: Function) -> None:
    """On the application's data: each action on the one resource, read from the rendered policies."""
    api = deployment.api
    role = role_of(api, functions(api)[name])
    may = allowed(role_statements(api, role))
    with_key = (
        {(action, KEY) for action in ON_KEY[name]} if deployment.context.get("encryption") == "customer" else set()
    )
    assert may == _for_environment(deployment, MAY[name]) | _what_lambda_needs(deployment, name) | with_key


def test_roles_and_the_table_of_permissions_agree(
    deployment: Assembly, declared_access: list[tuple[Access, str]]
) -> None:
    """`access.py` is the place to read who may do what: nothing stands there that the roles lack, nor the reverse."""
    declared = {
        name: {
            (action, resource)
            for entry, resource in declared_access
            if entry.function is name and entry.needs_grant
            for action in entry.actions
        }
        for name in Function
    }
    assert declared == {Function(name): _for_environment(deployment, pairs) for name, pairs in MAY.items()}


def test_what_a_role_needs_no_grant_for_is_given_none(declared_access: list[tuple[Access, str]]) -> None:
    """Only the question who one is needs no permission."""
    free = {action for entry, _ in declared_access if not entry.needs_grant for action in entry.actions}
    assert free == {"sts:GetCallerIdentity"}


def test_no_role_has_a_managed_policy(deployment: Assembly) -> None:
    """AWS changes its managed policies without asking us, and they are wider than ours."""
    assert [resource.path for _, resource in deployment.of_type("AWS::IAM::ManagedPolicy")] == []
    for _, role in _all_roles(deployment):
        assert not role.properties.get("ManagedPolicyArns")
        # Policies of ours are resources of their own, which the other tests read.
        assert not role.properties.get("Policies")


def test_every_role_has_the_permissions_boundary_of_the_setting(deployment: Assembly) -> None:
    """Those of the timer, the flow log and the custom resources too; without the setting none has any."""
    named = deployment.context.get("permissions_boundary")
    expected = f"arn:aws:iam::<AWS::AccountId>:policy/{named}" if named else None
    for template, role in _all_roles(deployment):
        found = role.properties.get("PermissionsBoundary")
        assert (template.text(found) if found else None) == expected, role.path


def test_policies_are_attached_to_one_role_and_to_no_user_or_group(deployment: Assembly) -> None:
    """There are no users at all: nobody could hold their keys."""
    assert [resource.path for _, resource in deployment.of_type("AWS::IAM::User", "AWS::IAM::Group")] == []
    assert [resource.path for _, resource in deployment.of_type("AWS::IAM::AccessKey")] == []
    for _, policy in deployment.of_type("AWS::IAM::Policy"):
        assert len(policy.properties["Roles"]) == 1
        assert not policy.properties.get("Users")
        assert not policy.properties.get("Groups")


def test_every_wildcard_has_a_reason(deployment: Assembly) -> None:
    """A resource that is no exact ARN is one of those listed here."""
    reasons = _for_environment(deployment, set(WILDCARDS))
    for template, role in _all_roles(deployment):
        may = allowed(role_statements(template, role))
        assert {pair for pair in may if "*" in pair[1]} <= reasons
        assert not {action for action, _ in may if "*" in action}


def test_no_wildcard_is_listed_in_vain(deployment: Assembly) -> None:
    """A reason for something that is gone would excuse its return."""
    used = {pair for template, role in _all_roles(deployment) for pair in allowed(role_statements(template, role))}
    assert _for_environment(deployment, set(WILDCARDS)) <= used


def test_roles_write_to_their_own_log_group_only(deployment: Assembly) -> None:
    """A function cannot forge the log of another."""
    for template in deployment.templates.values():
        for function in functions(template).values():
            own = template.text(function.properties["LoggingConfig"]["LogGroup"]).replace(">", ".Arn>")
            logs = {
                resource
                for action, resource in allowed(role_statements(template, role_of(template, function)))
                if action.startswith("logs:")
            }
            assert logs == {own}


TRUSTED = {"Api/Sweep/Role": "scheduler.amazonaws.com", "Network/FlowLogRole": "vpc-flow-logs.amazonaws.com"}
"""Whom the roles that are no function's trust."""


def test_each_role_trusts_one_service_acting_for_our_account(deployment: Assembly) -> None:
    """Lambda for functions; without the account, the service could be led to act for somebody else."""
    for template, role in _all_roles(deployment):
        (trust,) = statements(template, role.properties["AssumeRolePolicyDocument"])
        assert trust.effect == "Allow"
        assert trust.actions == {"sts:AssumeRole"}
        assert trust.principal == {"Service": TRUSTED.get(role.path, "lambda.amazonaws.com")}
        assert trust.condition == {"StringEquals": {"aws:SourceAccount": "<AWS::AccountId>"}}


def test_the_timer_may_start_the_sweeper_and_nothing_else(deployment: Assembly) -> None:
    """Not even its versions or aliases."""
    api = deployment.api
    role = api.at("Api/Sweep/Role", "AWS::IAM::Role")
    assert allowed(role_statements(api, role)) == {("lambda:InvokeFunction", "<Api/Sweeper/Function.Arn>")}


NOT_TO_BE_TOLD_FROM_CODE = {"logs:CreateLogStream", "logs:PutLogEvents"}
"""Lambda puts the function's ARN into these calls of its own as into the code's: a Deny for the code would end the log.

https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
"""


@pytest.mark.parametrize("name", list(Function))
def test_a_functions_code_is_denied_all_that_lambda_does_with_its_role(deployment: Assembly, name: Function) -> None:
    """Interfaces and polling, by the function's ARN in its credentials; and nothing that its code is for."""
    api = deployment.api
    function = functions(api)[name]
    found = role_statements(api, role_of(api, function))
    (deny,) = (statement for statement in found if statement.effect == "Deny")
    own = f"arn:aws:lambda:<AWS::Region>:<AWS::AccountId>:function:{api.text(function.properties['FunctionName'])}"
    assert deny.condition == {"ArnEquals": {"lambda:SourceFunctionArn": own}}
    assert deny.resources == {"*"}
    by_lambda = {action for action, _ in _what_lambda_needs(deployment, name)} | POLLED.get(name, set())
    assert deny.actions == by_lambda - NOT_TO_BE_TOLD_FROM_CODE


def test_the_poller_and_nothing_else_is_lambdas(declared_access: list[tuple[Access, str]]) -> None:
    """What is kept from code above is what the table of permissions says that Lambda does."""
    by_lambda: dict[str, set[str]] = {}
    for entry, _ in declared_access:
        if entry.path is Path.LAMBDA:
            by_lambda.setdefault(entry.function, set()).update(entry.actions)
    assert by_lambda == POLLED


def test_no_role_is_left_with_what_lambda_does_and_code_could(deployment: Assembly) -> None:
    """Derived from the templates: whatever Lambda is made to do with a role one day, the code is denied it as well."""
    target = read([deployment.folder])
    index = Index(target.templates, target.sources)
    kept = 0
    for function in index.functions.values():
        assert function.role is not None
        needs = needs_of(index, function)
        of_code = {need.action for need in needs if need.by_code}
        for need in needs:
            # A key is used by the service that was called: it opens nothing where that call is denied.
            if need.by_code or not need.is_required or need.action.startswith(("logs:", "kms:")):
                continue
            assert need.action not in of_code
            assert denying(function.role, replace(need, by_code=True)) is not None, (function.resource.logical_id, need)
            assert denying(function.role, need) is None
            kept += 1
    assert kept == len(Function) * 6 + 3


@pytest.mark.parametrize("name", list(Function))
def test_whether_it_is_allowed_depends_on_who_calls(deployment: Assembly, name: Function) -> None:
    """Asked of the evaluator for everything that Lambda does: Lambda may, the function's own code may not."""
    deployed = Deployed.of(deployment)
    role = role_of(deployment.api, functions(deployment.api)[name])
    identity = deployed.identity(role)
    granted = {
        (action, resource)
        for document in identity
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
        if action.startswith("ec2:") or action in POLLED.get(name, set())
    }
    assert {action for action, _ in granted} >= POLLED.get(name, set())
    code = (
        f"arn:aws:lambda:{deployed.settings.region}:{deployed.account}:function:{deployed.settings.function_name(name)}"
    )
    for action, resource in granted:
        for context, expected in (
            ({}, (Decision.ALLOWED, None)),
            ({"lambda:SourceFunctionArn": code}, (Decision.EXPLICIT_DENY, "NotFromCode")),
            ({"lambda:SourceFunctionArn": f"{code}-other"}, (Decision.ALLOWED, None)),
        ):
            request = Request(action, resource.replace("/*", "/eni-1"), deployed.arn(role), deployed.account, context)
            verdict = authorise(request, identity=identity)
            assert verdict.decision is expected[0], (action, resource, context)
            assert expected[1] in (None, verdict.statement)


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def test_a_deny_is_aimed_at_one_function(deployment: Assembly) -> None:
    """A Deny without its condition would stop Lambda from placing the function at all."""
    for template, role in _all_roles(deployment):
        for statement in role_statements(template, role):
            assert statement.effect == "Allow" or statement.condition


def test_the_function_that_names_prefix_lists_may_do_that_only(deployment: Assembly) -> None:
    """It runs during deployments, outside the VPC: it has no interface to manage and no data to read."""
    network = deployment.network
    role = role_of(network, functions(network)["prefix_lists"])
    assert allowed(role_statements(network, role)) == {
        ("ec2:DescribeManagedPrefixLists", "*"),
        ("logs:CreateLogStream", "<Network/PrefixLists/Finder/Log.Arn>"),
        ("logs:PutLogEvents", "<Network/PrefixLists/Finder/Log.Arn>"),
    }


def test_the_function_that_empties_the_default_group_may_empty_no_other(deployment: Assembly) -> None:
    """By the ARN of that one group; the groups of functions and endpoints are safe from it."""
    network = deployment.network
    role = role_of(network, functions(network)["default_group"])
    group = "arn:aws:ec2:<AWS::Region>:<AWS::AccountId>:security-group/<Network/Vpc.DefaultSecurityGroup>"
    assert allowed(role_statements(network, role)) == {
        ("ec2:DescribeSecurityGroups", "*"),
        ("ec2:RevokeSecurityGroupIngress", group),
        ("ec2:RevokeSecurityGroupEgress", group),
        ("logs:CreateLogStream", "<Network/DefaultGroup/Closer/Log.Arn>"),
        ("logs:PutLogEvents", "<Network/DefaultGroup/Closer/Log.Arn>"),
    }


def test_flow_logs_may_write_to_their_group_only(deployment: Assembly) -> None:
    """The role that carries them has no other use."""
    network = deployment.network
    role = network.at("Network/FlowLogRole", "AWS::IAM::Role")
    may = allowed(role_statements(network, role))
    assert {resource for _, resource in may} == {"<Network/FlowLog.Arn>"}
    assert {action for action, _ in may} <= {"logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"}


def _sdk_calls(tree: ast.Module) -> Iterator[str]:
    """Give the SDK's operations that a module may call, as they are written in Python."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="get_paginator"), args=[ast.Constant(value=str(operation))]):
                yield operation
            case ast.Call(func=ast.Attribute(attr=operation)):
                yield operation


@pytest.mark.parametrize("name", list(Function))
def test_no_action_is_granted_that_the_functions_code_does_not_call(
    declared_access: list[tuple[Access, str]], name: Function
) -> None:
    """An action in the table is an SDK call in a module that the function's entry imports."""
    called = {operation.replace("_", "") for tree in modules_of(name).values() for operation in _sdk_calls(tree)}
    granted = {
        action
        for entry, _ in declared_access
        if entry.function is name and entry.path is Path.ENDPOINT
        for action in entry.actions
    }
    assert granted
    assert {action for action in granted if action.partition(":")[2].lower() not in called} == set()
