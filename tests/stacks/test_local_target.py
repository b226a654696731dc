"""The local deployment is the one for AWS without what the local AWS cannot take, and nothing else."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from stacks.local_target import LEFT_OUT_LOCALLY
from tests.stacks.cloud_assembly import STACKS

if TYPE_CHECKING:
    from tests.stacks.cloud_assembly import Assembly

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


@pytest.mark.parametrize("part", STACKS)
def test_only_what_is_listed_is_left_out_locally(dev: Assembly, local: Assembly, part: str) -> None:
    """Whole templates are compared: what the local AWS proves holds for the deployment to AWS."""
    assert dev.region == local.region
    expected = _without_assets(dev.templates[part].content)
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
