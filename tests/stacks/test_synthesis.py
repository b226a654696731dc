"""Synthesis needs nothing but the checkout, and gives the same every time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from app import build_app
from tests.stacks import checkout
from tests.stacks.cloud_assembly import STACKS
from tests.stacks.deployments import ALL

if TYPE_CHECKING:
    import pytest

    from tests.stacks.cloud_assembly import Assembly

CONNECT = "import socket; socket.socket().connect(('127.0.0.1', 9))"
CONNECT_IN_NODE = """
import os, subprocess, sys
done = subprocess.run(["node", "-e", "require('node:net').connect(9, '127.0.0.1')"], capture_output=True, text=True)
sys.stderr.write(done.stderr)
sys.exit(done.returncode)
"""


def test_every_deployment_synthesises_without_a_network_and_without_credentials(cut_off: Path) -> None:
    """On a plane, with no home folder and no AWS variable, all stacks pass all rules."""
    for context in ALL:
        manifest = checkout.output(cut_off, context) / "manifest.json"
        assert manifest.is_file()


def test_both_processes_of_a_synthesis_were_guarded(cut_off: Path) -> None:
    """Python and the Node process in which the CDK runs each wrote that they had loaded their guard."""
    guarded = (cut_off / "guarded.log").read_text(encoding="utf-8").splitlines()
    assert [line for line in guarded if line.startswith("python ")]
    assert [line for line in guarded if line.startswith("node ") and "jsii" in line]


def test_the_guard_refuses_a_connection_of_python(cut_off: Path) -> None:
    """Else the test above would prove nothing."""
    refused = checkout.run(cut_off, "-c", CONNECT)
    assert refused.returncode != 0
    assert "cut off from the network: socket.connect ('127.0.0.1', 9)" in refused.stderr


def test_the_guard_refuses_a_connection_of_node(cut_off: Path) -> None:
    """As above, for the process in which the CDK runs."""
    refused = checkout.run(cut_off, "-c", CONNECT_IN_NODE)
    assert refused.returncode != 0
    assert "cut off from the network: net.Socket.connect" in refused.stderr


def test_synthesis_has_no_aws_variable_and_no_home(cut_off: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever session the caller's shell holds."""
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAMADEUP0000000000")
    seen = json.loads(checkout.run(cut_off, "-c", "import json, os; print(json.dumps(dict(os.environ)))").stdout)
    assert not {name for name in seen if name.startswith("AWS_")}
    assert Path(seen["HOME"]).is_relative_to(cut_off)


def test_synthesis_imports_no_sdk(cut_off: Path) -> None:
    """What is not imported makes no call."""
    imported = {name.partition(".")[0] for name in json.loads((cut_off / "modules.json").read_text(encoding="utf-8"))}
    assert "aws_cdk" in imported
    assert not imported & {"boto3", "botocore", "urllib3", "requests"}


def test_two_syntheses_give_the_same_templates(dev: Assembly, tmp_path: Path) -> None:
    """In another process, folder and hash seed: what is reviewed is what is deployed."""
    build_app(str(tmp_path), {"aws:cdk:disable-asset-staging": True}).synth()
    for part in STACKS:
        name = f"{dev.stack(part)}.template.json"
        assert (tmp_path / name).read_text(encoding="utf-8") == (dev.folder / name).read_text(encoding="utf-8")


def test_nothing_is_written_but_the_assembly(cut_off: Path) -> None:
    """A checkout is as clean after a synthesis as before it: no look-ups are kept beside `cdk.json`."""
    assert not (cut_off / "cdk.context.json").exists()
    assert not (cut_off / "cdk.out").exists()
