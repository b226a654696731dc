"""Who signs a function's calls, if not its role: keys in code, variables, profiles, kept sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from operator_cli.diagnosis.cause import Cause, Likelihood, Slug
from operator_cli.diagnosis.judgement import CodeFault, VariableFault
from operator_cli.diagnosis.logged_errors import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from operator_cli.diagnosis.judgement import CodeFinding, Judgement, VariableFinding
    from operator_cli.diagnosis.logged_errors import LoggedError

_AS_ITS_ROLE: Final = (
    'Create clients without credentials, as in boto3.client("sqs"): in Lambda they sign as the function\'s role, with all'
    " three parts of its credentials."
)
_REFUSED: Final = frozenset({Kind.UNKNOWN_SIGNER, Kind.SIGNATURE})

_OF_VARIABLES: Final = (
    (
        VariableFault.OLD_TOKEN,
        Slug.LEFTOVER_TOKEN,
        (
            "The environment sets the session token's old name. The SDK prefers it to the role's own token, and no service"
            " knows a key with another key's token."
        ),
        _REFUSED | {Kind.EXPIRED},
    ),
    (
        VariableFault.RESERVED,
        Slug.RESERVED_VARIABLE,
        (
            "The environment sets a name that Lambda keeps for itself. Lambda refuses it at the next deployment; where it is"
            " taken, it hides what Lambda puts there."
        ),
        _REFUSED | {Kind.NO_CREDENTIALS},
    ),
    (
        VariableFault.OTHER_SOURCE,
        Slug.OTHER_SOURCE,
        ("The environment points the SDK at another source of credentials than the function's role."),
        _REFUSED | {Kind.NO_CREDENTIALS, Kind.EXPIRED},
    ),
    (
        VariableFault.ENDPOINT_OVERRIDE,
        Slug.ENDPOINT_OVERRIDE,
        (
            "The environment sends calls to an address of its own instead of the service's: whoever answers there knows"
            " neither the key nor the table, or nobody answers."
        ),
        _REFUSED | {Kind.ENDPOINT_OVERRIDE, Kind.TIMEOUT},
    ),
    (
        VariableFault.GLOBAL_STS,
        Slug.GLOBAL_STS,
        ("STS is called at its global address, which a VPC endpoint does not serve: from a closed VPC the call hangs."),
        frozenset({Kind.TIMEOUT}),
    ),
)


def signer_causes(judgement: Judgement, errors: Sequence[LoggedError]) -> Iterator[Cause]:
    """Give what makes somebody else than the role sign, or nobody."""
    code, variables = _Code(judgement.code), _Variables(judgement.variables)
    yield from _keys(code, variables, {error.kind for error in errors})
    yield from _removals(code)
    profiles = [*_named(variables.of(VariableFault.PROFILE)), *_placed(code.of(CodeFault.PROFILE))]
    if profiles or any(error.kind is Kind.PROFILE for error in errors):
        yield Cause(
            Slug.STALE_PROFILE,
            Likelihood.LIKELY,
            "The SDK is told to use a profile, left over from a developer's machine. A function has no profile files: the"
            " SDK fails with ProfileNotFound, or acts as somebody else.",
            tuple(profiles),
            "Remove AWS_PROFILE and AWS_DEFAULT_PROFILE from the environment and profile_name from the code: the role's"
            " credentials are there without them.",
            _sources(environment=bool(variables.of(VariableFault.PROFILE)), code=bool(code.of(CodeFault.PROFILE))),
            frozenset({Kind.PROFILE, Kind.NO_CREDENTIALS}),
        )
    for fault, slug, what, explains in _OF_VARIABLES:
        found = variables.of(fault)
        if found:
            names = ", ".join(finding.name for finding in found)
            yield Cause(
                slug,
                Likelihood.LIKELY,
                what,
                tuple(_named(found)),
                f"Remove {names} from the function's environment.",
                ("environment",),
                explains,
            )


def _keys(code: _Code, variables: _Variables, logged: set[Kind]) -> Iterator[Cause]:
    """Tell apart whose key it is: the role's own without its token, a user's, or a session's that was copied."""
    literal = code.of(CodeFault.LITERAL_KEY)
    users, sessions = variables.of(VariableFault.LONG_LIVED_KEY), variables.of(VariableFault.SESSION)
    others = variables.of(VariableFault.OTHER_KEY)
    harvests, beside = code.of(CodeFault.HARVEST), code.of(CodeFault.OTHER)
    without, complete = code.of(CodeFault.KEY_WITHOUT_TOKEN), code.of(CodeFault.KEY_WITH_TOKEN)
    passes_a_copy = bool(literal) or any(finding.is_used for finding in (*users, *sessions, *others))
    if without and (harvests or not passes_a_copy):
        yield Cause(
            Slug.EXPLICIT_KEY,
            Likelihood.LIKELY,
            f"Explicit key without session token at {_first_of_each(without)}. A role's key is valid only together with its"
            " token: DynamoDB answers UnrecognizedClientException, SQS InvalidClientTokenId. STS succeeds where its"
            " client is made from the session, which holds all three parts: it proves nothing about the others. A retry"
            " reads the same two parts again. VPC, endpoints and policies play no part.",
            tuple(_placed([*without, *harvests, *beside])),
            f"{_AS_ITS_ROLE} Remove the fields that pick the key up, and the retry.",
            ("code",),
            _REFUSED,
        )
        without, harvests, beside = [], [], []
    is_users = bool(users or literal or (others and not sessions))
    if is_users:
        passed_on = [*without, *complete] if passes_a_copy else []
        along = beside if passed_on or literal else []
        yield Cause(
            Slug.LONG_LIVED_KEY,
            Likelihood.LIKELY,
            "The function holds the key of an IAM user, or a secret that only such a key has. Its calls are then that user's,"
            " not the role's, and fail when the key is deleted, disabled or not allowed to.",
            (*_named([*users, *others]), *_placed([*literal, *passed_on, *along])),
            f"Deactivate the key in IAM, then delete it: it has been readable with the configuration. {_AS_ITS_ROLE}",
            _sources(environment=bool(users or others), code=bool(literal or passed_on)),
            _REFUSED | {Kind.DENIED_TO_ANOTHER},
        )
        without, complete = [[found for found in kept if found not in passed_on] for kept in (without, complete)]
        beside = [found for found in beside if found not in along]
    if sessions or complete or Kind.EXPIRED in logged:
        along = beside if without or complete else []
        yield Cause(
            Slug.COPIED_SESSION,
            Likelihood.LIKELY if sessions else Likelihood.POSSIBLE,
            "The function signs with a copy of a session's credentials. Nothing renews a copy: it works until the session"
            " ends, and every call is refused with ExpiredToken from then on.",
            (*_named([*sessions, *(() if is_users else others)]), *_placed([*without, *complete, *along])),
            f"{_AS_ITS_ROLE} For another account's role, keep no answer of assume_role longer than it is valid: use a"
            " refreshing session, or ask again.",
            _sources(environment=bool(sessions), code=bool(without or complete)),
            frozenset({Kind.EXPIRED, Kind.UNKNOWN_SIGNER, Kind.DENIED_TO_ANOTHER}),
        )
        beside = [found for found in beside if found not in along]
    if harvests or beside:
        yield Cause(
            Slug.CODE_TOUCHES_CREDENTIALS,
            Likelihood.POSSIBLE,
            "The code handles credentials by itself: what it keeps or changes may be signed with later.",
            tuple(_placed([*harvests, *beside])),
            _AS_ITS_ROLE,
            ("code",),
            _REFUSED | {Kind.NO_CREDENTIALS, Kind.PROFILE},
        )


