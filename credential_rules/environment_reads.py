"""Where code reads its own credentials in the environment, puts others there, or removes them, however it spells it."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from credential_rules.python_names import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.python_names import FunctionNode, Names

CREDENTIALS: Final = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_ACCESS_KEY",
        "AWS_SECRET_KEY",
    }
)
"""The variables that hold the role's credentials, and their older names."""
_TOKENS: Final = frozenset({"AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"})
_LOOKED_FOR: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""What Lambda sets and the SDK looks for: the older names are nothing that a function would miss."""
_CHANGE_IDENTITY: Final = CREDENTIALS | {"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SHARED_CREDENTIALS_FILE"}

_WHOLE: Final = frozenset(
    {"os.environ", "os.environb", "os.environ.copy()", "dotenv.dotenv_values()", "os.environ.items()"}
)
_GETENV: Final = frozenset({"os.getenv", "os.getenvb", "os.environ.get", "os.environ.pop", "os.environ.__getitem__"})
_SETTINGS_PACKAGES: Final = frozenset(
    {"decouple", "environ", "environs", "envparse", "everett", "prettyconf", "starlette", "dynaconf", "confuse"}
)
"""Packages whose objects are called with a variable's name and give its value."""
_READER: Final = re.compile(
    r"^(?:\w*_)?(?:get_?|read_?|require_?|load_?)?env(?:iron(?:ment)?)?(?:_?\w+)?$", re.IGNORECASE
)
_WRITER: Final = re.compile(r"set|put|del|remove|clear|patch|strip|without|redact|mask", re.IGNORECASE)

# The extension's own proof that the caller runs in this function: it wants exactly the session token.
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
_EXTENSION_HEADER: Final = re.compile(r"x-aws-parameters-secrets-token", re.IGNORECASE)


def is_environment(node: ast.AST, names: Names, depth: int = 0) -> bool:
    """Whether an expression is the process environment, or a copy of all of it."""
    if depth > 4:  # noqa: PLR2004 (copies of copies)
        return False
    if names.dotted(node) in _WHOLE:
        return True
    parts: list[ast.expr] = []
    if isinstance(node, ast.Call) and last_name(node.func) in {"dict", "copy", "items", "deepcopy", "SimpleNamespace"}:
        parts = [*node.args, *(k.value for k in node.keywords if k.arg is None)]
        if isinstance(node.func, ast.Attribute):
            parts.append(node.func.value)
    elif isinstance(node, ast.Dict):
        parts = [value for key, value in zip(node.keys, node.values, strict=True) if key is None]
    elif isinstance(node, ast.DictComp):
        parts = [generator.iter for generator in node.generators]
    elif isinstance(node, ast.BinOp):
        parts = [node.left, node.right]
    elif isinstance(node, ast.Name | ast.Attribute):
        parts = names.values(node)
    return any(is_environment(part, names, depth + 1) for part in parts)


def reads(names: Names, nodes: tuple[ast.AST, ...], text: str) -> Iterator[tuple[ast.AST, str]]:
    """Each place that takes a credential out of the environment, with the variable's name.

    Not among them: asking whether it is there; the session token alone for the secrets extension; a credential
    provider that takes all three; what `removals` tells.
    """
    wrappers = dict(_wrappers(names, nodes))
    removed = {removal.at for removal in removals(names, nodes)}
    found = [
        (node, name)
        for node in nodes
        if node not in removed
        for name in dict.fromkeys(_read(node, names, wrappers))
        if not _is_only_asked(node, names)
    ]
    for node, name in found:
        if name in _TOKENS and _EXTENSION_HEADER.search(text):
            continue
        if not _is_whole_set_in_provider(node, found, names):
            yield node, name


def _is_whole_set_in_provider(node: ast.AST, found: list[tuple[ast.AST, str]], names: Names) -> bool:
    owner = names.class_of(node)
    if owner is None or not any(last_name(base).endswith("CredentialProvider") for base in owner.bases):
        return False
    return {name for other, name in found if names.class_of(other) is owner} >= {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    }


def _read(node: ast.AST, names: Names, wrappers: dict[FunctionNode, str]) -> Iterator[str]:
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        wanted = _credentials(node.slice, names)
        if wanted and is_environment(node.value, names):
            yield from wanted
    elif isinstance(node, ast.Call):
        yield from _read_by_call(node, names, wrappers)
    elif (
        isinstance(node, ast.Attribute)
        and node.attr.upper() in CREDENTIALS
        and isinstance(node.ctx, ast.Load)
        and (is_environment(node.value, names) or _reads_without_prefix(node.value, names))
    ):
        yield node.attr.upper()


