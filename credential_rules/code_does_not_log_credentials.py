"""A log is read by many more people than may act as the function, and is kept for years."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from credential_rules.environment_reads import CREDENTIALS, is_environment
from credential_rules.python_names import last_name, names_of
from credential_rules.rule import Example, Finding, Index, Rule, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.python_names import Names

_LOGS: Final = re.compile(
    r"\b(?:print|pp|pprint|log|logger|logging|logs|_?LOG|debug|info|warn|warning|error|exception|critical|write|echo|secho|put_annotation|put_metadata|append_keys|bind|writelines)\w*\s*\(",
    re.IGNORECASE,
)
_LEVELS: Final = frozenset(
    {
        "debug",
        "info",
        "warn",
        "warning",
        "error",
        "exception",
        "critical",
        "fatal",
        "log",
        "trace",
        "success",
        "notice",
        "msg",
    }
)
_LOGGER: Final = re.compile(r"(?:^|_|\b)(?:\w*log(?:ger|ging|s)?\w*|tracer|app)$", re.IGNORECASE)
_CARRIES_ON: Final = frozenset(
    {"append_keys", "bind", "put_annotation", "put_metadata", "add_metadata", "structure_logs"}
)
_PRINTS: Final = frozenset(
    {"pprint.pprint", "pprint.pp", "sys.stdout.write", "sys.stderr.write", "warnings.warn", "click.echo", "click.secho",
     "rich.print", "typer.echo", "sys.__stdout__.write", "sys.__stderr__.write", "os.write"}
)  # fmt: skip

# Names that promise a secret …
_SECRET: Final = re.compile(
    r"(?:^|_)(?:secrets?|secret_?(?:access_)?keys?|access_?keys?(?:_?ids?)?|passw(?:or)?ds?|passwd|pwd|passphrases?|credentials?|creds"
    r"|(?:session|security|access|auth|refresh|bearer|id|api|jwt|oauth)_?tokens?|tokens?|api_?keys?|private_?keys?"
    r"|signing_?keys?|client_?secrets?|secret_?(?:string|binary|value)|authori[sz]ation|auth_?header|connection_?string|conn_?str|dsn)$",
    re.IGNORECASE,
)
# … and those that are about one.
_ABOUT: Final = re.compile(
    r"(?:^|_)(?:next|continuation|page|pagination|start|max|min|num|n|total|count|has|is|no|missing|used|task|client_request"
    r"|idempotency|csrf_?cookie|stop|unk|pad|bos|eos|cls|sep|prompt|completion|input|output|token_?type|masked|redacted|hashed"
    r"|encrypted|hidden|safe|expected_?bucket)_"
    r"|^(?:next|continuation|page|pagination|client_?request|idempotency|receipt|sync|fencing)_?token$",
    re.IGNORECASE,
)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_MAKES_TEXT: Final = frozenset(
    {"str", "repr", "dict", "vars", "ascii", "format", "dumps", "pformat", "loads", "decode", "encode", "strip", "lstrip",
     "rstrip", "copy", "deepcopy", "join", "asdict", "b64encode", "b64decode", "model_dump", "model_dump_json", "json",
     "upper", "lower", "replace", "items", "values", "tuple", "get_frozen_credentials", "format_map", "to_dict", "safe_dump"}
)  # fmt: skip
_ENVIRONMENT: Final = "the whole environment, the role's credentials among it"
_MOST_LETTERS: Final = 8

_GIVES: Final[dict[str, str]] = {
    "assume_role": "the answer of assume_role",
    "assume_role_with_web_identity": "the answer of assume_role_with_web_identity",
    "assume_role_with_saml": "the answer of assume_role_with_saml",
    "get_session_token": "the answer of get_session_token",
    "get_federation_token": "the answer of get_federation_token",
    "get_role_credentials": "the answer of get_role_credentials",
    "get_credentials_for_identity": "the answer of get_credentials_for_identity",
    "create_access_key": "the answer of create_access_key",
    "get_frozen_credentials": "the session's credentials",
    "get_secret_value": "a secret's value",
    "batch_get_secret_value": "secrets' values",
    "get_random_password": "a password",
    "get_authorization_token": "a registry's token",
    "generate_db_auth_token": "a database token",
    "create_login_profile": "a password",
    "get_secret": "a secret's value",
}
"""Calls whose answer holds a secret. `get_credentials` is not among them: its object's text shows no value."""
_HOLDS: Final = frozenset(
    {"Credentials", "SecretAccessKey", "SessionToken", "AccessKeyId", "SecretString", "SecretBinary", "AccessKey",
     "RandomPassword", "authorizationToken", "authorizationData", "roleCredentials", "SecretValues", "SecretKey", "secretAccessKey",
     "sessionToken", "accessKeyId"}
)  # fmt: skip
"""The parts of such an answer that are secret; the others (`Expiration`, `ARN`) may be logged."""

