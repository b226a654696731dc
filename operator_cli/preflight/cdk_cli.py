"""Finds the CDK command line of a project, and reads what of its arguments decides where a deployment goes."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PLACE: Final = re.compile(r"aws://([0-9]{12}|\*)/([a-z0-9-]+|\*)")


def cdk_command(project: Path, environ: Mapping[str, str]) -> list[str]:
    """Give the words that start the CDK command line: the project's own, pinned one before any other.

    Args:
        project: The folder that holds `cdk.json`.
        environ: The environment, for `PATH`.

    Raises:
        OperatorError: There is none.
    """
    without_node: Path | None = None
    for folder in (project, *project.parents):
        program = folder / "node_modules" / "aws-cdk" / "bin" / "cdk"
        if os.access(program, os.R_OK):
            own = folder / ".venv" / "node" / "node"
            node = str(own) if own.exists() else shutil.which("node", path=environ.get("PATH"))
            if node is not None:
                return [node, str(program)]
            without_node = without_node or program
    found = shutil.which("cdk", path=environ.get("PATH"))
    if found is None and without_node is not None:
        raise OperatorError(
            f"There is no node on PATH, which runs the CDK command line {without_node}.",
            why="It is what deploys.",
            next_step="Install Node.js, or put the folder of node on PATH. In this project: make synth, which brings its own.",
            status=ExitStatus.WRONG_USAGE,
        )
    if found is None:
        raise OperatorError(
            f"There is no CDK command line: neither in node_modules at or above {project} nor on PATH.",
            why="It is what deploys.",
            next_step="In this project: make synth, which installs it. Elsewhere: npm install aws-cdk@2.1148.1",
            status=ExitStatus.WRONG_USAGE,
        )
    return [found]


def with_node(cdk: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Give the CDK command line's environment: what it is run by is on `PATH` too, where the app it starts looks for it."""
    if len(cdk) == 1:
        return dict(environ)
    return {**environ, "PATH": os.pathsep.join([str(Path(cdk[0]).parent), environ.get("PATH") or os.defpath])}


def profile_arguments(name: str | None) -> list[str]:
    """Give the CDK's arguments that name a profile; none if none is named."""
    return ["--profile", name] if name else []


_OF_SYNTHESIS: Final = {
    **dict.fromkeys(("-c", "--context", "-p", "--plugin", "--proxy", "--ca-bundle-path"), 1),
    **dict.fromkeys(("-v", "--verbose", "--debug", "--strict", "--ignore-errors", "--lookups", "--no-lookups"), 0),
}
"""The CDK's options that change what is synthesised, or how; each with the number of words that follow it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CdkArguments:
    """The arguments of one call of the CDK command line.

    Attributes:
        app: What `--app` says; `None` if it is not given.
        output: What `--output` says; `None` if it is not given.
        places: Account and region of each `aws://…/…`.
        synthesis: The arguments that synthesis takes too.
        rest: All arguments but `--app` and `--output`.
    """

    app: str | None
    output: str | None
    places: tuple[tuple[str, str], ...]
    synthesis: tuple[str, ...]
    rest: tuple[str, ...]


def read_arguments(arguments: Sequence[str]) -> CdkArguments:
    """Read what decides where a deployment goes; everything else is the CDK's own business."""
    taken: dict[str, str] = {}
    rest: list[str] = []
    synthesis: list[str] = []
    names = {"-a": "app", "--app": "app", "-o": "output", "--output": "output"}
    words = iter(arguments)
    for word in words:
        name, joined, value = word.partition("=")
        if name in names:
            taken[names[name]] = value if joined else next(words, "")
            continue
        own = [word, *islice(words, 0 if joined else _OF_SYNTHESIS.get(name, 0))]
        rest += own
        synthesis += own if name in _OF_SYNTHESIS else ()
    found = (_PLACE.fullmatch(word) for word in rest)
    return CdkArguments(
        app=taken.get("app"),
        output=taken.get("output"),
        places=tuple((match[1], match[2]) for match in found if match),
        synthesis=tuple(synthesis),
        rest=tuple(rest),
    )
