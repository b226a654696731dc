"""Third-party code for the functions, from wheels for the processor that runs them. No Docker, no compiler.

``python -m stacks.dependency_layer --for aws`` (or ``local``) fills a folder under ``.build/layer``; synthesis only
looks there, so that it needs no network.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from stacks.settings import Architecture, Service, Settings, Target

ROOT: Final = Path(__file__).resolve().parent.parent
"""The folder of the checkout."""

_PYTHON: Final = "3.14"
_WHEEL_PLATFORMS: Final = {
    Architecture.ARM64: ("manylinux2014_aarch64", "manylinux_2_28_aarch64"),
    Architecture.X86_64: ("manylinux2014_x86_64", "manylinux_2_28_x86_64"),
}


class LayerMissing(Exception):
    """The layer was not built, or not from the requirements of today in the way of today."""


def layer_folder(target: Target, architecture: Architecture, *, root: Path = ROOT) -> Path:
    """Give the built layer's folder, the one with ``python/`` in it.

    Args:
        target: The local AWS runs functions with this machine's Python, AWS with Lambda's.
        architecture: The processor in AWS.
        root: The folder of the checkout.

    Raises:
        LayerMissing: It has to be built first.
    """
    folder = _folder(root, target, architecture)
    mark = _mark(folder)
    if not folder.is_dir() or not mark.exists() or mark.read_text(encoding="ascii") != _recipe(root):
        raise LayerMissing(
            f"The functions' third-party code for {_name(target, architecture)} is not built, or from older "
            "requirements, so the functions would lack what they import. Build it with "
            f"`.venv/bin/python -m stacks.dependency_layer --for {target} --architecture {architecture}`."
        )
    return folder


def build_layer(target: Target, architecture: Architecture, *, root: Path = ROOT) -> Path:
    """Install the requirements, by hash, into an empty folder.

    Args:
        target: As for ``layer_folder``.
        architecture: As for ``layer_folder``.
        root: As for ``layer_folder``.

    Returns:
        The folder.

    Raises:
        subprocess.CalledProcessError: pip failed; it has said why.
    """
    folder = _folder(root, target, architecture)
    # First of all: what a failed build leaves behind must not pass for a layer.
    _mark(folder).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--require-hashes", "--no-deps", "--only-binary=:all:", "--no-compile", "--no-warn-script-location"),
        *("--target", str(folder / "python"), "--requirement", str(_requirements(root))),
    ]
    if target is Target.AWS:
        command += ["--implementation", "cp", "--python-version", _PYTHON]
        for platform in _WHEEL_PLATFORMS[architecture]:
            command += ["--platform", platform]
    subprocess.run(command, check=True)  # noqa: S603 - our own words only
    # Console scripts carry this machine's paths, and the asset's hash must not depend on them.
    shutil.rmtree(folder / "python" / "bin", ignore_errors=True)
    _keep_services_within_reach(folder / "python" / "botocore" / "data")
    _mark(folder).write_text(_recipe(root), encoding="ascii")
    return folder


def _keep_services_within_reach(models: Path) -> None:
    """Remove the SDK's models of all other services: 17 of 26 MB, and 435 folders that every cold start would look into."""
    for model in models.glob("*/"):
        if model.name not in frozenset(Service):
            shutil.rmtree(model)


def _name(target: Target, architecture: Architecture) -> str:
    return f"aws-{architecture}" if target is Target.AWS else f"local-{sys.version_info.major}.{sys.version_info.minor}"


def _folder(root: Path, target: Target, architecture: Architecture) -> Path:
    return root / ".build" / "layer" / _name(target, architecture)


def _mark(folder: Path) -> Path:
    return folder.parent / f"{folder.name}.built-from.sha256"


def _requirements(root: Path) -> Path:
    return root / "lambda_src" / "requirements.txt"


def _recipe(root: Path) -> str:
    """What a layer is made from and by: it has to be built again when either changes."""
    return hashlib.sha256(_requirements(root).read_bytes() + Path(__file__).read_bytes()).hexdigest()


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m stacks.dependency_layer", description=__doc__)
    parser.add_argument("--for", dest="target", type=Target, choices=list(Target), default=Target.AWS)
    parser.add_argument(
        "--architecture", type=Architecture, choices=list(Architecture), default=Settings().architecture
    )
    options = parser.parse_args()
    try:
        build_layer(options.target, options.architecture)
    except subprocess.CalledProcessError as error:
        sys.stderr.write(
            f"The functions' third-party code could not be installed (pip ended with {error.returncode}; its words are "
            "above). Without it nothing can be deployed. Check the connection to the package index, then run the same "
            "command again.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
