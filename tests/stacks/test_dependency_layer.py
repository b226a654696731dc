"""The functions' third-party code is there, complete and of today, or synthesis says how to build it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from stacks.dependency_layer import LayerMissing, build_layer, layer_folder
from stacks.settings import Architecture, Target


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which the layer for arm64 was built, from requirements that need no network."""
    root = tmp_path_factory.mktemp("built")
    (root / "lambda_src").mkdir()
    (root / "lambda_src" / "requirements.txt").write_text("", encoding="utf-8")
    build_layer(Target.AWS, Architecture.ARM64, root=root)
    return root


@pytest.fixture
def checkout(built: Path, tmp_path: Path) -> Path:
    """A copy of that checkout, to be spoilt."""
    return Path(shutil.copytree(built, tmp_path / "checkout"))


def test_a_built_layer_is_found(checkout: Path) -> None:
    """Where the build has put it."""
    assert layer_folder(Target.AWS, Architecture.ARM64, root=checkout).is_dir()


def test_a_layer_that_was_never_built_is_an_error_that_names_the_command(checkout: Path) -> None:
    """Without it the functions would be deployed without what they import."""
    with pytest.raises(LayerMissing) as refusal:
        layer_folder(Target.AWS, Architecture.X86_64, root=checkout)
    assert "aws-x86_64 is not built" in str(refusal.value)
    # Not `make layer`: that builds for the default processor only.
    assert "`.venv/bin/python -m stacks.dependency_layer --for aws --architecture x86_64`" in str(refusal.value)


def test_a_layer_from_older_requirements_is_an_error(checkout: Path) -> None:
    """A layer of yesterday would deploy other versions than those that were tested."""
    (checkout / "lambda_src" / "requirements.txt").write_text("# changed\n", encoding="utf-8")
    with pytest.raises(LayerMissing, match="older requirements"):
        layer_folder(Target.AWS, Architecture.ARM64, root=checkout)


def test_a_layer_that_was_built_in_another_way_is_an_error(checkout: Path) -> None:
    """For another Python, say, or before something was left out of it: `dependency_layer.py` is part of its recipe."""
    (mark,) = (checkout / ".build" / "layer").glob("aws-arm64.*")
    requirements_alone = hashlib.sha256((checkout / "lambda_src" / "requirements.txt").read_bytes()).hexdigest()
    mark.write_text(requirements_alone, encoding="ascii")
    with pytest.raises(LayerMissing, match="not built"):
        layer_folder(Target.AWS, Architecture.ARM64, root=checkout)


def test_a_layer_whose_folder_was_deleted_is_an_error(checkout: Path) -> None:
    """The mark alone is no layer."""
    folder = layer_folder(Target.AWS, Architecture.ARM64, root=checkout)
    folder.rename(checkout / "elsewhere")
    with pytest.raises(LayerMissing, match="not built"):
        layer_folder(Target.AWS, Architecture.ARM64, root=checkout)


def test_a_build_that_failed_leaves_no_layer_behind(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a layer must not pass for a whole one at the next synthesis, although the requirements are the same."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_REQUIREMENT", "of-no-such-file.txt")
    with pytest.raises(subprocess.CalledProcessError):
        build_layer(Target.AWS, Architecture.ARM64, root=checkout)
    with pytest.raises(LayerMissing):
        layer_folder(Target.AWS, Architecture.ARM64, root=checkout)


def test_the_layer_holds_wheels_for_the_functions_processor_and_runtime() -> None:
    """Compiled modules for another processor or Python would fail at the first import, in AWS only."""
    folder = layer_folder(Target.AWS, Architecture.ARM64)
    compiled = [path.name for path in (folder / "python").rglob("*.so")]
    assert compiled
    for name in compiled:
        assert ".cpython-314-aarch64-linux-gnu" in name
