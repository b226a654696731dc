"""Finds out why a deployment of `cdk watch` is silent: asks AWS with the child's own session, and reads its assembly."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

from operator_cli.answers import Failure, FailureKind
from operator_cli.errors import OperatorError
from operator_cli.preflight.cloud_assembly import read_assembly
from operator_cli.watching.cdk_output import Phase
from operator_cli.watching.silence import Facts, StackStatus

if TYPE_CHECKING:
    from pathlib import Path

    from operator_cli.preflight.cloud_assembly import Assembly, Stack
    from operator_cli.watching.cdk_output import Progress
    from operator_cli.watching.held_session import Fetched
    from operator_cli.watching.supervision import Problem

_NAME_IN_PARENTHESES: Final = re.compile(r"\((?P<name>[^()]+)\)$")


class Asked(Protocol):
    """A session with AWS, as far as it is needed here."""

    def stack_status(self, name: str, *, region: str | None = None) -> tuple[str, str] | Failure:
        """Give a stack's status and its reason."""

    def parameter(self, name: str, *, region: str | None = None) -> str | Failure:
        """Read a parameter."""


class Holding(Protocol):
    """What holds the child's session."""

    @property
    def fetched(self) -> Fetched | None:
        """The credentials in hand."""

    def probe(self) -> Problem | None:
        """Ask AWS whether it accepts them."""


class Connecting(Protocol):
    """What opens a session on credentials."""

    def connect(self, fetched: Fetched, region: str | None = None) -> Asked | Failure:
        """Give a session with AWS on these keys alone."""


class SilenceCheck:
    """Gathers the facts of one silence. It waits for AWS for a few seconds at most.

    Args:
        held: The session that the child uses.
        watched: Asks AWS with it.
        assembly: Where the child puts the cloud assembly.
    """

    def __init__(self, *, held: Holding, watched: Connecting, assembly: Path) -> None:
        self._held = held
        self._watched = watched
        self._assembly = assembly

    def __call__(self, progress: Progress, alive: int) -> Facts:
        """Give what is to be known of a deployment that is silent.

        Args:
            progress: What the child has said.
            alive: How many processes the CLI has started that live.
        """
        problem = self._held.probe()
        fetched = self._held.fetched
        if problem is not None or fetched is None:
            words = (problem.what, problem.next_step) if problem else ("there are no credentials.", "Sign in.")
            return Facts(session_problem=words, children=alive)
        if alive or progress.phase is Phase.SYNTHESIS:
            return Facts(children=alive, account=fetched.account)
        assembly = _read(self._assembly)
        stack = deployed_stack(assembly, progress.stack) if assembly else None
        return Facts(
            account=fetched.account,
            accounts=frozenset(assembly.accounts) if assembly else frozenset(),
            stack=self._status(fetched, stack) if stack else None,
            bootstrap=self._bootstrap(fetched, assembly) if assembly else None,
        )

    def _status(self, fetched: Fetched, stack: Stack) -> StackStatus | None:
        session = self._watched.connect(fetched, stack.region)
        answer = session if isinstance(session, Failure) else session.stack_status(stack.name)
        if isinstance(answer, Failure):
            return None
        status, reason = answer
        return StackStatus(name=stack.name, status=status, reason=reason)

    def _bootstrap(self, fetched: Fetched, assembly: Assembly) -> tuple[str, str] | None:
        needs = {
            (stack.bootstrap_parameter, stack.region): stack.bootstrap_version
            for stack in assembly.stacks
            if stack.bootstrap_version is not None and stack.account in {None, fetched.account}
        }
        for (parameter, region), version in needs.items():
            session = self._watched.connect(fetched, region)
            answer = session if isinstance(session, Failure) else session.parameter(parameter)
            where = f"aws://{fetched.account}/{region or 'REGION'}"
            if isinstance(answer, Failure):
                if answer.kind is FailureKind.NOT_FOUND:
                    return (
                        f"the CDK's own bucket and roles are missing in {where} (no parameter {parameter}).",
                        f"`cdk bootstrap {where}`, once.",
                    )
            elif answer.isdigit() and int(answer) < (version or 0):
                return (
                    f"the CDK's own bucket and roles in {where} are version {answer}, and the app needs {version}.",
                    f"`cdk bootstrap {where}` renews them.",
                )
        return None


def deployed_stack(assembly: Assembly, shown: str | None) -> Stack | None:
    """Give the stack that the CDK shows under a name: its own, a path in a stage, or a path with its name in parentheses."""
    if shown is None:
        return None
    inner = _NAME_IN_PARENTHESES.search(shown)
    names = {shown, shown.replace("/", "-"), inner["name"] if inner else shown}
    return next((stack for stack in assembly.stacks if stack.name in names), None)


def _read(folder: Path) -> Assembly | None:
    try:
        return read_assembly(folder)
    except OperatorError:
        # It is being written.
        return None
