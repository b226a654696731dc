"""The supervisor's hold on a session: renewed in time, never another account's, and given to the child only while it is good."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from operator_cli.watching.supervision import Problem, Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from operator_cli.aws import Keys

RENEW_BEFORE_SECONDS: Final = 270.0
"""How long before its end a session is renewed. Within five minutes, for the SDK renews a sign-in no earlier."""

RETRY_SECONDS: Final = 15.0
"""How long to wait after a renewal that gave nothing new."""

LEAST_SECONDS: Final = 5.0
"""The CDK uses credentials up to this long before their end; with less left, it asks for others."""

ASK_AGAIN_SECONDS: Final = 60.0
"""How long the child may keep keys that lie in a file or in the environment before it asks again: they may be replaced."""


SETTLED_SECONDS: Final = 0.5
"""How long files must have stayed as they are before they are read: they may be half written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a source gave, accepted by AWS a moment ago.

    Attributes:
        keys: The credentials themselves.
        session: What is known of them.
        account: Whose they are.
    """

    keys: Keys
    session: Session
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is in hand.

    Attributes:
        fetched: The last good credentials; `None` after they ended.
        problem: Why there are none, or why they could not be renewed; `None` if all is well.
        fetched_at: When they were fetched, in seconds since 1970.
        tried_at: When a fetch was last tried.
        probed_at: When AWS last accepted them.
        traces: What the disk looked like then.
    """

    fetched: Fetched | None = None
    problem: Problem | None = None
    fetched_at: float = 0.0
    tried_at: float = 0.0
    probed_at: float = 0.0
    traces: object = None

    @property
    def expires_at(self) -> float | None:
        """When they end, if they do and say so."""
        return self.fetched.session.expires_at if self.fetched else None


def fetch_is_due(held: Held, now: float, traces: object) -> bool:
    """Whether it is time to ask the source for new credentials.

    Args:
        held: What is in hand.
        now: Seconds since 1970.
        traces: What the disk looks like.
    """
    changed = traces != held.traces
    waited = now - held.tried_at
    if held.fetched is None:
        return changed or waited >= RETRY_SECONDS or waited < 0
    if not held.fetched.session.refreshes:
        return changed
    if held.expires_at is None:
        return False
    lifetime = held.expires_at - held.fetched_at
    left = held.expires_at - now
    if left > min(RENEW_BEFORE_SECONDS, lifetime / 2):
        return False
    return waited >= min(RETRY_SECONDS, max(1.0, left / 4)) or waited < 0


