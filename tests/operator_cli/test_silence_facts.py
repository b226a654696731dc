"""What is asked when a deployment is silent: AWS with the child's own session, and the child's assembly."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest

from operator_cli.answers import Failure, FailureKind
from operator_cli.aws import Keys
from operator_cli.preflight.cloud_assembly import Assembly, read_assembly
from operator_cli.watching.cdk_output import Phase, Progress
from operator_cli.watching.held_session import Fetched
from operator_cli.watching.silence import Facts, StackStatus
from operator_cli.watching.silence_facts import SilenceCheck, deployed_stack
from operator_cli.watching.supervision import Problem, Session

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT: Final = "123456789012"
PARAMETER: Final = "/cdk-bootstrap/hnb659fds/version"
MISSING: Final = Failure(kind=FailureKind.NOT_FOUND, code="ParameterNotFound", what="It is not there.")
DENIED: Final = Failure(kind=FailureKind.DENIED, code="AccessDenied", what="AWS denied it.")
FETCHED: Final = Fetched(
    keys=Keys(access_key_id="ASIA", secret_access_key="made-up", session_token="made-up"),
    session=Session(principal="arn", source="profile dev", refreshes=True, renewal="Sign in."),
    account=ACCOUNT,
)


@dataclass
class World:
    """A session in hand and an AWS, to hand in."""

    problem: Problem | None = None
    fetched: Fetched | None = FETCHED
    status: tuple[str, str] | Failure = ("UPDATE_COMPLETE", "")
    version: str | Failure = "30"
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    region: str | None = None

    def probe(self) -> Problem | None:
        """Ask AWS whether it accepts the session."""
        return self.problem

    def connect(self, fetched: Fetched, region: str | None = None) -> World:
        """Open a session."""
        assert fetched is self.fetched
        self.region = region
        return self

    def stack_status(self, name: str, *, region: str | None = None) -> tuple[str, str] | Failure:
        """Describe a stack."""
        self.asked.append((name, region or self.region))
        return self.status

    def parameter(self, name: str, *, region: str | None = None) -> str | Failure:
        """Read a parameter."""
        self.asked.append((name, region or self.region))
        return self.version


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    """Give a cloud assembly: one stack, and one in a stage."""
    stack: dict[str, Any] = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://{ACCOUNT}/eu-central-1",
        "properties": {"templateFile": "t.json", "requiresBootstrapStackVersion": 6},
    }
    staged = {**stack, "properties": {**stack["properties"], "stackName": "Stage-Api"}}
    (tmp_path / "t.json").write_text("{}")
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"Data": stack, "StageApiF00": staged}}))
    return tmp_path


def facts(world: World, assembly: Path, *, phase: Phase = Phase.DEPLOYMENT, alive: int = 0) -> Facts:
    """Give what is found of a deployment of the stack Data."""
    check = SilenceCheck(held=world, watched=world, assembly=assembly)
    return check(Progress(deployments=1, phase=phase, stack="Data"), alive)


def test_a_session_that_aws_refuses_is_all_that_needs_to_be_known(assembly: Path) -> None:
    """Nothing else could be asked with it."""
    world = World(problem=Problem(what="AWS says that the session has expired.", next_step="Sign in."))
    assert facts(world, assembly) == Facts(session_problem=("AWS says that the session has expired.", "Sign in."))
    assert world.asked == []


@pytest.mark.parametrize(("phase", "alive"), [(Phase.SYNTHESIS, 0), (Phase.DEPLOYMENT, 2)])
def test_aws_is_not_asked_where_the_app_answers_the_question(assembly: Path, phase: Phase, alive: int) -> None:
    """It runs, or it has ended without stacks."""
    world = World()
    assert facts(world, assembly, phase=phase, alive=alive) == Facts(children=alive, account=ACCOUNT)
    assert world.asked == []


def test_the_stack_and_the_bootstrap_are_looked_up_in_the_stacks_own_region(assembly: Path) -> None:
    """Wherever the session itself looks."""
    world = World(status=("UPDATE_IN_PROGRESS", "why"))
    assert facts(world, assembly) == Facts(
        account=ACCOUNT,
        accounts=frozenset({ACCOUNT}),
        stack=StackStatus(name="Data", status="UPDATE_IN_PROGRESS", reason="why"),
    )
    assert world.asked == [("Data", "eu-central-1"), (PARAMETER, "eu-central-1")]


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (MISSING, f"are missing in aws://{ACCOUNT}/eu-central-1"),
        ("5", "are version 5, and the app needs 6"),
        ("6", None),
        (DENIED, None),
        ("no number", None),
    ],
)
def test_a_bootstrap_that_is_missing_or_too_old_is_found(
    assembly: Path, version: str | Failure, words: str | None
) -> None:
    """One that may not be read proves nothing."""
    bootstrap = facts(World(version=version), assembly).bootstrap
    assert (bootstrap is None) == (words is None)
    if words is not None and bootstrap is not None:
        assert words in bootstrap[0]
        assert f"cdk bootstrap aws://{ACCOUNT}/eu-central-1" in bootstrap[1]


def test_a_stack_that_may_not_be_described_is_unknown(assembly: Path) -> None:
    """As one that is not there yet."""
    assert facts(World(status=DENIED), assembly).stack is None


@pytest.mark.parametrize("content", [None, "{", '{"artifacts": 7}'])
def test_an_assembly_that_is_being_written_is_none(tmp_path: Path, content: str | None) -> None:
    """The CDK replaces it at each synthesis."""
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    assert facts(World(), tmp_path) == Facts(account=ACCOUNT)


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        ("Data", "Data"),
        ("Stage/Api", "Stage-Api"),
        ("Stage/Api (Stage-Api)", "Stage-Api"),
        ("Other", None),
        (None, None),
    ],
)
def test_a_stack_is_found_by_what_the_cdk_shows_of_it(assembly: Path, shown: str | None, name: str | None) -> None:
    """Its name, its path in a stage, or both."""
    read = read_assembly(assembly)
    assert isinstance(read, Assembly)
    found = deployed_stack(read, shown)
    assert (found.name if found else None) == name