_LABEL: Final = re.compile(
    r"(?:password|passwd|passphrase|secret|token|api[ _-]?key|access[ _-]?key(?:[ _-]?id)?|secret[ _-]?key|private[ _-]?key|credentials?)"
    r"[\"']?\s*(?:is|was|:|=|->|=>)+\s*[\"']?$",
    re.IGNORECASE,
)
"""A text that announces a secret: `password: `, `token=`."""
_PLACEHOLDER: Final = re.compile(r"%(?:\(\w+\))?[#0\- +]*\d*(?:\.\d+)?[srdiaf]|\{[^{}]*\}")
_DEEPEST: Final = 6


def _secrets_that_are_logged(_index: Index, source: Source) -> Iterator[Finding]:
    if not _LOGS.search(source.text):
        return
    names = names_of(source)
    for call in names.calls:
        if _is_log(call, names):
            for at, what in dict(_shown(call, names)).items():
                yield Finding(
                    source.at(at),
                    f"The code logs {what}: whoever reads the log, or its copies, can use it until it expires or is changed.",
                )


def _is_log(call: ast.Call, names: Names) -> bool:
    called, last = names.dotted(call.func), last_name(call.func)
    if isinstance(call.func, ast.Name):
        return (
            (last == "print" and not called and "print" not in names.functions)
            or called in _PRINTS
            or (called.startswith("logging.") and last in _LEVELS)
        )
    if called in _PRINTS:
        return True
    if not isinstance(call.func, ast.Attribute) or last not in _LEVELS | _CARRIES_ON:
        return False
    if called.startswith(("logging.", "structlog.", "loguru.", "aws_lambda_powertools.", "aws_xray_sdk.")):
        return True
    receiver = call.func.value
    name = last_name(receiver.func) if isinstance(receiver, ast.Call) else last_name(receiver)
    return bool(_LOGGER.search(name))


# --- what a call shows --------------------------------------------------------------------------------------------


def _shown(call: ast.Call, names: Names) -> Iterator[tuple[ast.AST, str]]:
    yield from _labelled(call.args, names)
    for argument in call.args:
        yield from _exposed(argument, names, 0)
    about_the_line = {"file", "exc_info", "stack_info", "stacklevel", "end", "sep", "flush"}
    yield from _exposed_keywords([keyword for keyword in call.keywords if keyword.arg not in about_the_line], names, 0)


def _exposed(node: ast.AST, names: Names, depth: int) -> Iterator[tuple[ast.AST, str]]:
    """The parts of an expression that are a secret in full, each with what it is."""
    if depth > _DEEPEST * 3:
        return
    if isinstance(node, ast.Name | ast.Attribute):
        what = _named(node, names, depth)
        if what:
            yield node, what
    elif isinstance(node, ast.Subscript):
        yield from _exposed_item(node, names, depth)
    elif isinstance(node, ast.Call):
        yield from _exposed_by_call(node, names, depth)
    elif isinstance(node, ast.Dict):
        yield from _exposed_entries(node, names, depth)
    else:
        yield from _announced(node, names)
        for part in _parts(node) or _wrapped(node):
            yield from _exposed(part, names, depth + 1)


def _exposed_entries(node: ast.Dict, names: Names, depth: int) -> Iterator[tuple[ast.AST, str]]:
    for key, value in zip(node.keys, node.values, strict=True):
        name = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
        if not _promises(name):
            yield from _exposed(value, names, depth + 1)
        elif not _says_nothing(value, names):
            yield value, f"'{name}'"


def _wrapped(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Await | ast.Starred | ast.NamedExpr):
        return [node.value]
    return [node.elt] if isinstance(node, ast.ListComp | ast.GeneratorExp | ast.SetComp) else []


def _announced(node: ast.AST, names: Names) -> Iterator[tuple[ast.AST, str]]:
    if isinstance(node, ast.JoinedStr):
        yield from _labelled_parts(node, names)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        yield from _labelled(
            [node.left, *(node.right.elts if isinstance(node.right, ast.Tuple) else [node.right])], names
        )
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _labelled_sum(node, names)


