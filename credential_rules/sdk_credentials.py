"""Credentials that code hands to an AWS SDK, in whatever spelling, and where they come from.

Complete temporary credentials are told apart: key, secret and token that all come from one answer of STS (another
account's role, which a function may well take on), or that a session itself gave out.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from credential_rules.python_names import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.python_names import Names

Part: TypeAlias = Literal["key", "secret", "token", "profile"]

_SDK: Final = frozenset(
    {"boto3", "botocore", "aioboto3", "aiobotocore", "boto", "types_aiobotocore", "aws_lambda_powertools"}
)
_SDK_USERS: Final = frozenset(
    {
        "aws_requests_auth",
        "awswrangler",
        "celery",
        "fsspec",
        "kombu",
        "langchain_aws",
        "opensearchpy",
        "pyathena",
        "pynamodb",
        "redshift_connector",
        "requests_aws4auth",
        "s3fs",
        "s3transfer",
        "sagemaker",
        "smart_open",
        "watchtower",
    }
)
"""Packages that hand the same arguments on to an SDK, or sign for AWS themselves."""

_KEYWORDS: Final[dict[str, Part]] = {
    "aws_access_key_id": "key",
    "aws_secret_access_key": "secret",
    "aws_session_token": "token",
    "aws_security_token": "token",
    "security_token": "token",
    "profile_name": "profile",
}
_AIMED: Final = frozenset({"aws_access_key_id", "aws_secret_access_key", "aws_session_token", "profile_name"})
_OF_CREDENTIALS: Final[dict[str, Part]] = {"access_key": "key", "secret_key": "secret", "token": "token"}
_OF_SIGNERS: Final[dict[str, Part]] = {
    **_OF_CREDENTIALS,
    "access_id": "key",
    "aws_access_key": "key",
    "session_token": "token",
    "aws_token": "token",
    # Both refresh by themselves.
    "refreshable_credentials": "token",
}
_OF_S3FS: Final[dict[str, Part]] = {"key": "key", "secret": "secret", "token": "token", "profile": "profile"}

_CLIENT: Final[dict[int, Part]] = {6: "key", 7: "secret", 8: "token"}
_SESSION: Final[dict[int, Part]] = {0: "key", 1: "secret", 2: "token", 5: "profile"}
_THREE: Final[dict[int, Part]] = {0: "key", 1: "secret", 2: "token"}
_TWO: Final[dict[int, Part]] = {0: "key", 1: "secret"}

_METHODS: Final = frozenset({"client", "resource", "create_client", "Session", "AioSession", "setup_default_session"})
_CREDENTIALS: Final = frozenset({"Credentials", "ReadOnlyCredentials", "AioCredentials", "AioReadOnlyCredentials"})
_MAKERS: Final = _METHODS | _CREDENTIALS | {"set_credentials"}

_STS: Final = frozenset(
    {
        "assume_role",
        "assume_role_with_saml",
        "assume_role_with_web_identity",
        "assume_root",
        "get_credentials_for_identity",
        "get_federation_token",
        "get_role_credentials",
        "get_session_token",
        "create_session",
    }
)
_OWN: Final = frozenset({"get_credentials", "get_frozen_credentials", "load_credentials"})
_TAKES_ON_A_ROLE: Final = re.compile(r"assume|sts|session|role|credential|federat|creds", re.IGNORECASE)
_ENDINGS: Final[dict[Part, frozenset[str]]] = {
    "key": frozenset({"AccessKeyId", "accessKeyId", "access_key", "aws_access_key_id", "access_key_id"}),
    "secret": frozenset(
        {"SecretAccessKey", "secretAccessKey", "SecretKey", "secret_key", "aws_secret_access_key", "secret_access_key"}
    ),
    "token": frozenset({"SessionToken", "sessionToken", "token", "session_token", "aws_session_token", "Token"}),
    "profile": frozenset(),
}
_ARTIFACT_CREDENTIALS: Final = "artifactCredentials"
"""What CodePipeline hands to a function with a job: temporary, and all that opens the job's artifacts."""
_DEEPEST: Final = 6


@dataclass(frozen=True)
class Given:
    """One credential argument: `part` of the set, `spelling` as written, `value`, and `at` its line."""

    part: Part
    spelling: str
    value: ast.expr
    at: ast.AST


@dataclass
class Handover:
    """One call that gets credentials: `callee` is its name for people, `given` what it gets, None literals left out."""

    call: ast.Call
    callee: str
    given: list[Given] = field(default_factory=list)

    @property
    def parts(self) -> set[Part]:
        """Which parts are given."""
        return {given.part for given in self.given}


