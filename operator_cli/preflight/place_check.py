"""Whether a session is where the operation is to happen: account, region, and the CDK's own bucket and roles there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operator_cli.answers import Failure, FailureKind
from operator_cli.exit_status import ExitStatus
from operator_cli.preflight.cloud_assembly import bootstrap_needs
from operator_cli.preflight.finding import Finding, Verdict
from operator_cli.preflight.wanted import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from operator_cli.answers import Caller
    from operator_cli.preflight.cloud_assembly import Assembly, Bootstrap, Stack
    from operator_cli.preflight.session_facts import SessionFacts
    from operator_cli.preflight.wanted import Wanted


def on_place(wanted: Wanted, facts: SessionFacts, caller: Caller) -> Iterator[Finding]:
    """Whether account and region are those of the target."""
    if wanted.account is not None and wanted.account != caller.account:
        yield _wrong_account(f"This session is in account {caller.account}, and {wanted.account} was asked for.")
    elif wanted.account is not None:
        yield Finding(question="account", verdict=Verdict.GOOD, what=f"{caller.account}, as asked for")
    assembly = facts.assembly
    if assembly is None:
        if wanted.operation in {Operation.DEPLOY, Operation.DESTROY, Operation.WATCH}:
            yield Finding(
                question="target",
                verdict=Verdict.CANNOT_TELL,
                what="There is no cloud assembly, so what is to be deployed, and where, is not known.",
                why="Account, region and bootstrap cannot be compared with it.",
                next_step="make synth, or name one: --assembly FOLDER",
            )
        yield from _region(wanted, facts)
        return
    elsewhere = [stack for stack in assembly.stacks if stack.account not in {None, caller.account}]
    if elsewhere and wanted.account == caller.account:
        yield Finding(
            question="account",
            verdict=Verdict.WARNING,
            what=f"{_names(elsewhere)} belong to account {', '.join(sorted({str(stack.account) for stack in elsewhere}))}.",
            why="The CDK can deploy there only if that account's bootstrap trusts this one.",
            next_step="If it does not: cdk bootstrap --trust there.",
        )
    elif elsewhere:
        accounts = ", ".join(sorted({str(stack.account) for stack in elsewhere}))
        yield _wrong_account(
            f"This session is in account {caller.account}; {_names(elsewhere)} of {assembly.path} belong to {accounts}."
        )
    elif assembly.accounts and wanted.account is None:
        yield Finding(
            question="account", verdict=Verdict.GOOD, what=f"{caller.account}, that of {_names(assembly.stacks)}"
        )
    elif wanted.account is None:
        yield Finding(
            question="account",
            verdict=Verdict.NOTE,
            what=f"{caller.account}: {_names(assembly.stacks)} name no account, so this session's is taken.",
        )
    yield from _region(wanted, facts)


def _region(wanted: Wanted, facts: SessionFacts) -> Iterator[Finding]:
    regions = facts.assembly.regions if facts.assembly else ()
    if regions and wanted.region is not None and wanted.region not in regions:
        yield Finding(
            question="region",
            verdict=Verdict.REFUSED,
            what=f"{wanted.region} was asked for, and the stacks of {facts.assembly and facts.assembly.path} go to {', '.join(regions)}.",
            why="A second copy of everything, or an error, would come of it.",
            next_step=f'make synth for that region (ARGS="-c region={wanted.region}"), or ask for {regions[0]}.',
            status=ExitStatus.WRONG_PLACE,
        )
    elif facts.region is None and not (wanted.operation.by_cdk and _all_name_a_region(facts.assembly)):
        yield Finding(
            question="region",
            verdict=Verdict.REFUSED,
            what="No region is set.",
            why="The CDK would take us-east-1 without asking; boto3 stops.",
            next_step="--region REGION, or a line `region = …` in your profile.",
            status=ExitStatus.WRONG_PLACE,
        )
    elif regions and facts.region not in regions and not wanted.operation.by_cdk:
        yield Finding(
            question="region",
            verdict=Verdict.REFUSED,
            what=f"This session is in {facts.region}, and the stacks go to {', '.join(regions)}.",
            why=f"{wanted.operation} would look where nothing is.",
            next_step=f"--region {regions[0]}",
            status=ExitStatus.WRONG_PLACE,
        )
    else:
        where = ", ".join(regions) if regions and wanted.operation.by_cdk else facts.region
        yield Finding(question="region", verdict=Verdict.GOOD, what=str(where))


def _all_name_a_region(assembly: Assembly | None) -> bool:
    return assembly is not None and bool(assembly.stacks) and all(stack.region for stack in assembly.stacks)


def _wrong_account(what: str) -> Finding:
    return Finding(
        question="account",
        verdict=Verdict.REFUSED,
        what=what,
        why="It would be done to the wrong account.",
        next_step="--profile NAME, with a profile of the right account; or say which account is meant: --account NUMBER",
        status=ExitStatus.WRONG_PLACE,
    )


def _names(stacks: tuple[Stack, ...] | list[Stack]) -> str:
    names = [stack.name for stack in stacks]
    shown = 3
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def on_bootstrap(wanted: Wanted, facts: SessionFacts, caller: Caller) -> Iterator[Finding]:
    """Whether the CDK's own bucket and roles are there and new enough, wherever the stacks go."""
    if not wanted.operation.needs_bootstrap or facts.assembly is None:
        return
    needs = bootstrap_needs(facts.assembly, account=caller.account, region=facts.region)
    for bootstrap, needed in needs.items():
        found = facts.bootstrap.get(bootstrap)
        if found is None:
            yield _bootstrap_not_looked_at(wanted, bootstrap, caller)
        elif isinstance(found, Failure):
            yield _bootstrap_unknown(bootstrap, found)
        elif found < needed:
            yield Finding(
                question="bootstrap",
                verdict=Verdict.REFUSED,
                what=f"The CDK's bootstrap of {bootstrap.region} has version {found}, and the stacks need {needed}.",
                why="The CDK refuses to deploy with it.",
                next_step=f"rolebound bootstrap {bootstrap.environment}",
                status=ExitStatus.REFUSED,
            )
        else:
            what = f"{bootstrap.region} has version {found}; {needed} is needed"
            yield Finding(question="bootstrap", verdict=Verdict.GOOD, what=what)