class HeldSession:
    """Holds one session. Every method may be called from any thread.

    Args:
        fetch: Asks the source anew; whether keys of the environment count is its argument.
        probe: Asks AWS whether it still accepts these keys: a problem if not.
        unwanted: Says why credentials that came later are not to be used: a problem if not.
        traces: Says what the files and caches that sources are made of look like: equal means unchanged.
        clock: Gives seconds since 1970.
        probe_every: Seconds between two looks at a session that does not say when it ends.
    """

    def __init__(
        self,
        *,
        fetch: Callable[[bool], Fetched | Problem],
        probe: Callable[[Fetched], Problem | None],
        unwanted: Callable[[Fetched], Problem | None],
        traces: Callable[[], object],
        clock: Callable[[], float],
        probe_every: float,
    ) -> None:
        self._fetch = fetch
        self._probe = probe
        self._unwanted = unwanted
        self._traces = traces
        self._clock = clock
        self._probe_every = probe_every
        self._lock = threading.Lock()
        self._held = Held()
        self._account: str | None = None
        self._environment_ended = False
        self._moving: tuple[object, float] = (None, 0.0)

    @property
    def session(self) -> Session | Problem:
        """What is in hand, or why it is nothing. Never waits."""
        held = self._held
        if held.fetched is not None and held.problem is None:
            return held.fetched.session
        return held.problem or Problem(what="There are no credentials yet.", next_step="", ended=True)

    @property
    def fetched(self) -> Fetched | None:
        """The credentials in hand. Never waits."""
        return self._held.fetched

    def look(self) -> None:
        """Renew, replace or give up what is in hand if it is time. It may take as long as the source takes."""
        with self._lock:
            self._look()

    def probe(self) -> Problem | None:
        """Ask AWS whether it accepts what is in hand; what it says counts from now on."""
        with self._lock:
            return self._probe_held()

    def answer(self) -> str:
        """Give the child its credentials, as a `credential_process` prints them.

        Raises:
            LookupError: There are none; its text says why.
        """
        held = self._held
        # Somebody may be thinking about an MFA code: what is still good is given without waiting for that.
        if not self._lock.acquire(blocking=held.fetched is None or self._is_nearly_over(held)):
            return as_process_output(held, self._clock())
        try:
            held = self._held
            if held.fetched is None or (self._is_nearly_over(held) and held.fetched.session.refreshes):
                self._renew(self._clock())
            else:
                self._look()
            return as_process_output(self._held, self._clock())
        finally:
            self._lock.release()

    def _is_nearly_over(self, held: Held) -> bool:
        return held.expires_at is not None and held.expires_at - self._clock() < LEAST_SECONDS

    def _look(self) -> None:
        now = self._clock()
        held = self._held
        if held.fetched is not None and not held.fetched.session.refreshes:
            expires_at = held.expires_at
            if expires_at is not None and now >= expires_at:
                self._give_up(
                    Problem(
                        what=f"The session ({held.fetched.session.source}) has ended.",
                        next_step=held.fetched.session.renewal,
                    )
                )
            elif expires_at is None and held.fetched.session.temporary and now - held.probed_at >= self._probe_every:
                self._probe_held()
        if fetch_is_due(self._held, now, self._settled_traces(now)):
            self._renew(now)

    def _settled_traces(self, now: float) -> object:
        """What the disk looks like; what it looked like, while it changes."""
        traces = self._traces()
        if traces != self._moving[0]:
            self._moving = (traces, now)
        return traces if abs(now - self._moving[1]) >= SETTLED_SECONDS else self._held.traces

    def _renew(self, now: float) -> None:
        """Ask the source, and judge what it gives."""
        traces = self._traces()
        if self._environment_ended and traces == self._held.traces:
            # A running process cannot be given other variables, and nobody has signed in anywhere else since.
            return
        before = self._held
        found = self._asked()
        # Asking may have changed the disk: a renewed sign-in is written to its cache.
        traces = self._traces()
        moment = self._clock()
        if isinstance(found, Fetched):
            found = self._refusal(found) or found
        if isinstance(found, Problem):
            alive = before.expires_at is None or before.expires_at > moment
            if not alive:
                self._note_end(before)
            kept = before.fetched if before.fetched is not None and alive and not _is_over(found, before) else None
            # A source that fails ahead of time has until the end of what it gave; then even "cannot tell" is the end.
            problem = Problem(what=found.what, next_step=found.next_step, ended=kept is None)
            self._held = Held(
                fetched=kept,
                problem=problem,
                fetched_at=before.fetched_at,
                tried_at=moment,
                probed_at=before.probed_at,
                traces=traces,
            )
            return
        if found.session.expires_at is not None and found.session.expires_at <= moment:
            # Some processes go on giving what they have cached.
            self._held = Held(
                problem=Problem(
                    what=f"{found.session.source} gives credentials that have ended.", next_step=found.session.renewal
                ),
                tried_at=moment,
                traces=traces,
            )
            return
        self._account = found.account
        same = before.fetched is not None and before.fetched.keys == found.keys
        self._held = Held(
            fetched=found,
            fetched_at=before.fetched_at if same else now,
            tried_at=moment,
            probed_at=moment,
            traces=traces,
        )

    def _asked(self) -> Fetched | Problem:
        """Ask the source, which may fail in any way: whoever looks after the session must survive it."""
        try:
            return self._fetch(not self._environment_ended)
        except Exception as error:  # noqa: BLE001 - becomes a problem that is told
            what = f"The source of the credentials could not be asked ({type(error).__name__})."
            return Problem(what=what, next_step="`rolebound check --for watch` says more.", ended=False)

    def _refusal(self, found: Fetched) -> Problem | None:
        """Say why the watch does not go on with these; what it begins with is for others to judge."""
        if self._account is None:
            return None
        if found.account != self._account:
            return Problem(
                what=f"There are credentials again, but of account {found.account}; this watch began in {self._account}.",
                next_step=f"Sign in to account {self._account}, or end this with Ctrl-C and start it anew.",
            )
        return self._unwanted(found)

    def _probe_held(self) -> Problem | None:
        held = self._held
        if held.fetched is None:
            return held.problem
        problem = self._probe(held.fetched)
        if problem is None:
            self._held = Held(
                fetched=held.fetched,
                fetched_at=held.fetched_at,
                tried_at=held.tried_at,
                probed_at=self._clock(),
                traces=held.traces,
            )
        elif problem.ended:
            self._give_up(problem)
        return problem

    def _give_up(self, problem: Problem) -> None:
        """Let go of credentials that have ended, for good if they are the environment's."""
        held = self._held
        self._note_end(held)
        # Asked once more without delay: some sources have new credentials by then.
        self._held = Held(problem=problem, traces=held.traces)

    def _note_end(self, held: Held) -> None:
        """Remember that the environment's keys are over: its variables stay, and would be found again and again."""
        if held.fetched is not None and held.fetched.session.from_environment:
            self._environment_ended = True


def as_process_output(held: Held, now: float) -> str:
    """Give what a `credential_process` prints for what is in hand.

    Args:
        held: What is in hand.
        now: Seconds since 1970.

    Raises:
        LookupError: There are no credentials, or they have ended; its text says why.
    """
    fetched = held.fetched
    if fetched is None:
        raise LookupError(held.problem.what if held.problem else "There are no credentials.")
    expires_at = fetched.session.expires_at
    if expires_at is not None and expires_at <= now:
        raise LookupError(f"The session ({fetched.session.source}) has ended.")
    ask_again = None if fetched.session.refreshes else now + ASK_AGAIN_SECONDS
    until = min((moment for moment in (expires_at, ask_again) if moment is not None), default=None)
    answer = {
        "Version": 1,
        "AccessKeyId": fetched.keys.access_key_id,
        "SecretAccessKey": fetched.keys.secret_access_key,
        "AccountId": fetched.account,
    }
    if fetched.keys.session_token is not None:
        answer["SessionToken"] = fetched.keys.session_token
    if until is not None:
        answer["Expiration"] = datetime.fromtimestamp(until, UTC).isoformat(timespec="milliseconds")
    return json.dumps(answer)


def _is_over(found: Problem, before: Held) -> bool:
    """Whether a failed look at a source means that what it gave before is over too: keys that were taken out of a file."""
    return found.ended and before.fetched is not None and not before.fetched.session.refreshes