def _read_by_call(node: ast.Call, names: Names, wrappers: dict[FunctionNode, str]) -> Iterator[str]:
    argument = _name_argument(node)
    called = names.dotted(node.func)
    if called == "operator.itemgetter()" and argument is not None and is_environment(argument, names):
        yield from (
            name for value in _calls_behind(node.func, names) for a in value.args for name in _credentials(a, names)
        )
        return
    if argument is None:
        return
    wanted = _credentials(argument, names) or _with_prefix(node, argument, names)
    if not wanted:
        return
    root, last = called.partition(".")[0], last_name(node.func)
    if (
        called in _GETENV
        or (last in {"get", "pop", "__getitem__"} and isinstance(node.func, ast.Attribute) and is_environment(node.func.value, names))
        or root in _SETTINGS_PACKAGES
        or any(function in wrappers for function in names.local_functions(node.func))
        or (not names.local_functions(node.func) and _READER.match(last) and not _WRITER.search(last))
    ):  # fmt: skip
        yield from wanted


def _calls_behind(node: ast.expr, names: Names) -> list[ast.Call]:
    return [value for value in [node, *names.values(node)] if isinstance(value, ast.Call)]


def _name_argument(node: ast.Call) -> ast.expr | None:
    if node.args:
        return node.args[0]
    return next(
        (k.value for k in node.keywords if k.arg in {"key", "name", "option", "var", "env", "default_env"}), None
    )


def _credentials(node: ast.AST, names: Names) -> list[str]:
    found = [text.upper() for text in names.strings(node) if text.upper() in CREDENTIALS]
    if not found and isinstance(node, ast.Constant) and isinstance(node.value, bytes):
        found = [text for text in CREDENTIALS if node.value == text.encode()]
    return found


def _with_prefix(node: ast.Call, argument: ast.expr, names: Names) -> list[str]:
    """`with env.prefixed("AWS_"): env("ACCESS_KEY_ID")`."""
    wanted = [f"AWS_{text}".upper() for text in names.strings(argument)]
    wanted = [name for name in wanted if name in CREDENTIALS]
    if not wanted:
        return []
    for holder in names.above(node):
        for item in holder.items if isinstance(holder, ast.With | ast.AsyncWith) else ():
            call = item.context_expr
            if (
                isinstance(call, ast.Call)
                and last_name(call.func) == "prefixed"
                and call.args
                and any(text.upper() == "AWS_" for text in names.strings(call.args[0]))
            ):
                return wanted
    return []


def _reads_without_prefix(node: ast.AST, names: Names) -> bool:
    """Whether it is a Dynaconf object that takes variables under their own names."""
    if names.dotted(node) != "dynaconf.Dynaconf()" or not isinstance(node, ast.Name | ast.Attribute):
        return False
    return any(
        keyword.arg == "envvar_prefix" and isinstance(keyword.value, ast.Constant) and not keyword.value.value
        for call in _calls_behind(node, names)
        for keyword in call.keywords
    )


def _wrappers(names: Names, nodes: tuple[ast.AST, ...]) -> Iterator[tuple[FunctionNode, str]]:
    """The functions of the file that read the variable whose name they are given."""
    for node in nodes:
        key: ast.expr | None = None
        if isinstance(node, ast.Subscript) and is_environment(node.value, names):
            key = node.slice
        elif isinstance(node, ast.Call) and (
            names.dotted(node.func) in _GETENV
            or (
                isinstance(node.func, ast.Attribute)
                and node.func.attr == "get"
                and is_environment(node.func.value, names)
            )
        ):
            key = _name_argument(node)
        if isinstance(key, ast.Call) and isinstance(key.func, ast.Attribute):
            key = key.func.value
        if isinstance(key, ast.Name):
            function = names.parameter(key)
            if function is not None:
                yield function, key.id


def _is_only_asked(node: ast.AST, names: Names) -> bool:
    """Whether the value serves a yes or no and goes nowhere, or is dropped."""
    below = node
    for holder in names.above(node):
        if isinstance(holder, ast.BoolOp):
            below = holder
            continue
        return (
            isinstance(holder, ast.Compare)
            or (isinstance(holder, ast.Expr) and isinstance(below, ast.Call) and last_name(below.func) == "pop")
            or (isinstance(holder, ast.If | ast.IfExp | ast.While | ast.Assert) and holder.test is below)
            or (isinstance(holder, ast.Call) and last_name(holder.func) in {"bool", "len", "all", "any"})
            or (isinstance(holder, ast.UnaryOp) and isinstance(holder.op, ast.Not))
        )
    return False