def _removals(code: _Code) -> Iterator[Cause]:
    """Tell what the SDK does without the part of the credentials that the code removed."""
    keys, tokens = code.of(CodeFault.REMOVED_KEY), code.of(CodeFault.REMOVED_TOKEN)
    if keys:
        what = "finds no key, or half of a pair, and fails before it calls."
        explains = frozenset({Kind.NO_CREDENTIALS})
    else:
        what = (
            "signs with the role's key without its token: DynamoDB answers UnrecognizedClientException, SQS"
            " InvalidClientTokenId, while clients that were made before it work."
        )
        explains = _REFUSED
    if keys or tokens:
        removed = [*keys, *tokens]
        yield Cause(
            Slug.REMOVED_CREDENTIALS,
            Likelihood.LIKELY,
            f"The code removes its role's credentials from the environment at {_first_of_each(removed)}. A client that is"
            f" made after that {what} VPC, endpoints and policies play no part.",
            tuple(_placed(removed)),
            "Remove those lines. To start another program without credentials, give it a copy of os.environ without them.",
            ("code",),
            explains | (_REFUSED if tokens else frozenset()),
        )


def log_only_causes(errors: Iterable[LoggedError]) -> Iterator[Cause]:
    """Give what the log alone shows, where nothing that was read explains it."""
    kinds = {error.kind for error in errors}
    if Kind.UNKNOWN_SIGNER in kinds:
        yield Cause(
            Slug.UNKNOWN_SIGNER,
            Likelihood.LIKELY,
            "AWS does not know the key that signs, so it is not the role's, or lacks its token. Nothing that was read"
            " passes one on or removes the token. VPC, endpoints and policies play no part: they give time-outs and AccessDenied.",
            (),
            "Look where clients are made in code that was not read (layers, extensions, packages of your own) for"
            f" aws_access_key_id, and for what removes AWS_SESSION_TOKEN. {_AS_ITS_ROLE}",
            (),
            _REFUSED,
        )
    if Kind.SIGNATURE in kinds and Kind.UNKNOWN_SIGNER not in kinds:
        yield Cause(
            Slug.WRONG_SECRET,
            Likelihood.LIKELY,
            "AWS knows the key, but the signature is not made with its secret: half of another pair, a cut or padded value,"
            " or a request that was changed on its way.",
            (),
            _AS_ITS_ROLE,
            (),
            frozenset({Kind.SIGNATURE}),
        )
    if Kind.NO_CREDENTIALS in kinds:
        yield Cause(
            Slug.NO_CREDENTIALS,
            Likelihood.LIKELY,
            "The SDK found no credentials, or half of a pair. Lambda always gives a function its role's.",
            (),
            "Look for code that removes or overwrites AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN.",
            (),
            frozenset({Kind.NO_CREDENTIALS}),
        )
    if Kind.CLOCK in kinds:
        yield Cause(
            Slug.CLOCK,
            Likelihood.LIKELY,
            "A request was signed too long before it arrived: it waited in a queue, a frozen environment or a proxy.",
            (),
            "Sign when the request is sent; do not keep signed requests or pre-signed addresses.",
            (),
            frozenset({Kind.CLOCK}),
        )
    if Kind.NOT_CREDENTIALS in kinds:
        yield Cause(
            Slug.NOT_CREDENTIALS,
            Likelihood.LIKELY,
            "The function fails before or beside its calls to AWS: its code or its memory is at fault, not its credentials.",
            (),
            "Mend what the line of the log names: a missing module, the handler's name, the memory's size.",
            (),
            frozenset({Kind.NOT_CREDENTIALS}),
        )
    if Kind.ANOTHER in kinds:
        yield Cause(
            Slug.NOT_CREDENTIALS,
            Likelihood.LIKELY,
            "The function fails with errors of another kind: no matter of credentials, of the way to AWS or of permissions.",
            (),
            "Mend what the lines of the log name: the program, or what it talks to besides AWS, such as a database.",
            (),
            frozenset({Kind.ANOTHER}),
        )


