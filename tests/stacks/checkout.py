"""A copy of the application in a folder of its own, run by a process of its own, which is cut off from the network.

`cut_off/sitecustomize.py` refuses Python's sockets and `cut_off/no_network.cjs` those of the Node process in which the
CDK runs; both raise where code tries to connect. The process has no home and no AWS variable either.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stacks.dependency_layer import ROOT, layer_folder
from stacks.settings import Architecture, Target
from tests.stacks.deployments import ALL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GUARD: Final = Path(__file__).parent / "cut_off"
_PARTS: Final = ("app.py", "cdk.json", "stacks", "lambda_src", "credential_rules")
_PASSED_ON: Final = ("LANG", "LC_ALL", "TMPDIR")


def copy_to(folder: Path, *, layers: bool = True) -> Path:
    """Copy what synthesis needs, as a fresh clone has it.

    Args:
        folder: Where to.
        layers: Whether the functions' third-party code is built. The one for x86_64 is a stand-in: only its place in
            the template matters.
    """
    for part in _PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    if layers:
        target = folder / ".build" / "layer"
        (target / "aws-x86_64" / "python").mkdir(parents=True)
        (target / "aws-x86_64" / "python" / "stand_in.py").touch()
        for where in Target:
            built = layer_folder(where, Architecture.ARM64)
            (target / built.name).symlink_to(built)
            mark = Path(f"{built}.built-from.sha256")
            shutil.copy(mark, target / mark.name)
            shutil.copy(mark, target / "aws-x86_64.built-from.sha256")
    return folder


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a checkout, without home, AWS variables and network.

    Args:
        folder: The checkout.
        arguments: For Python.
        variables: More for the environment.
    """
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            # The virtual environment's own Node, whatever the machine has.
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "HOME": str(home),
            "PYTHONPATH": str(GUARD),
            "NODE_OPTIONS": f"--require {GUARD / 'no_network.cjs'}",
            "ROLEBOUND_GUARDED": str(folder / "guarded.log"),
            # The unpacked construct library: 180 MB that would otherwise be unpacked into the new home.
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(ROOT / ".build" / "jsii-cache"),
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def output(folder: Path, context: Mapping[str, str]) -> Path:
    """Where a checkout's assembly for a context is."""
    return folder / f"out-{ALL.index(dict(context))}"


def synthesise(folder: Path, contexts: Sequence[Mapping[str, str]]) -> None:
    """Synthesise in a checkout, and there try a stack that is to be refused; what was said is in its `said.txt`.

    Assets are copied for the first context only: for each one that takes as long as all the rest.

    Raises:
        RuntimeError: Synthesis failed; its words are in the text.
    """
    unstaged = {"aws:cdk:disable-asset-staging": True}
    task = [
        (str(output(folder, context)), {**context, **(unstaged if position else {})})
        for position, context in enumerate(contexts)
    ]
    done = run(folder, str(GUARD / "synthesise.py"), json.dumps(task))
    if done.returncode:
        raise RuntimeError(f"Synthesis in a fresh checkout failed:\n{done.stdout}\n{done.stderr}")
    (folder / "said.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
