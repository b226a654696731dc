"""The theorem of least privilege for our own app: roles and code agree in every deployment, and any difference is named."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Final

import pytest

from credential_rules.engine import judge, read
from credential_rules.index import Index
from credential_rules.needs import needs_of
from credential_rules.role_matches_code import RULE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.engine import Reported, Target
    from tests.stacks.cloud_assembly import Assembly

EVERY: Final = ("dev", "prod", "small", "x86", "local")

MORE: Final = {
    "dynamodb": ("dynamodb:Scan", "dynamodb:DeleteItem", "dynamodb:BatchGetItem", "dynamodb:DeleteTable"),
    "ec2": ("ec2:TerminateInstances", "ec2:AttachNetworkInterface"),
    "kms": ("kms:ScheduleKeyDeletion", "kms:Sign"),
    "logs": ("logs:CreateLogGroup", "logs:FilterLogEvents"),
    "s3": ("s3:DeleteObject", "s3:GetObjectVersion"),
    "sqs": ("sqs:PurgeQueue", "sqs:ChangeMessageVisibility", "sqs:DeleteQueue"),
}
"""Permissions near to what the functions have, and that none of them needs."""


@pytest.fixture(scope="module", params=["dev", "prod"])
def target(request: pytest.FixtureRequest) -> Target:
    """Everything of a deployment, with AWS's keys and with ours, as the command reads it; tests put back what they change."""
    assembly: Assembly = request.getfixturevalue(request.param)
    return read([assembly.folder])


def found(target: Target) -> list[Reported]:
    """What the rule says."""
    report = judge(target, [RULE])
    assert report.errors == {}
    return report.findings


@pytest.mark.parametrize("name", EVERY)
def test_roles_and_code_agree(name: str, request: pytest.FixtureRequest) -> None:
    """Nothing is missing, nothing is unused, and nothing is left undecided: whatever the settings."""
    assembly: Assembly = request.getfixturevalue(name)
    target = read([assembly.folder])
    assert [(finding.severity, finding.message) for finding in found(target)] == []
    index = Index(target.templates, target.sources)
    assert len(index.functions) == 6
    for function in index.functions.values():
        assert any(need.by_code for need in needs_of(index, function))


def test_the_comparison_takes_less_than_a_second(dev: Assembly) -> None:
    """After synthesis, from the files to the answer, on one core: nobody switches off what nobody waits for."""
    start = time.process_time()
    found(read([dev.folder]))
    assert time.process_time() - start < 1


def statements(target: Target) -> Iterator[tuple[str, list[dict[str, Any]], int]]:
    """Each Allow of a function's role as it stands in its template: the policy's name, its statements, the position."""
    for template in target.templates:
        for name, resource in template.resources.items():
            document: Any = resource.raw.get("Properties", {})
            written = document.get("PolicyDocument", {}).get("Statement", [])
            if resource.type != "AWS::IAM::Policy" or "FlowLog" in name or ("Sweep" in name and "Sweeper" not in name):
                continue
            for position, statement in enumerate(written):
                if statement["Effect"] == "Allow":
                    yield name, written, position


def actions_of(statement: dict[str, Any]) -> list[str]:
    """The actions of a statement, whether it has one or several."""
    listed = statement["Action"]
    return [listed] if isinstance(listed, str) else list(listed)


def test_each_permission_that_is_taken_away_is_missed(target: Target) -> None:
    """By its own name, with the line of the call that needs it or with what Lambda needs it for; and nothing else is."""
    told: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for name, written, position in list(statements(target)):
        whole = written[position]
        for action in actions_of(whole):
            kept = [other for other in actions_of(whole) if other != action]
            written[position] = {**whole, "Action": kept}
            if not kept:
                del written[position]
            told[name, action] = [(one.severity, one.message) for one in found(target)]
            written[position : position + bool(kept)] = [whole]
    assert len(told) > 40
    for (name, action), said in told.items():
        assert [severity for severity, _ in said] == ["error"], (name, action, said)
        ((_, message),) = said
        assert re.search(rf"needs {action} on \S", message), (name, message)
        by_lambda = "Lambda " in message or "event source mapping 'EventQueueToWorker" in message
        assert by_lambda or re.search(r"event_api/\w+\.py:\d+ \w+", message), (name, message)


