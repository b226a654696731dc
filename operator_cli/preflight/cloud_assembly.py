"""What a cloud assembly (`cdk.out`) is going to deploy, and where: read from its manifest, without the CDK."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PRODUCTION: Final = frozenset({"prod", "production"})
"""What an environment is called whose data somebody relies on."""

DEFAULT_PARAMETER: Final = "/cdk-bootstrap/hnb659fds/version"
"""Where the CDK's bootstrap writes its version, unless a project has a qualifier of its own."""

_ENVIRONMENT: Final = re.compile(r"^aws://([^/]+)/([^/]+)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One stack of an assembly.

    Attributes:
        name: As deployed.
        account: Where it belongs; `None` if the session decides.
        region: As `account`.
        bootstrap_version: The least version of the CDK's bootstrap that it needs; `None` if it needs none.
        bootstrap_parameter: The parameter that holds that version.
        production: Whether its tag `environment`, or a word of its name, says so.
        called: Every name by which it can be selected.
        needs: Names of what has to be deployed before it.
    """

    name: str
    account: str | None
    region: str | None
    bootstrap_version: int | None
    bootstrap_parameter: str
    production: bool
    called: frozenset[str] = frozenset()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assembly:
    """A cloud assembly.

    Attributes:
        path: Its folder.
        stacks: Its stacks, those of stages included.
    """

    path: Path
    stacks: tuple[Stack, ...]

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts that its stacks name."""
        return tuple(sorted({stack.account for stack in self.stacks if stack.account}))

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions that its stacks name."""
        return tuple(sorted({stack.region for stack in self.stacks if stack.region}))

    @property
    def production(self) -> tuple[str, ...]:
        """The names of its production stacks."""
        return tuple(stack.name for stack in self.stacks if stack.production)


class Bootstrap(NamedTuple):
    """A bootstrap of the CDK that stacks need.

    Attributes:
        account: Whose it is.
        region: Where it is.
        parameter: The parameter that holds its version.
    """

    account: str
    region: str
    parameter: str

    @property
    def environment(self) -> str:
        """Its place as the CDK writes it."""
        return f"aws://{self.account}/{self.region}"


def bootstrap_needs(assembly: Assembly, *, account: str, region: str | None) -> dict[Bootstrap, int]:
    """Give the least version that is needed of each bootstrap.

    Args:
        assembly: The stacks.
        account: Whose those stacks are that name no account.
        region: Where stacks go that name no region; if it is not known, their bootstrap is not either.
    """
    needs: dict[Bootstrap, int] = {}
    for stack in assembly.stacks:
        place = stack.region or region
        if stack.bootstrap_version is not None and place is not None:
            bootstrap = Bootstrap(stack.account or account, place, stack.bootstrap_parameter)
            needs[bootstrap] = max(needs.get(bootstrap, 0), stack.bootstrap_version)
    return needs


def selected(assembly: Assembly, words: Sequence[str]) -> Assembly:
    """Give the part of an assembly that a command line is about.

    Args:
        assembly: All of it.
        words: The command line; a word that is the name of a stack, or a pattern of names, selects it. Without one all
            are meant. What a stack depends on comes with it, unless `--exclusively` (`-e`) is among the words.
    """
    chosen = {
        stack.name
        for stack in assembly.stacks
        for word in words
        if any(fnmatchcase(name, word) for name in stack.called)
    }
    if not chosen or "--all" in words:
        return assembly
    alone = bool({"--exclusively", "-e"} & set(words))
    while not alone:
        more = {
            other.name
            for stack in assembly.stacks
            if stack.name in chosen
            for other in assembly.stacks
            if other.called & set(stack.needs)
        }
        if more <= chosen:
            break
        chosen |= more
    return replace(assembly, stacks=tuple(stack for stack in assembly.stacks if stack.name in chosen))


USUAL_ASSEMBLY: Final = Path("cdk.out")
"""Where the CDK puts it; that nothing is there is no mistake of the operator's."""


def read_assembly(path: Path) -> Assembly | None:
    """Read an assembly; `None` if there is none in the usual place.

    Raises:
        OperatorError: There is one, and it cannot be understood; or none where somebody said that there is.
    """
    try:
        is_there = (path / "manifest.json").is_file()
    except OSError:
        is_there = True  # as far as anybody can see; why it cannot be read is told below
    if not is_there:
        if path.name == USUAL_ASSEMBLY.name:
            return None
        raise OperatorError(
            f"{path} is no cloud assembly: it holds no manifest.json.",
            why="Account and region of the stacks are in it, and nothing could be held against them.",
            next_step="Name the folder that `cdk synth` writes (cdk.out), or leave --assembly out.",
            status=ExitStatus.WRONG_USAGE,
        )
    try:
        stacks: list[Stack] = []
        for folder, manifest in _manifests(path):
            stacks += [
                _stack(folder, artifact_id, artifact)
                for artifact_id, artifact in manifest["artifacts"].items()
                if artifact["type"] == "aws:cloudformation:stack"
            ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise OperatorError(
            f"{path}/manifest.json is no cloud assembly that can be understood ({type(error).__name__}).",
            why="It says which account and region the stacks go to.",
            next_step="Make it anew: make synth (or cdk synth).",
            status=ExitStatus.WRONG_USAGE,
        ) from error
    return Assembly(path, tuple(stacks))


def _manifests(path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Give the manifest of an assembly and those of the stages in it."""
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    yield path, manifest
    for artifact in manifest["artifacts"].values():
        if artifact["type"] == "cdk:cloud-assembly":
            yield from _manifests(path / artifact["properties"]["directoryName"])


def _stack(folder: Path, artifact_id: str, artifact: dict[str, Any]) -> Stack:
    properties = artifact.get("properties", {})
    name = str(properties.get("stackName") or artifact_id)
    where = _ENVIRONMENT.match(artifact["environment"])
    if where is None:
        raise ValueError("environment")
    account, region = where.groups()
    needs = properties.get("requiresBootstrapStackVersion")
    tagged = _environments(folder / properties["templateFile"])
    return Stack(
        name=name,
        account=None if account == "unknown-account" else account,
        region=None if region == "unknown-region" else region,
        bootstrap_version=None if needs is None else int(needs),
        bootstrap_parameter=str(properties.get("bootstrapStackVersionSsmParameter") or DEFAULT_PARAMETER),
        called=frozenset({artifact_id, name, str(artifact.get("displayName") or name)}),
        needs=tuple(artifact.get("dependencies", ())),
        production=bool(PRODUCTION & ({word.lower() for word in re.split(r"[^A-Za-z0-9]+", name)} | tagged)),
    )


def _environments(template: Path) -> set[str]:
    """Give the values of the tag `environment` in a template; both of CloudFormation's forms of tags count."""
    found = set()
    for resource in json.loads(template.read_text(encoding="utf-8")).get("Resources", {}).values():
        tags = resource.get("Properties", {}).get("Tags", ())
        pairs = tags.items() if isinstance(tags, dict) else ((tag.get("Key"), tag.get("Value")) for tag in tags)
        found |= {value.lower() for key, value in pairs if key == "environment" and isinstance(value, str)}
    return found
