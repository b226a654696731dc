"""The local deployment is the one for AWS without what the local AWS cannot take, and nothing else."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from stacks.local_target import LEFT_OUT_LOCALLY
from tests.stacks.cloud_assembly import STACKS

if TYPE_CHECKING:
    from tests.stacks.cloud_assembly import Assembly

STORE_POLICIES = ("AWS::DynamoDB::GlobalTable", "AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy")
"""Where the stores' policies stand."""

ASSET = {"AWS::Lambda::Function": "Code", "AWS::Lambda::LayerVersion": "Content"}
"""Where a resource refers to a file in the bootstrap bucket: the layer is built for the machine that runs it."""


def _without_assets(template: dict[str, Any]) -> dict[str, Any]:
    content = copy.deepcopy(template)
    for body in content["Resources"].values():
        if body["Type"] in ASSET:
            asset = body["Properties"][ASSET[body["Type"]]]
            assert set(asset) == {"S3Bucket", "S3Key"}
            del asset["S3Key"]
    return content


def _without_endpoints(template: dict[str, Any]) -> dict[str, Any]:
    """Take out of the stores' policies what asks for an endpoint, and the exports of the endpoints' ids with it."""
    content = copy.deepcopy(template)
    for body in content["Resources"].values():
        holders = [
            body["Properties"],
            *(each.get("ResourcePolicy", {}) for each in body["Properties"].get("Replicas", [])),
        ]
        if body["Type"] in STORE_POLICIES:
            for holder in holders:
                if "PolicyDocument" in holder:
                    statements = holder["PolicyDocument"]["Statement"]
                    holder["PolicyDocument"]["Statement"] = [
                        each for each in statements if "aws:SourceVpce" not in str(each)
                    ]
    for name, output in list(content.get("Outputs", {}).items()):
        referred = content["Resources"].get(output["Value"].get("Ref"), {})
        if referred.get("Type") == "AWS::EC2::VPCEndpoint":
            del content["Outputs"][name]
    return content


@pytest.mark.parametrize("part", STACKS)
def test_only_what_is_listed_is_left_out_locally(dev: Assembly, local: Assembly, part: str) -> None:
    """Whole templates are compared: what the local AWS proves holds for the deployment to AWS."""
    assert dev.region == local.region
    expected = _without_assets(_without_endpoints(dev.templates[part].content))
    for name, body in list(expected["Resources"].items()):
        if body["Type"] in LEFT_OUT_LOCALLY:
            del expected["Resources"][name]
    assert _without_assets(local.templates[part].content) == expected


def test_functions_run_the_same_code_locally(dev: Assembly, local: Assembly) -> None:
    """The key is a hash of the content; only the layer's differs."""
    for (_, there), (_, here) in zip(
        dev.of_type("AWS::Lambda::Function"), local.of_type("AWS::Lambda::Function"), strict=True
    ):
        assert there.properties["Code"] == here.properties["Code"]


@pytest.mark.parametrize("type_", sorted(LEFT_OUT_LOCALLY))
def test_everything_that_is_left_out_locally_is_there_in_aws(dev: Assembly, local: Assembly, type_: str) -> None:
    """The list excuses nothing that we do not deploy."""
    assert list(dev.of_type(type_))
    assert not list(local.of_type(type_))


def test_what_the_stores_ask_for_is_there_in_aws_and_not_locally(dev: Assembly, local: Assembly) -> None:
    """No call on the local AWS comes through an endpoint; a store that asked for one would refuse them all."""
    asking = [
        {resource.path for _, resource in assembly.of_type(*STORE_POLICIES) if "aws:SourceVpce" in str(resource.body)}
        for assembly in (dev, local)
    ]
    assert asking[0] == {"Data/Events", "Data/ApiKeys", "Data/EventQueue/Policy", "Data/Payloads/Policy"}
    assert asking[1] == set()