def test_each_permission_that_is_added_is_found_unused(target: Target) -> None:
    """By its own name and with its statement's policy: one finding for one permission."""
    told = {}
    for name, written, position in list(statements(target)):
        whole = written[position]
        service = actions_of(whole)[0].partition(":")[0]
        for action in MORE[service]:
            written[position] = {**whole, "Action": [*actions_of(whole), action]}
            told[name, position, action] = [(one.severity, one.resource, one.message) for one in found(target)]
            written[position] = whole
    assert len(told) > 40
    for (name, _, action), said in told.items():
        assert [(severity, resource) for severity, resource, _ in said] == [("error", name)], (name, action, said)
        assert f"allows {action} (" in said[0][2]


def test_a_permission_on_one_resource_more_is_found_unused(target: Target) -> None:
    """The same action on another table or queue is another permission."""
    for name, written, position in list(statements(target)):
        whole = written[position]
        service = actions_of(whole)[0].partition(":")[0]
        other = {
            "dynamodb": "arn:aws:dynamodb:us-east-1:123456789012:table/salaries",
            "logs": "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/another:*",
            "s3": "arn:aws:s3:::salaries/*",
            "sqs": "arn:aws:sqs:us-east-1:123456789012:salaries",
        }.get(service)
        if other is None:
            continue
        written.append({**whole, "Resource": other})
        said = [(one.severity, one.resource, one.message) for one in found(target)]
        written.pop()
        assert [(severity, resource) for severity, resource, _ in said] == [("error", name)], (name, said)
        assert f"allows {', '.join(actions_of(whole))} (" in said[0][2]


def test_a_call_on_another_table_is_missed(target: Target) -> None:
    """A function whose variable names the wrong table is told before its first request is refused."""
    index = Index(target.templates, target.sources)
    api = next(one for one in index.functions if one.logical_id.startswith("AuthorizerFunction"))
    raw: Any = api.raw
    variables = raw["Properties"]["Environment"]["Variables"]
    kept = variables["API_KEYS_TABLE"]
    variables["API_KEYS_TABLE"] = "salaries"
    said = found(target)
    variables["API_KEYS_TABLE"] = kept
    assert {one.severity for one in said} == {"error"}
    ((told, fix),) = [(one.message, one.fix) for one in said if "dynamodb:GetItem" in one.message]
    assert "needs dynamodb:GetItem on 'salaries' (event_api/api_keys.py:" in told
    assert re.search(r"allows it only on '[^']*(?i:api-?keys)[^']*' \(", told)
    assert "Allow dynamodb:GetItem on the ARN of 'salaries' in place of" in fix


def test_a_deny_for_the_code_takes_a_permission_from_the_code(target: Target) -> None:
    """What is kept for Lambda is not the code's, even where an Allow covers both."""
    for _, written, position in list(statements(target)):
        whole = written[position]
        if "dynamodb:PutItem" in actions_of(whole):
            deny = next(one for one in written if one["Effect"] == "Deny")
            written.append({**deny, "Sid": "NotThat", "Action": "dynamodb:PutItem"})
            said = [one.message for one in found(target)]
            written.pop()
            assert any(
                "needs dynamodb:PutItem on" in message and "denies it (statement 'NotThat'" in message
                for message in said
            )
            assert any("allows dynamodb:PutItem (" in message for message in said)
            return
    pytest.fail("no role may put items")


def test_a_deny_that_would_stop_lambda_itself_is_told(target: Target) -> None:
    """One word more in the operator, and it holds where no function is named: the poller and the interfaces."""
    for name, written, _ in list(statements(target)):
        deny = next((one for one in written if one["Effect"] == "Deny"), None)
        if deny is None or not name.startswith("Worker"):
            continue
        whole = deny["Condition"]
        deny["Condition"] = {"ArnEqualsIfExists": whole["ArnEquals"]}
        said = [one.message for one in found(target)]
        deny["Condition"] = whole
        hit = {match[1] for one in said if (match := re.match(r"Lambda, for '\w+', needs (\S+) on .* denies it", one))}
        assert hit == set(deny["Action"])
        return
    pytest.fail("the worker's role denies nothing")
