"""The deployment's other helper: empties the default security group, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

from tests.lambda_src.conftest import Context
from tests.lambda_src.made_up import KEY_ID, SECRET, TOKEN, traces
from tests.lambda_src.recording_server import DROPPED, Answer, Recorded, RecordingServer, fault, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_GROUP = "sg-0123456789abcdef0"
_LOOK, _CLOSE_IN, _CLOSE_OUT = "DescribeSecurityGroups", "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress"
_ITSELF = (
    "<item><ipProtocol>-1</ipProtocol><groups><item><userId>123456789012</userId>"
    f"<groupId>{_GROUP}</groupId></item></groups></item>"
)
_EVERYWHERE = "<item><ipProtocol>-1</ipProtocol><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item>"


def _group(ingress: str = "", egress: str = "", name: str = "default") -> Answer:
    """What EC2 tells of the group."""
    return text(
        f"<R><requestId>r</requestId><securityGroupInfo><item><groupId>{_GROUP}</groupId><groupName>{name}</groupName>"
        f"<ipPermissions>{ingress}</ipPermissions><ipPermissionsEgress>{egress}</ipPermissionsEgress>"
        "</item></securityGroupInfo></R>"
    )


_DONE = text("<R><requestId>r</requestId><return>true</return></R>")


def _request(server: RecordingServer, **changes: object) -> dict[str, Any]:
    return {
        "RequestType": "Create",
        "ResponseURL": f"{server.url}/cloudformation?signature=made-up",
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/network/1",
        "RequestId": "cloudformation-1",
        "LogicalResourceId": "DefaultGroup",
        "ResourceProperties": {"GroupId": _GROUP},
    } | changes


def _answer(server: RecordingServer) -> dict[str, Any]:
    (answer,) = server.of("PUT cloudformation")
    told = answer.json
    assert told["PhysicalResourceId"] == "empty-default-group"
    assert told["RequestId"] == "cloudformation-1"
    return told


def _asked(server: RecordingServer, operation: str) -> dict[str, list[str]]:
    (asked,) = server.of(operation)
    return parse_qs(asked.body.decode())


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_both_rules_of_a_new_vpc_are_taken_out(
    kind: str, deployed: RecordingServer, start: Callable[[str], ModuleType]
) -> None:
    """From itself and to everywhere: each as EC2 told it, so that nothing else goes and nothing stays."""
    deployed.script(_LOOK, _group(_ITSELF, _EVERYWHERE))
    deployed.script(_CLOSE_IN, _DONE)
    deployed.script(_CLOSE_OUT, _DONE)

    start("default_group").handler(_request(deployed, RequestType=kind), Context())

    assert _answer(deployed)["Status"] == "SUCCESS"
    assert deployed.operations == [_LOOK, _CLOSE_IN, _CLOSE_OUT, "PUT cloudformation"]
    assert _asked(deployed, _LOOK)["GroupId.1"] == [_GROUP]
    closed_in = _asked(deployed, _CLOSE_IN)
    assert closed_in["GroupId"] == [_GROUP]
    assert closed_in["IpPermissions.1.Groups.1.GroupId"] == [_GROUP]
    closed_out = _asked(deployed, _CLOSE_OUT)
    assert closed_out["GroupId"] == [_GROUP]
    assert closed_out["IpPermissions.1.IpRanges.1.CidrIp"] == ["0.0.0.0/0"]


def test_an_empty_group_is_left_as_it_is(deployed: RecordingServer, start: Callable[[str], ModuleType]) -> None:
    """CloudFormation may ask twice; EC2 would refuse to take out nothing."""
    deployed.script(_LOOK, _group())

    start("default_group").handler(_request(deployed), Context())

    assert _answer(deployed)["Status"] == "SUCCESS"
    assert deployed.operations == [_LOOK, "PUT cloudformation"]


def test_a_deletion_asks_nothing(deployed: RecordingServer, start: Callable[[str], ModuleType]) -> None:
    """The group goes with its VPC."""
    start("default_group").handler(_request(deployed, RequestType="Delete"), Context())

    assert _answer(deployed)["Status"] == "SUCCESS"
    assert deployed.operations == ["PUT cloudformation"]


def test_a_group_of_another_name_is_left_alone(deployed: RecordingServer, start: Callable[[str], ModuleType]) -> None:
    """A mistake in the template must not cut off what uses the group."""
    deployed.script(_LOOK, _group(_ITSELF, _EVERYWHERE, name="Rolebound-dev-Network-Functions"))

    start("default_group").handler(_request(deployed), Context())

    told = _answer(deployed)
    assert told["Status"] == "FAILED"
    assert f"{_GROUP} is no VPC's default security group" in told["Reason"]
    assert deployed.operations == [_LOOK, "PUT cloudformation"]


_REFUSALS: dict[str, tuple[Answer | Callable[[Recorded], Answer], str]] = {
    "denied": (fault("UnauthorizedOperation", "You are not authorized", status=403), "UnauthorizedOperation"),
    "unknown signer": (fault("AuthFailure", f"x-amz-security-token:{TOKEN}", status=401), "AuthFailure"),
    "gone": (fault("InvalidGroup.NotFound", f"The security group '{_GROUP}' does not exist"), "InvalidGroup.NotFound"),
    "dropped": (DROPPED, "ConnectionClosedError"),
}


@pytest.mark.parametrize("at", [_LOOK, _CLOSE_IN, _CLOSE_OUT])
@pytest.mark.parametrize(("answer", "reason"), _REFUSALS.values(), ids=_REFUSALS)
def test_a_failure_of_any_call_is_answered_with_its_reason(
    at: str,
    answer: Answer,
    reason: str,
    deployed: RecordingServer,
    start: Callable[[str], ModuleType],
) -> None:
    """The deployment fails and says why: a group that is still open is no success."""
    for operation, usual in ((_LOOK, _group(_ITSELF, _EVERYWHERE)), (_CLOSE_IN, _DONE), (_CLOSE_OUT, _DONE)):
        deployed.script(operation, answer if operation == at else usual)

    start("default_group").handler(_request(deployed), Context())

    told = _answer(deployed)
    assert told["Status"] == "FAILED"
    assert reason in told["Reason"]
    assert traces(str(told), key_id=KEY_ID, secrets=(SECRET, TOKEN)) == []


@pytest.mark.parametrize("properties", [{}, None, {"GroupId": None}, {"GroupId": 7}, {"GroupId": [_GROUP]}], ids=ascii)
def test_a_malformed_request_is_answered_as_well(
    properties: object, deployed: RecordingServer, start: Callable[[str], ModuleType]
) -> None:
    """A mistake in the template is told in the deployment, not by an hour's silence."""
    start("default_group").handler(_request(deployed, ResourceProperties=properties), Context())

    told = _answer(deployed)
    assert told["Status"] == "FAILED"
    assert told["Reason"]