def writes(names: Names, nodes: tuple[ast.AST, ...]) -> Iterator[tuple[ast.AST, str]]:
    """Each place that puts a credential or a profile into the process environment, with the variable's name."""
    for node in nodes:
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            if names.dotted(node.value) in {"os.environ", "os.environb"}:
                yield from ((node, name) for name in _changed(names.strings(node.slice)))
        elif isinstance(node, ast.Call):
            called = names.dotted(node.func)
            if called in {"os.putenv", "os.environ.setdefault", "os.environ.__setitem__"} and node.args:
                yield from ((node, name) for name in _changed(names.strings(node.args[0])))
            elif called == "os.environ.update":
                given = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg is None)]
                keys = [pair.key for argument in given for pair in names.pairs(argument)]
                keys += [keyword.arg for keyword in node.keywords if keyword.arg is not None]
                yield from ((node, name) for name in _changed(keys))
        elif isinstance(node, ast.AugAssign) and names.dotted(node.target) == "os.environ":
            yield from ((node, name) for name in _changed([pair.key for pair in names.pairs(node.value)]))


def _changed(keys: list[str]) -> list[str]:
    return [name for key in dict.fromkeys(keys) if (name := key.upper()) in _CHANGE_IDENTITY]


# --- removed ------------------------------------------------------------------------------------------------------

_PROCESS: Final = frozenset({"os.environ", "os.environb"})


class Removal(NamedTuple):
    """A place that removes parts of the role's credentials from the process environment.

    `is_from_sdk`: the SDK does not find them any more; `os.unsetenv` takes them from other programs only.
    """

    at: ast.AST
    variables: tuple[str, ...]
    is_from_sdk: bool = True


def removals(names: Names, nodes: tuple[ast.AST, ...]) -> Iterator[Removal]:
    """Each place that removes the role's credentials from the environment.

    Not among them: a copy for another program; an environment that is emptied to put a copy of it back.
    """
    for node in nodes:
        if isinstance(node, ast.Subscript):
            if isinstance(node.ctx, ast.Del) and names.dotted(node.value) in _PROCESS:
                yield from _removed(node, node.slice, names)
        elif isinstance(node, ast.Call):
            called = names.dotted(node.func)
            owner, _, method = called.rpartition(".")
            if called == "os.unsetenv" or (owner in _PROCESS and method in {"pop", "__delitem__"}):
                key = _name_argument(node)
                for removal in _removed(node, key, names) if key is not None else ():
                    yield removal._replace(is_from_sdk=called != "os.unsetenv")
            elif owner in _PROCESS and method == "clear" and not _is_put_back(names):
                yield Removal(node, _LOOKED_FOR)


def _removed(node: ast.AST, key: ast.expr, names: Names) -> Iterator[Removal]:
    gone = _parts(_credentials(key, names)) or _of_a_beginning(node, key, names)
    if gone:
        yield Removal(node, gone)
    function = names.parameter(key)
    if function is not None and isinstance(key, ast.Name):
        for call in names.callers.get(function, ()):
            given = names.argument(call, function, key.id)
            if given is not None and (gone := _parts(_credentials(given, names))):
                yield Removal(call, gone)


def _parts(variables: list[str]) -> tuple[str, ...]:
    return tuple(name for name in _LOOKED_FOR if name in variables)


def _of_a_beginning(node: ast.AST, key: ast.expr, names: Names) -> tuple[str, ...]:
    """The variables that a loop over the environment removes: `if name.startswith("AWS_"): del os.environ[name]`."""
    tests: list[ast.expr] = []
    for holder in names.above(node):
        if isinstance(holder, ast.If):
            tests.append(holder.test)
        elif isinstance(holder, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            tests += [test for generator in holder.generators for test in generator.ifs]
    for test in tests:
        if (
            isinstance(test, ast.Call)
            and isinstance(test.func, ast.Attribute)
            and test.func.attr == "startswith"
            and test.args
            and ast.unparse(test.func.value) == ast.unparse(key)
        ):
            beginnings = tuple(names.strings(test.args[0]))
            return tuple(name for name in _LOOKED_FOR if name.startswith(beginnings))
    return ()


def _is_put_back(names: Names) -> bool:
    return any(
        names.dotted(call.func) == "os.environ.update" and any(is_environment(given, names) for given in call.args)
        for call in names.calls
    )
