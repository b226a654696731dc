"""Asks the operator's own source for the session that a watch runs on, and says what is to be known of it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from operator_cli import aws
from operator_cli.answers import Failure, FailureKind
from operator_cli.credentials import facts as credential_facts
from operator_cli.credentials.kinds import BOTO3_METHOD, Kind, sign_in_command
from operator_cli.credentials.sources import resolve
from operator_cli.watching.held_session import Fetched
from operator_cli.watching.supervision import Problem, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from operator_cli.aws import Aws, Keys
    from operator_cli.credentials import kinds
    from operator_cli.credentials.facts import CredentialFacts
    from operator_cli.credentials.kinds import Source
    from operator_cli.preflight.wanted import Wanted

_UNDECIDED: Final = frozenset({FailureKind.UNREACHABLE, FailureKind.OTHER})
"""Failures that say nothing about the credentials."""

_RENEWALS: Final[Mapping[Kind, str]] = {
    Kind.ENVIRONMENT: (
        "A process that runs cannot see newly exported keys: sign in with `aws login` (or save new keys with "
        "`aws configure`) in another terminal, or press Ctrl-C, export new ones and start again."
    ),
    Kind.CREDENTIALS_FILE: "Put new keys where the old ones are; the file is looked at every second.",
    Kind.CONFIG_FILE: "Put new keys where the old ones are; the file is looked at every second.",
    Kind.PROCESS: "Sign in to whatever the profile's credential_process asks.",
    Kind.WEB_IDENTITY: "Renew the web identity token in its file.",
    Kind.CONTAINER: "See why the container's credential service does not answer.",
    Kind.INSTANCE: "See why the instance's metadata service does not answer.",
}


class WatchedSession:
    """One operator's source of credentials.

    Args:
        profile: The profile that was named on the command line.
        environ: The process environment.
        clock: Gives the local time.
        ask: Asks a person for an MFA code; `None` where there is nobody to ask.
    """

    def __init__(
        self,
        *,
        profile: str | None,
        environ: Mapping[str, str],
        clock: Callable[[], datetime],
        ask: Callable[[str], str] | None,
    ) -> None:
        self._profile = profile
        self._environ = environ
        self._clock = clock
        self._ask = ask
        self.failure: Failure | None = None
        """Why the last fetch gave nothing, where AWS or the SDK said so."""

    def fetch(self, with_environment: bool) -> Fetched | Problem:  # noqa: FBT001 - as HeldSession calls it
        """Ask the source anew, and ask AWS who that is.

        Args:
            with_environment: Whether keys of the environment count.
        """
        facts = self._facts(with_environment=with_environment)
        resolution = resolve(facts)
        source = resolution.winner
        if source is None:
            return no_source(resolution.stopped_by)
        session = aws.connect(
            profile=self._profile,
            home=facts.home,
            ask=self._ask,
            without=None if with_environment else BOTO3_METHOD[Kind.ENVIRONMENT],
        )
        keys = session if isinstance(session, Failure) else session.keys()
        if isinstance(keys, Failure) or isinstance(session, Failure):
            failed = keys if isinstance(keys, Failure) else session
            assert isinstance(failed, Failure)  # noqa: S101 - tells the type checker what the condition says
            self.failure = failed
            return problem_of(failed, source)
        caller = session.holding(keys).caller(self._clock)
        if isinstance(caller, Failure):
            self.failure = caller
            return problem_of(caller, source)
        refreshes = self._refreshes(source, keys)
        return Fetched(
            keys=keys,
            account=caller.account,
            session=Session(
                principal=caller.arn,
                source=source.where,
                refreshes=refreshes,
                temporary=keys.session_token is not None,
                expires_at=keys.expires_at.timestamp() if keys.expires_at else None,
                person_by=source.expires_at.timestamp() if refreshes and source.expires_at else None,
                from_environment=source.kind is Kind.ENVIRONMENT,
                renewal=renewal(source),
            ),
        )

    def _refreshes(self, source: Source, keys: Keys) -> bool:
        """Whether asking the source again gives new credentials, until what it rests on ends too."""
        if source.mfa_serial is not None:
            return self._ask is not None
        if source.kind is Kind.ASSUME_ROLE:
            return True
        # A process does if it says when its credentials end.
        return source.refreshes if source.refreshes is not None else keys.expires_at is not None

    def probe(self, fetched: Fetched) -> Problem | None:
        """Ask AWS whether it accepts these keys; a problem if not."""
        session = self.connect(fetched)
        answer = session if isinstance(session, Failure) else session.caller(self._clock)
        if isinstance(answer, Failure):
            return Problem(
                what=f"{fetched.session.source}: {answer.what}",
                next_step=fetched.session.renewal,
                ended=answer.kind not in _UNDECIDED,
            )
        return None

    def connect(self, fetched: Fetched, region: str | None = None) -> Aws | Failure:
        """Give a session with AWS on these keys alone."""
        session = aws.connect(profile=self._profile, region=region, ask=None)
        return session if isinstance(session, Failure) else session.holding(fetched.keys)

    def traces(self) -> object:
        """Say what the files and caches that sources are made of look like: equal means unchanged."""
        facts = self._facts(with_environment=True)
        caches = (
            facts.home / ".aws" / "sso" / "cache",
            Path(self._environ.get("AWS_LOGIN_CACHE_DIRECTORY") or facts.home / ".aws" / "login" / "cache"),
        )
        files = [facts.config_file, facts.credentials_file, *(file for cache in caches for file in _files(cache))]
        token = self._environ.get("AWS_WEB_IDENTITY_TOKEN_FILE")
        return tuple((str(file), _look(file)) for file in [*files, *([Path(token)] if token else [])])

    def _facts(self, *, with_environment: bool) -> CredentialFacts:
        environ = self._environ
        if not with_environment:
            environ = {name: value for name, value in environ.items() if name != "AWS_ACCESS_KEY_ID"}
        return credential_facts.gather(environ, now=self._clock(), profile=self._profile)


def unwanted(fetched: Fetched, wanted: Wanted) -> Problem | None:
    """Say why a watch does not go on with credentials that it would not have begun with; `None` if it does."""
    if fetched.session.principal.endswith(":root") and not wanted.allow_root:
        what = "There are credentials again, but the root user's."
        return Problem(what=what, next_step="Sign in as yourself, or start anew with --allow-root.")
    if not fetched.session.temporary and not wanted.allow_long_lived:
        what = "There are credentials again, but a key that never ends."
        return Problem(what=what, next_step="Sign in for a session, or start anew with --allow-long-lived.")
    return None


def renewal(source: Source) -> str:
    """Say how a person renews what a source rests on."""
    command = sign_in_command(source)
    if source.mfa_serial is not None and not command:
        return "Type the MFA code when it is asked for."
    return f"`{command}`, in another terminal." if command else _RENEWALS.get(source.origin.kind, "Sign in again.")


def problem_of(failure: Failure, source: Source) -> Problem:
    """Say what a failed question to a source, or to AWS about it, means for the session."""
    known = next(iter(source.all_problems), None)
    what = known.what if known else failure.what
    return Problem(
        what=what if source.where in what else f"{source.where}: {what}",
        next_step=f"`{known.next_step}`, in another terminal."
        if known and known.next_step.startswith("aws ")
        else renewal(source),
        ended=failure.kind not in _UNDECIDED,
    )


def no_source(stopped_by: kinds.Problem | None) -> Problem:
    """Say that there are no credentials at all, or what keeps the SDK from looking further."""
    if stopped_by is not None:
        return Problem(what=stopped_by.what, next_step=stopped_by.next_step)
    return Problem(
        what="There are no credentials on this machine.", next_step="`aws login`, in another terminal, makes a session."
    )


def _files(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted(folder.glob("*.json"))
    return []


def _look(file: Path) -> tuple[int, int, int] | None:
    with contextlib.suppress(OSError):
        found = file.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino
    return None