class _Code:
    """The findings in the code by fault."""

    def __init__(self, findings: Iterable[CodeFinding]) -> None:
        self._findings = tuple(findings)

    def of(self, fault: CodeFault) -> list[CodeFinding]:
        return [finding for finding in self._findings if finding.fault is fault]


class _Variables:
    """The findings in the environment by fault."""

    def __init__(self, findings: Iterable[VariableFinding]) -> None:
        self._findings = tuple(findings)

    def of(self, fault: VariableFault) -> list[VariableFinding]:
        return [finding for finding in self._findings if finding.fault is fault]


def _placed(findings: Iterable[CodeFinding]) -> Iterator[str]:
    """Tell each fault once, with all its places: a key and its secret stand on two lines and are one fault."""
    by_fault: dict[CodeFault, list[CodeFinding]] = {}
    for finding in findings:
        by_fault.setdefault(finding.fault, []).append(finding)
    for same in by_fault.values():
        places = ", ".join(dict.fromkeys(finding.place for finding in same))
        yield f"{places}: {same[0].message}"


def _named(findings: Iterable[VariableFinding]) -> Iterator[str]:
    return (f"environment variable {finding.name}: {finding.message}" for finding in findings)


def _first_of_each(findings: Sequence[CodeFinding]) -> str:
    """Give the first place in each file."""
    first: dict[str, str] = {}
    for finding in findings:
        first.setdefault(finding.place.rpartition(":")[0], finding.place)
    return ", ".join(first.values())


def _sources(*, environment: bool, code: bool) -> tuple[str, ...]:
    return tuple(name for name, was_read in (("environment", environment), ("code", code)) if was_read)
