"""Every deployment is synthesised once per test session, by one process that is cut off, and read from the disk."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, cast

import pytest
from aws_cdk import Stack

from stacks.access import Access, access_table
from stacks.settings import Settings
from stacks.stores import Stores
from tests.stacks import checkout
from tests.stacks.cloud_assembly import Assembly
from tests.stacks.deployments import ALL, DEV, LOCAL, PROD, SMALL, X86

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def cut_off(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh checkout in which everything was synthesised without a network, a home and any AWS variable."""
    base = tmp_path_factory.getbasetemp()
    # The same for all workers: the first that comes synthesises, the others wait.
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cut-off"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            checkout.copy_to(folder)
            checkout.synthesise(folder, ALL)
            (folder / "done").touch()
    return folder


def _assembly(folder: Path, context: dict[str, str]) -> Assembly:
    return Assembly(checkout.output(folder, context), context)


@pytest.fixture(scope="session")
def dev(cut_off: Path) -> Assembly:
    """The development deployment."""
    return _assembly(cut_off, DEV)


@pytest.fixture(scope="session")
def prod(cut_off: Path) -> Assembly:
    """The production deployment."""
    return _assembly(cut_off, PROD)


@pytest.fixture(scope="session")
def small(cut_off: Path) -> Assembly:
    """The smallest deployment."""
    return _assembly(cut_off, SMALL)


@pytest.fixture(scope="session")
def local(cut_off: Path) -> Assembly:
    """The deployment for the local AWS."""
    return _assembly(cut_off, LOCAL)


@pytest.fixture(scope="session")
def x86(cut_off: Path) -> Assembly:
    """The deployment on x86_64."""
    return _assembly(cut_off, X86)


@pytest.fixture(scope="session", params=["dev", "prod", "small"])
def deployment(request: pytest.FixtureRequest) -> Assembly:
    """Each deployment to AWS in turn: for what holds everywhere."""
    return cast("Assembly", request.getfixturevalue(request.param))


@pytest.fixture(scope="session")
def declared_access(deployment: Assembly) -> list[tuple[Access, str]]:
    """The table of permissions, each entry with its resource as `Template.text` writes it."""
    settings = Settings.from_context(deployment.context)
    resolver = Stack()
    return [
        (entry, deployment.data.text(resolver.resolve(entry.resource))) for entry in access_table(Stores.of(settings))
    ]
