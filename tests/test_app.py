"""The composition root, as the CDK's command line runs it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from aws_cdk import App

from app import build_app
from stacks.settings import InvalidSetting
from tests.stacks import checkout

if TYPE_CHECKING:
    from pathlib import Path


UNSTAGED = {"aws:cdk:disable-asset-staging": True}
"""Copies no assets: here it matters only that the app is built."""


def test_build_app_gives_the_three_stacks_into_the_folder_it_is_given(tmp_path: Path) -> None:
    """Ready to synthesise; until then nothing is written."""
    app = build_app(str(tmp_path / "out"), {"environment": "qa", **UNSTAGED})
    assert isinstance(app, App)
    assert app.outdir == str(tmp_path / "out")
    stacks = [child.node.id for child in app.node.children if child.node.id.startswith("Rolebound")]
    assert stacks == ["Rolebound-qa-Network", "Rolebound-qa-Data", "Rolebound-qa-Api"]


@pytest.mark.parametrize(
    "context", [{"az_count": "7"}, {"az_cuont": "3"}, {"region": "eu-central-9"}, {"endpoints": "sqs"}]
)
def test_a_bad_setting_stops_before_anything_is_built(tmp_path: Path, context: dict[str, str]) -> None:
    """The setting's name is in the error."""
    with pytest.raises(InvalidSetting, match=next(iter(context))):
        build_app(str(tmp_path), context)


@pytest.fixture(scope="module")
def unbuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh checkout in which no layer was built."""
    return checkout.copy_to(tmp_path_factory.mktemp("unbuilt"), layers=False)


def test_a_bad_setting_ends_the_command_with_one_sentence(unbuilt: Path) -> None:
    """No traceback: whoever mistyped a setting is told which, and what is allowed."""
    done = checkout.run(unbuilt, "app.py", CDK_CONTEXT_JSON=json.dumps({"az_count": "7"}))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "rolebound: The setting az_count cannot be '7'. Allowed: whole numbers from 1 to 3. Nothing was synthesised; "
        "correct it in cdk.json or with -c az_count=…\n"
    )


def test_a_missing_layer_ends_the_command_with_the_command_that_builds_it(unbuilt: Path) -> None:
    """No traceback here either."""
    done = checkout.run(unbuilt, "app.py")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("rolebound: The functions' third-party code for aws-arm64 is not built")
    assert ".venv/bin/python -m stacks.dependency_layer --for aws --architecture arm64" in line