def _named(node: ast.Name | ast.Attribute, names: Names, depth: int) -> str:
    """What a variable or attribute is, empty if no secret."""
    if is_environment(node, names):
        return _ENVIRONMENT
    values = names.values(node)
    if values and all(_says_nothing(value, names) for value in values):
        return ""
    name = last_name(node)
    if _promises(name) and not _is_code(node, names):
        return f"'{name}'"
    if depth < _DEEPEST:
        for value in values:
            what = _gives(value, names, depth + 1)
            if what:
                return f"'{name}', {what}"
    return ""


def _is_code(node: ast.Name | ast.Attribute, names: Names) -> bool:
    """Whether a name means a module, a function or a class, not a value."""
    if isinstance(node, ast.Name):
        imported = names.imports.get(node.id, "")
        return (
            node.id in names.functions
            or node.id in names.classes
            or imported.partition(".")[0] in {"secrets", "token", "tokenize"}
        )
    return False


def _gives(value: ast.AST, names: Names, depth: int) -> str:
    """What an assigned expression gives, if it is a secret from one of AWS's answers or from the environment."""
    if depth > _DEEPEST:
        return ""
    if isinstance(value, ast.Subscript):
        return _gives_item(names.strings(value.slice), value.value, names, depth)
    if isinstance(value, ast.Call):
        return _given_by_call(value, names, depth)
    parts: list[ast.expr] = []
    if isinstance(value, ast.Await | ast.NamedExpr):
        parts = [value.value]
    elif isinstance(value, ast.Name | ast.Attribute):
        parts = names.values(value)
    elif isinstance(value, ast.JoinedStr):
        parts = [part.value for part in value.values if isinstance(part, ast.FormattedValue)]
    return next((what for part in parts if (what := _gives(part, names, depth + 1))), "")


def _given_by_call(call: ast.Call, names: Names, depth: int) -> str:
    name = last_name(call.func)
    holder = call.func.value if isinstance(call.func, ast.Attribute) else None
    if holder is not None and name == "get" and call.args:
        return _gives_item(names.strings(call.args[0]), holder, names, depth)
    if holder is not None and name in _GIVES:
        return _GIVES[name]
    if name in {"get_parameter", "get_parameters", "get_parameters_by_path"}:
        return "a decrypted parameter" if any(_asks_to_decrypt(keyword) for keyword in call.keywords) else ""
    if call.args and names.dotted(call.func) in {"os.getenv", "os.environ.get"}:
        return _variable(names.strings(call.args[0]))
    parts = [*call.args, *([holder] if holder is not None else [])] if name in _MAKES_TEXT else []
    return next((what for part in parts if (what := _gives(part, names, depth + 1))), "")


def _asks_to_decrypt(keyword: ast.keyword) -> bool:
    return keyword.arg == "WithDecryption" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True


def _gives_item(keys: list[str], holder: ast.expr, names: Names, depth: int) -> str:
    if is_environment(holder, names):
        return _variable(keys)
    inner = _gives(holder, names, depth + 1)
    if inner == "a decrypted parameter":
        return inner if not keys or any(key in {"Parameter", "Parameters", "Value"} for key in keys) else ""
    # What was loaded from a secret's text is secret under every key.
    loaded = inner and (_HOLDS.isdisjoint(keys) and _is_loaded(holder, names))
    return inner if inner and (not keys or not _HOLDS.isdisjoint(keys) or loaded) else ""


def _is_loaded(holder: ast.expr, names: Names) -> bool:
    values = [holder, *(names.values(holder))]
    return any(isinstance(value, ast.Call) and last_name(value.func) == "loads" for value in values)


def _variable(keys: list[str]) -> str:
    wanted = [key for key in keys if key.upper() in CREDENTIALS or _promises(key)]
    return f"the variable {wanted[0]}" if wanted else ""


def _exposed_item(node: ast.Subscript, names: Names, depth: int) -> Iterator[tuple[ast.AST, str]]:
    if isinstance(node.slice, ast.Slice):
        if not _is_short(node.slice):
            yield from _exposed(node.value, names, depth + 1)
        return
    keys = names.strings(node.slice)
    promised = next((key for key in keys if _promises(key)), "")
    if promised:
        yield node, f"'{promised}'"
        return
    what = _gives(node, names, depth + 1)
    if what:
        yield node, what


