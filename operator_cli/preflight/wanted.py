"""What a session is wanted for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Operation(StrEnum):
    """What a session is checked for."""

    DEPLOY = "deploy"
    DESTROY = "destroy"
    BOOTSTRAP = "bootstrap"
    WATCH = "watch"
    LOGS = "logs"
    TESTS = "tests"
    TENANT_KEY = "tenant-key"
    SYNTH = "synth"
    UNIT_TESTS = "unit-tests"
    DOCS = "docs"

    @property
    def needs_session(self) -> bool:
        """Whether AWS is asked anything in it."""
        return self not in {Operation.SYNTH, Operation.UNIT_TESTS, Operation.DOCS}

    @property
    def by_cdk(self) -> bool:
        """Whether the CDK command line does it."""
        return self in {Operation.DEPLOY, Operation.DESTROY, Operation.BOOTSTRAP, Operation.WATCH}

    @property
    def needs_bootstrap(self) -> bool:
        """Whether the CDK's own bucket and roles have to be there already."""
        return self in {Operation.DEPLOY, Operation.DESTROY, Operation.WATCH}

    @property
    def least_minutes(self) -> int:
        """How long a session has to last if nothing else is asked for."""
        return {Operation.DEPLOY: 15, Operation.DESTROY: 15}.get(self, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a session is wanted for.

    Attributes:
        operation: What is about to be done.
        account: The account that the session has to be in, if that was said.
        region: The region, if that was said.
        min_minutes: How long it has to last, if that was said.
        allow_long_lived: Whether a key that never expires will do.
        allow_root: Whether the account's root user will do.
    """

    operation: Operation
    account: str | None = None
    region: str | None = None
    min_minutes: int | None = None
    allow_long_lived: bool = False
    allow_root: bool = False
