"""The arguments that every command takes which needs a session, and what they ask for."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from operator_cli.preflight.cloud_assembly import USUAL_ASSEMBLY
from operator_cli.preflight.wanted import Operation, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable

SESSION_GROUP: Final = "the session"
"""The heading under which every command lists these arguments."""

_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_REGION: Final = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]+")


def add_session_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what the session has to be."""
    group = parser.add_argument_group(SESSION_GROUP)
    group.add_argument("--profile", metavar="P", help="the profile to use; keys of the environment then do not count")
    group.add_argument(
        "--account", metavar="N", type=_like(_ACCOUNT, "12 digits"), help="the account that the session has to be in"
    )
    group.add_argument(
        "--region", metavar="R", type=_like(_REGION, "a region such as eu-central-1"), help="the region to work in"
    )
    group.add_argument(
        "--min-minutes",
        metavar="M",
        type=_minutes,
        help="how long the session has to last: 15 for deploy and destroy, else 5; given here, not knowing is refused",
    )
    group.add_argument(
        "--allow-long-lived", action="store_true", help="accept a key that never expires, which is refused otherwise"
    )
    group.add_argument("--allow-root", action="store_true", help="accept the account's root user, as above")
    group.add_argument("--certain", action="store_true", help="refuse also what cannot be told")


def add_assembly_argument(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names the cloud assembly."""
    parser.add_argument(
        "--assembly",
        metavar="FOLDER",
        type=Path,
        default=USUAL_ASSEMBLY,
        help="the cloud assembly whose account and region count (cdk.out)",
    )


def add_confirmation_argument(parser: argparse.ArgumentParser) -> None:
    """Add the argument that answers the question before production."""
    parser.add_argument("--yes", action="store_true", help="go on in production without being asked, as CI must")


def wanted_of(options: argparse.Namespace, operation: Operation) -> Wanted:
    """Give what the arguments ask for."""
    return Wanted(
        operation=operation,
        account=options.account,
        region=options.region,
        min_minutes=options.min_minutes,
        allow_long_lived=options.allow_long_lived,
        allow_root=options.allow_root,
    )


def _like(pattern: re.Pattern[str], words: str) -> Callable[[str], str]:
    def checked(value: str) -> str:
        if not pattern.fullmatch(value):
            raise argparse.ArgumentTypeError(f"{value!r} is not {words}")
        return value

    return checked


def _minutes(value: str) -> int:
    if not value.isdecimal():
        raise argparse.ArgumentTypeError(f"{value!r} is no number of minutes")
    return int(value)