def _is_short(part: ast.Slice) -> bool:
    """Whether it keeps a few letters at most: `[:4]`, `[-4:]`."""

    def number(bound: ast.expr | None) -> int | None:
        if (
            isinstance(bound, ast.UnaryOp)
            and isinstance(bound.op, ast.USub)
            and isinstance(bound.operand, ast.Constant)
        ):
            bound_value = bound.operand.value
            return -bound_value if isinstance(bound_value, int) else None
        return bound.value if isinstance(bound, ast.Constant) and isinstance(bound.value, int) else None

    low, high = number(part.lower), number(part.upper)
    if part.lower is None or low == 0:
        return high is not None and 0 <= high <= _MOST_LETTERS
    if low is None:
        return False
    if part.upper is None:
        return -_MOST_LETTERS <= low < 0
    return high is not None and 0 <= high - low <= _MOST_LETTERS


def _exposed_by_call(node: ast.Call, names: Names, depth: int) -> Iterator[tuple[ast.AST, str]]:
    name = last_name(node.func)
    what = _answer(node, name, names, depth)
    if what:
        yield node, what
    elif name in _MAKES_TEXT:
        if name == "format" and isinstance(node.func, ast.Attribute):
            yield from _labelled([node.func.value, *node.args], names)
        if isinstance(node.func, ast.Attribute) and not names.dotted(node.func.value):
            yield from _exposed(node.func.value, names, depth + 1)
        for argument in node.args:
            yield from _exposed(argument, names, depth + 1)
        yield from _exposed_keywords(node.keywords, names, depth)


def _answer(node: ast.Call, name: str, names: Names, depth: int) -> str:
    """What a call gives, if that is a secret whatever it is given."""
    if name != "keys" and is_environment(node, names):
        return _ENVIRONMENT
    if isinstance(node.func, ast.Attribute) and name == "get" and node.args:
        promised = next((key for key in names.strings(node.args[0]) if _promises(key)), "")
        if promised:
            return f"'{promised}'"
    return "" if name in _MAKES_TEXT else _gives(node, names, depth)


def _exposed_keywords(keywords: list[ast.keyword], names: Names, depth: int) -> Iterator[tuple[ast.AST, str]]:
    for keyword in keywords:
        if not _promises(keyword.arg or ""):
            yield from _exposed(keyword.value, names, depth + 1)
        elif not _says_nothing(keyword.value, names):
            yield keyword.value, f"'{keyword.arg}'"


# --- texts that announce a secret ---------------------------------------------------------------------------------


def _labelled(arguments: list[ast.expr], names: Names) -> Iterator[tuple[ast.AST, str]]:
    """Arguments for which a text says that they are a secret: `"password: %s", value`."""
    if len(arguments) < 2 or not isinstance(arguments[0], ast.Constant) or not isinstance(arguments[0].value, str):  # noqa: PLR2004 (text and value)
        return
    text = arguments[0].value
    pieces = _PLACEHOLDER.split(text)
    # print("password:", value) has no placeholder.
    announced = pieces[:-1] if len(pieces) > 1 else [f"{text.rstrip()} "]
    for piece, argument in zip(announced, arguments[1:], strict=False):
        if _LABEL.search(piece) and not _says_nothing(argument, names):
            yield argument, f"what the message calls a secret ('{_last_words(piece)}')"


def _labelled_parts(node: ast.JoinedStr, names: Names) -> Iterator[tuple[ast.AST, str]]:
    before = ""
    for part in node.values:
        if isinstance(part, ast.Constant):
            before = str(part.value)
        elif isinstance(part, ast.FormattedValue):
            if _LABEL.search(before) and not _says_nothing(part.value, names):
                yield part.value, f"what the message calls a secret ('{_last_words(before)}')"
            before = ""


def _labelled_sum(node: ast.BinOp, names: Names) -> Iterator[tuple[ast.AST, str]]:
    left = node.left.right if isinstance(node.left, ast.BinOp) else node.left
    if (
        isinstance(left, ast.Constant)
        and isinstance(left.value, str)
        and _LABEL.search(left.value)
        and not _says_nothing(node.right, names)
    ):
        yield node.right, f"what the message calls a secret ('{_last_words(left.value)}')"


def _last_words(text: str) -> str:
    """The words that announce, and nothing that stands before them: that may be a secret itself."""
    found = _LABEL.search(text)
    return found[0].strip() if found else ""


