"""The contenders as they would be deployed: a handler's folder and a folder of third-party code, nothing shared."""

from __future__ import annotations

import compileall
import hashlib
import importlib.metadata
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.cold_start import BASELINE, OURS, Bytecode, Contender
from local_aws import step
from stacks.dependency_layer import layer_folder
from stacks.settings import Settings, Target

ROOT: Final = Path(__file__).resolve().parent.parent
_BUILD: Final = ROOT / ".build" / "bench" / "cold_start"


class NotInstalled(Exception):
    """A contender's third-party code could not be installed. What pip said, and what to do, is on the screen."""


@dataclass(frozen=True, slots=True)
class Package:
    """One contender, before it is put in place.

    Attributes:
        slug: Its name in results and file names.
        title: What it is made of.
        code: The handler's file, or the package's folder.
        module: The module with ``handler``.
        requirements: Its third-party code; ``None`` for what ``stacks.dependency_layer`` builds.
    """

    slug: str
    title: str
    code: Path
    module: str
    requirements: Path | None


def _handler(slug: str, title: str) -> Package:
    module = slug.replace("-", "_")
    return Package(
        slug=slug,
        title=title,
        code=ROOT / "bench" / "handlers" / f"{module}.py",
        module=module,
        requirements=ROOT / "bench" / f"requirements-{slug}.txt",
    )


PACKAGES: Final = (
    _handler(BASELINE, "Powertools resolver, pydantic, boto3"),
    _handler("fastapi-mangum", "FastAPI, Mangum, pydantic-settings, boto3"),
    _handler("plain-boto3", "Powertools logger, boto3, no framework"),
    Package(
        slug=OURS,
        title="Rolebound's event_api.api",
        code=ROOT / "lambda_src" / "event_api",
        module="event_api.api",
        requirements=None,
    ),
)
"""In the order in which each round starts them."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A contender in place.

    Attributes:
        module: The module with ``handler``.
        paths: What Lambda would have on ``sys.path``: the handler's folder, then the layer's.
        facts: What a result says of it.
    """

    module: str
    paths: dict[Bytecode, tuple[Path, Path]]
    facts: Contender


def install(package: Package) -> Installed:
    """Put a contender in place, without bytecode and with it. What is installed already is kept.

    Raises:
        NotInstalled: pip failed.
        LayerMissing: Our own third-party code is not built.
    """
    source = _layer(package)
    paths = {}
    for bytecode in Bytecode:
        folder = _BUILD / package.slug / bytecode
        layer = folder / "layer"
        mark = folder / "layer.sha256"
        fingerprint = _fingerprint(source)
        if not mark.exists() or mark.read_text(encoding="ascii") != fingerprint:
            mark.unlink(missing_ok=True)
            _copy(source, layer, bytecode)
            mark.write_text(fingerprint, encoding="ascii")
        task = folder / "task"
        _copy(package.code, task / package.code.name, bytecode)
        paths[bytecode] = (task, layer)
    found = importlib.metadata.distributions(path=[str(paths[Bytecode.ABSENT][1])])
    versions = {distribution.name: distribution.version for distribution in found}
    return Installed(
        module=package.module,
        paths=paths,
        facts=Contender(
            title=package.title,
            versions=dict(sorted(versions.items(), key=lambda item: item[0].lower())),
            unzipped_bytes=sum(map(_size, paths[Bytecode.ABSENT])),
        ),
    )


def _layer(package: Package) -> Path:
    if package.requirements is None:
        return layer_folder(Target.LOCAL, Settings().architecture) / "python"
    folder = _BUILD / package.slug / "installed"
    mark = _BUILD / package.slug / "installed.sha256"
    recipe = hashlib.sha256(platform.python_version().encode() + package.requirements.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text(encoding="ascii") != recipe:
        mark.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        command = [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--only-binary=:all:", "--no-compile", "--no-warn-script-location"),
            *("--target", str(folder), "--requirement", str(package.requirements)),
        ]
        if step.run(f"Packages of the contender {package.slug}", command):
            raise NotInstalled(package.slug)
        shutil.rmtree(folder / "bin", ignore_errors=True)
        mark.write_text(recipe, encoding="ascii")
    return folder


def _copy(source: Path, target: Path, bytecode: Bytecode) -> None:
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        if bytecode is Bytecode.PRESENT:
            compileall.compile_dir(target, quiet=2)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
        if bytecode is Bytecode.PRESENT:
            compileall.compile_file(target, quiet=2)


def _fingerprint(folder: Path) -> str:
    files = sorted(
        f"{path.relative_to(folder)} {path.stat().st_size}" for path in folder.rglob("*") if path.suffix != ".pyc"
    )
    return hashlib.sha256("\n".join([platform.python_version(), *files]).encode()).hexdigest()


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
