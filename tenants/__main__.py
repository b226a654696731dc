"""`python -m tenants TENANT`: makes an API key for a tenant, stores its hash, and prints it once.

The key is made by the code that will check it, and stored with a session that was checked. It is no part of the operator's
command line, which is installed without the functions' code.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from operator_cli.answers import Failure
from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus, as_help
from operator_cli.output import Output
from operator_cli.preflight.cloud_assembly import PRODUCTION
from operator_cli.preflight.gathering import connect_to_aws, examine
from operator_cli.preflight.guarded_run import confirm_production, tell_session
from operator_cli.preflight.session_arguments import add_confirmation_argument, add_session_arguments, wanted_of
from operator_cli.preflight.session_report import show
from operator_cli.preflight.wanted import Operation

PROJECT: Final = Path(__file__).resolve().parent.parent
# The functions' code is deployed, not installed; a key is made by the code that will check it.
sys.path.append(str(PROJECT / "lambda_src"))

from event_api import api_keys  # noqa: E402 - found by the path above

if TYPE_CHECKING:
    from collections.abc import Sequence

    from operator_cli.aws import Aws

OUTPUT: Final = "ApiKeysTableName"
"""The data stack's output that names the table."""


def parser() -> argparse.ArgumentParser:
    """Give the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="python -m tenants",
        description="Make an API key for a tenant, store its hash, and print the key: once, for it is kept nowhere.",
        epilog=as_help(),
        allow_abbrev=False,
    )
    made.add_argument("tenant", metavar="TENANT", help="lower-case letters, digits and hyphens, 63 at most")
    made.add_argument("--environment", metavar="E", default=_environment(), help="the deployment (%(default)s)")
    made.add_argument("--json", action="store_true", help="print the answer as one JSON document")
    add_session_arguments(made)
    add_confirmation_argument(made)
    return made


def make_key(options: argparse.Namespace, output: Output) -> int:
    """Check the session, ask before production, make the key, store its hash, print it.

    Raises:
        OperatorError: The tenant's id is none, production was not confirmed, or AWS refused.
    """
    try:
        minted = api_keys.mint(options.tenant, datetime.now(UTC))
    except api_keys.InvalidTenant as error:
        raise OperatorError(
            str(error), why="No key was made.", next_step="Name the tenant in that form.", status=ExitStatus.WRONG_USAGE
        ) from error
    connect = cache(connect_to_aws)
    examined = examine(
        wanted_of(options, Operation.TENANT_KEY),
        output.environ,
        clock=lambda: datetime.now(UTC),
        profile=options.profile,
        connect=connect,
        certain=options.certain,
    )
    if examined.status != ExitStatus.GOOD:
        show(examined, output.to_stderr(), command=f".venv/bin/python -m tenants {options.tenant}")
        return int(examined.status)
    tell_session(examined, output)
    stack = f"Rolebound-{options.environment}-Data"
    if options.environment.lower() in PRODUCTION and not options.yes:
        confirm_production((stack,), examined, output)
    aws = connect(options.profile, examined.session.region)
    if isinstance(aws, Failure):
        raise _refused("The session could not be opened again", aws)
    table = _table(aws, stack)
    stored = aws.put_item(table, minted.item)
    if isinstance(stored, Failure):
        raise _refused(f"The key could not be stored in {table}", stored)
    try:
        if output.as_json:
            output.json({"tenant": options.tenant, "api_key": minted.api_key, "table": table})
        else:
            output.tell(f"The key of tenant {options.tenant}; its hash is in {table}, the key itself is kept nowhere:")
            output.say(minted.api_key)
    except BrokenPipeError:
        # Python writes what is left at its end, and would fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OperatorError(
            "The key was stored and could not be shown: whoever reads the output has gone.",
            why="It is kept nowhere, so nobody can use it; its hash stays in the table.",
            next_step=f"Delete the item with key_id {minted.item['key_id']['S']} from {table}, then make another.",
        ) from None
    return int(ExitStatus.GOOD)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make one key and return the exit status."""
    options = parser().parse_args(arguments)
    output = Output.of_process(as_json=options.json)
    try:
        return make_key(options, output)
    except OperatorError as error:
        output.tell(str(error))
        return int(error.status)


def _table(aws: Aws, stack: str) -> str:
    outputs = aws.stack_outputs(stack)
    if isinstance(outputs, Failure):
        raise _refused(f"Stack {stack} could not be looked at", outputs)
    if OUTPUT not in outputs:
        raise OperatorError(
            f"Stack {stack} has no output {OUTPUT}.",
            why="It names the table of API keys.",
            next_step="make deploy, which brings the stack up to date",
        )
    return outputs[OUTPUT]


def _refused(what: str, failure: Failure) -> OperatorError:
    return OperatorError(
        f"{what}: {failure.what} ({failure.code})",
        why="No key was stored.",
        next_step="Is it deployed, and in this region? --environment and --region say where to look.",
    )


def _environment() -> str:
    """The deployment that `make deploy` makes."""
    return str(json.loads((PROJECT / "cdk.json").read_text(encoding="utf-8"))["context"]["environment"])


if __name__ == "__main__":
    sys.exit(main())