def _says_nothing(node: ast.AST, names: Names) -> bool:
    """Whether an expression surely shows no secret: a constant, a yes or no, a length, a few letters, a mask."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Slice) and _is_short(node.slice)
    if isinstance(node, ast.Call):
        # Whatever is not known to hand its argument on may be the masking that is wanted.
        name = last_name(node.func)
        return name not in _MAKES_TEXT and name not in _GIVES and name not in {"get", "pop", "getenv"}
    if isinstance(node, ast.Name | ast.Attribute):
        return not _promises(last_name(node)) and bool(_IS_ABOUT.search(_snake(last_name(node))))
    parts = _parts(node)
    if parts is not None:
        return all(_says_nothing(part, names) for part in parts)
    return isinstance(node, ast.Constant | ast.Compare) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    )


def _parts(node: ast.AST) -> list[ast.expr] | None:
    """The expressions whose texts an expression puts together or chooses from, None if it is none of those."""
    if isinstance(node, ast.JoinedStr):
        return [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return node.elts
    return None


_IS_ABOUT: Final = re.compile(
    r"_(?:names?|arns?|ids?|paths?|files?|urls?|uris?|length|len|count|size|types?|versions?|expir\w*|ttl|age|valid|exists|present"
    r"|status|error|exc|e|hash|digest|fingerprint|prefix|suffix|masked|redacted|tail|last_four|source|method|region|usage|limit)$"
    r"|^(?:e|ex|exc|err|error|exception|count|status|name|arn|user|username|user_id|request_id|i|n)$",
    re.IGNORECASE,
)


def _snake(name: str) -> str:
    return _CAMEL.sub("_", name)


def _promises(name: str) -> bool:
    """Whether a name promises a secret, not something about one."""
    snake = _snake(name).replace("-", "_")
    return bool(_SECRET.search(snake)) and not _ABOUT.search(snake)


RULE = Rule(
    slug="code-does-not-log-credentials",
    group="Source of the functions",
    sentence="No log line, print or trace shows a credential, a secret or the whole environment.",
    reason=(
        "Whoever may read a log reads what it shows: support, contractors, the tools that copy logs elsewhere. A function's"
        " environment holds its role's key, secret and token, and the answer of assume_role those of another."
    ),
    remedy=(
        "Log what tells the case apart: a name, an ARN, an expiry, the last four characters of a key id, whether a value is"
        " there. Then delete the lines that were logged, and change the secrets in them."
    ),
    on_source=_secrets_that_are_logged,
    bad=(
        Example(
            "session-credentials",
            """
import boto3
import logging

logger = logging.getLogger(__name__)
credentials = boto3.Session().get_credentials().get_frozen_credentials()
logger.info("signing with %s and %s", credentials.access_key, credentials.secret_key)
""",
            language="python",
            finding="'secret_key'",
        ),
        Example(
            "whole-environment",
            """
import os

def handler(event, context):
    print("environment:", dict(os.environ))
""",
            language="python",
            finding="the whole environment",
        ),
        Example(
            "answer-of-assume-role",
            """
import json
import boto3
from aws_lambda_powertools import Logger

logger = Logger()
answer = boto3.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="report")
logger.debug(f"assumed: {json.dumps(answer, default=str)}")
""",
            language="python",
            finding="the answer of assume_role",
        ),
        Example(
            "secret-of-the-secrets-manager",
            """
import boto3

value = boto3.client("secretsmanager").get_secret_value(SecretId="db")["SecretString"]
print(value)
""",
            language="python",
            finding="a secret's value",
        ),
        Example(
            "announced-by-the-message",
            """
import logging

def connect(user, value):
    logging.warning("login of %s failed with password: %s", user, value)
""",
            language="python",
            finding="'password:'",
        ),
    ),
    good=(
        Example(
            "what-tells-the-case-apart",
            """
import boto3
import logging

logger = logging.getLogger(__name__)
credentials = boto3.Session().get_credentials().get_frozen_credentials()
logger.info("signing with …%s, token present: %s", credentials.access_key[-4:], credentials.token is not None)
""",
            language="python",
        ),
        Example(
            "facts-about-secrets",
            """
import logging
import os

logger = logging.getLogger(__name__)

def handler(event, context):
    logger.info("variables: %s", sorted(os.environ))
    logger.info("secret %s, version %s", event["secret_arn"], event["version_id"])
    logger.info("page", extra={"next_token": event.get("next_token"), "token_count": 3})
    logger.info("password length %d", len(event["password"]))
    print(f"token: {mask(event['token'])}")
    logger.error("Password reset failed: %s", event["error"])
""",
            language="python",
        ),
    ),
)