def _bootstrap_not_looked_at(wanted: Wanted, bootstrap: Bootstrap, caller: Caller) -> Finding:
    is_ours = bootstrap.account == caller.account
    return Finding(
        question="bootstrap",
        verdict=Verdict.CANNOT_TELL,
        what=f"{bootstrap.environment} was not looked at"
        + ("." if is_ours else f": this session is in account {caller.account}."),
        why="A deployment to where the CDK was not bootstrapped fails.",
        next_step=f"rolebound check --for {wanted.operation} --account {bootstrap.account}"
        + ("" if is_ours else " --profile NAME, with a profile of that account"),
    )


def _bootstrap_unknown(bootstrap: Bootstrap, failure: Failure) -> Finding:
    if failure.kind is FailureKind.NOT_FOUND:
        return Finding(
            question="bootstrap",
            verdict=Verdict.REFUSED,
            what=f"The CDK was never bootstrapped in {bootstrap.region}: there is no parameter {bootstrap.parameter}.",
            why="Deployments need its bucket and roles.",
            next_step=f"rolebound bootstrap {bootstrap.environment}",
            status=ExitStatus.REFUSED,
        )
    return Finding(
        question="bootstrap",
        verdict=Verdict.CANNOT_TELL,
        what=f"The bootstrap's version in {bootstrap.region} could not be read ({failure.code}).",
        why="If it is missing or too old, the CDK says so at the start of the deployment.",
        next_step=f"To see it here, allow ssm:GetParameter on parameter{bootstrap.parameter}.",
    )