def handovers(names: Names) -> Iterator[Handover]:
    """Every call in a file that hands credentials to an SDK, except complete temporary ones."""
    for call in names.calls:
        for target, called in _readings(call, names):
            spellings, positions = _takes(called, target, names)
            if spellings:
                handover = Handover(call, last_name(target) or called.rsplit(".", 1)[-1])
                handover.given = [
                    given for given in _given(call, target, spellings, positions, names) if not _is_none(given.value)
                ]
                if handover.given and not _is_complete(handover, names):
                    yield handover


def unnamed_arguments(names: Names) -> Iterator[tuple[ast.Call, str, ast.expr]]:
    """Every call that makes a client or a session of an SDK from a mapping whose entries this file does not name.

    Gives the call, its name for people, and the mapping.
    """
    for call in names.calls:
        for target, called in _readings(call, names):
            callee = last_name(target) or called.rsplit(".", 1)[-1]
            is_sdk = called.partition(".")[0].removesuffix("()") in _SDK or (not called and names.imported & _SDK)
            if is_sdk and (called.rsplit(".", 1)[-1] if called else callee).removesuffix("()") in _MAKERS:
                yield from (
                    (call, callee, keyword.value)
                    for keyword in call.keywords
                    if keyword.arg is None and names.unnamed(keyword.value) is not None
                )


def _readings(call: ast.Call, names: Names) -> Iterator[tuple[ast.expr, str]]:
    """The function that a call calls, and the one that it prepares to call (`functools.partial(boto3.client, …)`)."""
    called = names.dotted(call.func)
    yield call.func, called
    if called in {"functools.partial", "asyncio.to_thread", "anyio.to_thread.run_sync"} and call.args:
        yield call.args[0], names.dotted(call.args[0])


def _takes(called: str, target: ast.expr, names: Names) -> tuple[dict[str, Part], dict[int, Part]]:  # noqa: PLR0911 (one answer per API)
    """Which keywords and positions of a call are credentials; nothing if it is no SDK's."""
    root = called.partition(".")[0].removesuffix("()")
    last = called.rsplit(".", 1)[-1].removesuffix("()") if called else last_name(target)
    if isinstance(target, ast.Name) and not called and target.id in (names.functions.keys() | names.classes.keys()):
        return {}, {}
    if last in _CREDENTIALS and root in _SDK:
        return _OF_CREDENTIALS, _THREE
    if last == "set_credentials" and (root in _SDK or (not called and names.imported & _SDK)):
        return _OF_CREDENTIALS, _THREE
    if root == "s3fs" or (root == "fsspec" and last == "filesystem"):
        return {**_KEYWORDS, **_OF_S3FS}, {1: "key", 2: "secret"} if last == "S3FileSystem" else {}
    if root in {"requests_aws4auth", "aws_requests_auth"}:
        return {**_KEYWORDS, **_OF_SIGNERS}, _TWO
    if root == "boto":
        return _KEYWORDS, _TWO if last.startswith("connect_") or last.endswith("Connection") else {}
    if root in _SDK or last in _METHODS:
        keywords = {**_KEYWORDS, "profile": "profile"} if "botocore.session" in called else _KEYWORDS
        return {k: v for k, v in keywords.items() if root in _SDK or k in _AIMED}, _positions(called, last, root, names)
    if root in _SDK_USERS:
        return _KEYWORDS, {}
    return {}, {}


def _positions(called: str, last: str, root: str, names: Names) -> dict[int, Part]:
    if last in {"client", "resource", "create_client"}:
        return _CLIENT if root in _SDK or names.imported & _SDK else {}
    if last == "Session" and root in {"boto3", "aioboto3"}:
        return _SESSION
    if last in {"Session", "AioSession"} and "botocore.session" in called:
        return {3: "profile"}
    return {}


def _given(
    call: ast.Call, target: ast.expr, spellings: dict[str, Part], positions: dict[int, Part], names: Names
) -> Iterator[Given]:
    arguments = call.args if target is call.func else call.args[1:]
    # A name that stands for a partial has arguments of its own before these.
    direct = target is not call.func or not _stands_for_partial(target, names)
    for position, argument in enumerate(arguments if direct else ()):
        if isinstance(argument, ast.Starred):
            yield from _starred(argument, {p - position: part for p, part in positions.items()}, names)
            break
        if position in positions:
            yield Given(positions[position], f"argument {position + 1}", argument, argument)
    for keyword in call.keywords:
        if keyword.arg is None:
            for pair in names.pairs(keyword.value):
                if pair.key in spellings:
                    yield Given(spellings[pair.key], pair.key, pair.value, pair.at)
        elif keyword.arg in spellings:
            yield Given(spellings[keyword.arg], keyword.arg, keyword.value, keyword)


def _stands_for_partial(target: ast.expr, names: Names) -> bool:
    return any(
        isinstance(value, ast.Call) and names.dotted(value.func) == "functools.partial"
        for value in names.values(target)
    )


