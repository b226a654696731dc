"""AWS in a notebook: a session that works after `aws login`, `aws sso login` or `aws configure`, and renews itself.

    from operator_cli.notebook import invoke, session

    aws = session()                      # or session("dev", region="eu-central-1")
    invoke(aws, "my-function", {"order": 7})

A kernel is a process of its own: it knows the files of `~/.aws`, and of a terminal's variables only those that Jupyter was
started with. No key is copied anywhere, neither into the environment nor into a variable: the SDK reads the profile itself,
which is why it can renew the session while the notebook stays open.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from operator_cli.credentials.facts import CredentialFacts, gather
from operator_cli.credentials.kinds import Key, Kind, Source, Trouble, sign_in_command
from operator_cli.credentials.sources import Resolution, resolve
from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus
from operator_cli.moments import in_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from operator_cli.aws import Failure

__all__ = ["FunctionFailed", "choose", "invoke", "session"]

_UNUSABLE: Final = frozenset(
    {
        Trouble.HALF_A_PAIR,
        Trouble.PROFILE_MISSING,
        Trouble.PROFILE_INCOMPLETE,
        Trouble.FILE_UNREADABLE,
        Trouble.NOT_SIGNED_IN,
        Trouble.SIGN_IN_EXPIRED,
        Trouble.EXPIRED,
        Trouble.SDK_TOO_OLD,
        Trouble.CRT_MISSING,
        Trouble.KEY_UNREADABLE,
        Trouble.TOKEN_MISSING,
    }
)
"""What keeps a source from working; the other troubles are worth knowing and no obstacle."""

_SURROUNDINGS: Final = frozenset({Kind.CONTAINER, Kind.INSTANCE})


@dataclass(frozen=True, slots=True)
class Choice:
    """What a session is made of.

    Attributes:
        profile: The profile to name to the SDK; `None` leaves it to the SDK, which then takes `source`.
        source: Where the credentials come from.
        warnings: What is worth knowing about them, without a secret.
    """

    profile: str | None
    source: Source
    warnings: tuple[str, ...] = ()


class FunctionFailed(OperatorError):
    """A Lambda function was invoked and failed. AWS answers 200 then, and says so in a field that is easily overlooked.

    Attributes:
        function: The function's name.
        kind: `Unhandled`, or what else the service calls the failure.
        error_type: The exception's name, where the function said one.
        error_message: Its text; a line that holds a credential is left out.
        trace: The stack trace's lines, innermost last.
    """

    def __init__(self, function: str, kind: str, answer: object, shown: Callable[[str], str]) -> None:
        told = answer if isinstance(answer, dict) else {}
        self.function = function
        self.kind = kind
        self.error_type = str(told.get("errorType") or "")
        self.error_message = shown(str(told.get("errorMessage") or ""))
        self.trace = tuple(shown(str(line)).rstrip() for line in told.get("stackTrace") or ())
        name = f"{self.error_type}: " if self.error_type else ""
        where = f" ({self.trace[-1].strip().splitlines()[0]})" if self.trace else ""
        super().__init__(
            f"{function} failed: {name}{self.error_message or kind}{where}",
            why="The call itself succeeded (HTTP 200), so nothing else would have told you.",
            next_step=f"Read its log: rolebound logs {function}. If the text names an access denial or a credential error: "
            "rolebound explain, or rolebound diagnose.",
        )


def session(profile: str | None = None, *, region: str | None = None, quiet: bool = False) -> Any:  # noqa: ANN401 - boto3 comes without types
    """Give a boto3 session that acts as you, and say what it uses.

    Args:
        profile: The profile to use. If not given: what `AWS_PROFILE` or the environment say, else the default profile, else
            the only profile that is signed in.
        region: The region; if not given that of AWS_REGION, or else the SDK's own (AWS_DEFAULT_REGION, the profile's).
        quiet: Say nothing.

    Returns:
        A session whose credentials the SDK reads and renews itself. It has been tried: AWS knows who it is.

    Raises:
        OperatorError: There are no usable credentials, they have expired, or this Python's SDK cannot read them. The text
            says which, and the command that mends it.
    """
    from operator_cli import aws  # noqa: PLC0415 - importing this module stays quick

    facts = gather(os.environ, now=datetime.now(UTC), profile=profile)
    choice = choose(facts)
    connection = aws.connect(profile=choice.profile, region=region or os.environ.get("AWS_REGION") or None)
    if isinstance(connection, aws.Failure):
        raise _not_accepted(connection, choice.source)
    # Tried here, so that what is wrong is told here, and not by the first call somewhere in the notebook.
    caller = connection.caller(lambda: datetime.now(UTC))
    if isinstance(caller, aws.Failure):
        raise _not_accepted(caller, choice.source)
    if not quiet:
        print(_told(choice, caller.arn, connection.region, facts.now))  # noqa: T201 - a notebook's cell is its output
    return connection.boto3_session()


def choose(facts: CredentialFacts) -> Choice:
    """Decide which profile a session uses.

    Args:
        facts: What the machine says; a profile that the caller named is in it.

    Raises:
        OperatorError: None is usable, or several are and none was named.
    """
    taken = resolve(facts)
    if _is_usable(taken):
        return _choice(facts.profile, taken)
    if facts.profile is not None or taken.profile_from is not None:
        raise _unusable(facts, taken)
    others = {
        name: resolution
        for name in facts.profiles
        if name != "default" and _is_usable(resolution := resolve(replace(facts, profile=name)))
    }
    # A machine's or container's own role is a last resort, and whoever is signed in does not mean it.
    own = {name: found for name, found in others.items() if found.winner and found.winner.kind not in _SURROUNDINGS}
    if len(own) == 1:
        ((name, resolution),) = own.items()
        return _choice(name, resolution)
    if own:
        raise OperatorError(
            f"{len(own)} profiles are usable: {', '.join(own)}. None is the default, and none was named.",
            why="They may belong to different accounts, and a notebook would work on the wrong one without a word.",
            next_step=f"Name one: session({next(iter(own))!r}), or set AWS_PROFILE before you start Jupyter.",
            status=ExitStatus.NO_CREDENTIALS,
        )
    raise _unusable(facts, taken)


def _is_usable(resolution: Resolution) -> bool:
    troubles = {problem.trouble for problem in resolution.winner.all_problems} if resolution.winner else set()
    return resolution.winner is not None and resolution.stopped_by is None and not troubles & _UNUSABLE


def _choice(profile: str | None, resolution: Resolution) -> Choice:
    assert resolution.winner is not None  # noqa: S101 - a usable one has a winner, for the type checker
    return Choice(
        profile=profile,
        source=resolution.winner,
        warnings=tuple(f"{problem.what} {problem.next_step}" for problem in resolution.all_problems),
    )


def _unusable(facts: CredentialFacts, taken: Resolution) -> OperatorError:
    """Say what is wrong, for the profile that the person most likely means: the one asked for, or one to sign in to."""
    candidates = [taken, *(resolve(replace(facts, profile=name)) for name in facts.profiles if facts.profile is None)]
    # An SDK that is too old passes over a sign-in without a word: such a source stands among those it left unused.
    unused = [problem for found in candidates for source in found.shadowed for problem in source.all_problems]
    problems = [problem for found in candidates for problem in found.all_problems] + unused
    problems = [problem for problem in problems if problem.trouble in _UNUSABLE]
    if problems:
        first = problems[0]
        expired = first.trouble in {Trouble.EXPIRED, Trouble.SIGN_IN_EXPIRED}
        return OperatorError(
            first.what,
            why="Without credentials no call can be signed; a notebook cannot ask you to sign in.",
            next_step=first.next_step + _then_here(),
            status=ExitStatus.EXPIRED if expired else ExitStatus.NO_CREDENTIALS,
        )
    return OperatorError(
        f"There are no AWS credentials: no profile in {facts.shown(facts.config_file)} and none in the environment of this "
        "kernel.",
        why="Without credentials no call can be signed. What you exported in a terminal does not reach a kernel.",
        next_step="In a terminal: aws login (or aws configure sso, once, then aws sso login)." + _then_here(),
        status=ExitStatus.NO_CREDENTIALS,
    )


def _then_here() -> str:
    return " Then run this cell again; the kernel need not be restarted."


def _not_accepted(failure: Failure, source: Source) -> OperatorError:
    from operator_cli.aws import FailureKind  # noqa: PLC0415 - as in session

    command = sign_in_command(source)
    statuses = {FailureKind.EXPIRED: ExitStatus.EXPIRED, FailureKind.NO_CREDENTIALS: ExitStatus.NO_CREDENTIALS}
    return OperatorError(
        f"{failure.what} The credentials come from {source.where}.",
        why="AWS was asked who you are, which everybody may ask; no other call would succeed either.",
        next_step=f"In a terminal: {command}." + _then_here()
        if command
        else "Look at the source that is named: rolebound check tells more about it.",
        status=statuses.get(failure.kind, ExitStatus.REFUSED),
    )


def _told(choice: Choice, arn: str, region: str | None, now: datetime) -> str:
    source = choice.source
    lines = [f"AWS: {arn} in {region or 'no region'}, from {source.where}."]
    if source.key is Key.LONG_LIVED:
        lines.append(
            "This is a long-lived key: it works until somebody deletes it, for whoever has it. Prefer aws login."
        )
    elif source.refreshes:
        lines.append("It renews itself while you are signed in.")
    elif source.expires_at is not None:
        lines.append(f"It ends in {in_words(source.expires_at - now)} and cannot renew itself.")
    if region is None:
        lines.append("No region is set: name one, session(region='eu-central-1'), or most calls will fail.")
    return "\n".join((*lines, *choice.warnings))


def invoke(aws: Any, function: str, payload: object = None) -> Any:  # noqa: ANN401 - boto3 has no types; the function's JSON
    """Invoke a Lambda function once and give its answer.

    Args:
        aws: A session, as `session` gives it.
        function: The function's name or ARN, with a version or alias if one is meant.
        payload: Anything that can be written as JSON.

    Returns:
        The function's answer, decoded; text where it is no JSON, `None` where it is empty.

    Raises:
        FunctionFailed: The function was started and failed: it raised, ran out of time or memory, or did not start.
        OperatorError: The payload cannot be written as JSON, or the session has no region.
        botocore.exceptions.ClientError: Lambda refused the call.
    """
    from operator_cli.aws import invoking_client  # noqa: PLC0415 - importing this module stays quick
    from operator_cli.rule_checks import LineRecogniser  # noqa: PLC0415 - as above

    try:
        body = json.dumps(payload)
    except (TypeError, ValueError) as error:
        raise OperatorError(
            f"The payload cannot be written as JSON: {error}.",
            why="Lambda takes JSON only.",
            next_step="Turn dates, decimals and sets into text, numbers and lists first.",
            status=ExitStatus.WRONG_USAGE,
        ) from None
    if aws.region_name is None:
        raise OperatorError(
            "The session has no region.",
            why="A function lives in one region.",
            next_step="session(region='eu-central-1'), or `region = …` in the profile.",
            status=ExitStatus.WRONG_USAGE,
        )
    answer = invoking_client(aws).invoke(FunctionName=function, Payload=body.encode())
    decoded = _decoded(answer["Payload"].read())
    failure = answer.get("FunctionError")
    if failure:
        recogniser = LineRecogniser()

        def shown(text: str) -> str:
            return "\n".join(
                "(a line that holds a credential)" if recogniser.credential_in(line, is_code=False) else line
                for line in text.splitlines()
            )

        raise FunctionFailed(function, failure, decoded, shown)
    return decoded


def _decoded(body: bytes) -> Any:  # noqa: ANN401 - JSON
    text = body.decode("utf-8", errors="replace")
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text