def _starred(argument: ast.Starred, positions: dict[int, Part], names: Names) -> Iterator[Given]:
    for value in [argument.value, *names.values(argument.value)]:
        if isinstance(value, ast.Tuple | ast.List):
            for position, element in enumerate(value.elts):
                if position in positions:
                    yield Given(positions[position], f"*{ast.unparse(argument.value)[:40]}", element, element)
            return
    # Whatever it holds, its first element is the key.
    if positions.get(0) == "key":
        yield Given("key", "the first argument", argument.value, argument)


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


# --- where they come from -----------------------------------------------------------------------------------------


def _is_complete(handover: Handover, names: Names) -> bool:
    """Whether key, secret and token are all there, and all from STS or from a session's own credentials."""
    if not handover.parts >= {"key", "secret", "token"} or "profile" in handover.parts:
        return False
    return all(is_temporary(given.value, given.part, names) for given in handover.given) or (
        _is_in_provider(handover.call, names)
    )


def _is_in_provider(node: ast.AST, names: Names) -> bool:
    """Whether it stands in a credential provider: there, all three are handed to the SDK's own chain."""
    owner = names.class_of(node)
    return owner is not None and any(last_name(base).endswith("CredentialProvider") for base in owner.bases)


def is_temporary(value: ast.expr, part: Part, names: Names) -> bool:
    """Whether a value is a part of STS's answer, or of the credentials that a session gave out."""
    ending, root = _ending(value, names)
    if ending in _ENDINGS[part]:
        # A mapping that this file makes: what stands under the key there counts.
        made = [pair.value for pair in names.pairs(root) if pair.key == ending]
        if made:
            return all(inner is not value and is_temporary(inner, part, names) for inner in made)
        if _is_answer(root, ending, names, 0):
            return True
    # A variable that was unpacked: key = answer["Credentials"]["AccessKeyId"].
    if isinstance(value, ast.Name | ast.Attribute):
        values = [inner for inner in names.values(value) if not _is_none(inner)]
        return bool(values) and all(_is_part(inner, value, part, names) for inner in values)
    return False


def _is_part(inner: ast.expr, value: ast.expr, part: Part, names: Names) -> bool:
    ending, _ = _ending(inner, names)
    return bool(ending) and ast.unparse(inner) != ast.unparse(value) and is_temporary(inner, part, names)


def _ending(value: ast.AST, names: Names) -> tuple[str, ast.AST]:
    """The last key or attribute of an expression, and what it is taken from."""
    if isinstance(value, ast.Await):
        return _ending(value.value, names)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "str" and value.args:
        return _ending(value.args[0], names)
    if isinstance(value, ast.Subscript):
        return (names.strings(value.slice) or [""])[0], value.value
    if (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
        and value.func.attr == "get"
        and value.args
    ):
        return (names.strings(value.args[0]) or [""])[0], value.func.value
    if isinstance(value, ast.Attribute) and value.attr in {"access_key", "secret_key", "token"}:
        return value.attr, value.value
    return "", value


def _is_answer(root: ast.AST, ending: str, names: Names, depth: int) -> bool:
    """Whether an expression is STS's answer or a session's credentials, or something below or made of it."""
    if depth > _DEEPEST:
        return False
    while (holder := _holder(root)) is not None:
        if isinstance(root, ast.Subscript) and _ARTIFACT_CREDENTIALS in names.strings(root.slice):
            return True
        root = holder
    if isinstance(root, ast.Call):
        return _answers(root, ending, names, depth + 1)
    parts: list[ast.expr] = root.values if isinstance(root, ast.BoolOp) else []
    if isinstance(root, ast.Name | ast.Attribute):
        parts = [value for value in names.values(root) if not _is_none(value)]
        if not parts:
            # Given from elsewhere: STS's own spelling, or an object that is called credentials, speaks for itself.
            is_object = "cred" in last_name(root).lower() and ending in {"access_key", "secret_key", "token"}
            return is_object or ending[:1].isupper()
    return bool(parts) and all(_is_answer(value, ending, names, depth + 1) for value in parts)


def _holder(node: ast.AST) -> ast.expr | None:
    """What `x["key"]`, `x.get("key")` and `await x` are taken from."""
    if isinstance(node, ast.Subscript | ast.Await):
        return node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
        return node.func.value
    return None


def _answers(call: ast.Call, ending: str, names: Names, depth: int) -> bool:
    name = last_name(call.func)
    if name in _STS or name in _OWN:
        return True
    functions = names.local_functions(call.func)
    if functions:
        returned = [value for function in functions for value in names.returned(function) if not _is_none(value)]
        return bool(returned) and all(_is_answer(value, ending, names, depth) for value in returned)
    return ending[:1].isupper() and _TAKES_ON_A_ROLE.search(name) is not None
