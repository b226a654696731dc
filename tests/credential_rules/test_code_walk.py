"""The interpretation of programs holds for programs that nobody wrote: it misses no call, makes none up, and always ends."""

from __future__ import annotations

import ast
import sys
import sysconfig
import textwrap
import time
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credential_rules import code_calls
from credential_rules.code_walk.objects import Objects
from credential_rules.code_walk.program import Module, Program
from credential_rules.code_walk.walk import Walk
from credential_rules.reader import Unreadable
from credential_rules.sources import parse_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from credential_rules.code_calls import CodeCalls

WAYS: Final = {
    "function": ("def {n}(): return {e}", "{n}()"),
    "parameter": ("def {n}(x): return x", "{n}({e})"),
    "keyword": ("def {n}(*, x=None): return x", "{n}(x={e})"),
    "keywords": ("def {n}(**k): return k['c']", "{n}(c={e})"),
    "rest": ("def {n}(*a): return a[0]", "{n}(*[{e}])"),
    "default": ("def {n}(x={e}): return x", "{n}()"),
    "attribute": ("class {n}:\n    def __init__(self, c): self.c = c", "{n}({e}).c"),
    "method": ("class {n}:\n    def get(self): return {e}", "{n}().get()"),
    "property": ("class {n}:\n    @property\n    def c(self): return {e}", "{n}().c"),
    "class method": ("class {n}:\n    @classmethod\n    def get(cls): return {e}", "{n}.get()"),
    "static method": ("class {n}:\n    @staticmethod\n    def get(x): return x", "{n}.get({e})"),
    "class attribute": ("class {n}:\n    c = {e}", "{n}.c"),
    "inherited": ("class {n}B:\n    def get(self): return {e}\nclass {n}({n}B): pass", "{n}().get()"),
    "super": (
        (
            "class {n}B:\n    def __init__(self, c): self.c = c\n"
            "class {n}({n}B):\n    def __init__(self, c): super().__init__(c)"
        ),
        "{n}({e}).c",
    ),
    "dataclass": ("@dataclasses.dataclass\nclass {n}:\n    c: object", "{n}({e}).c"),
    "named tuple": ("class {n}(typing.NamedTuple):\n    c: object", "{n}(c={e}).c"),
    "callable object": ("class {n}:\n    def __call__(self, x): return x", "{n}()({e})"),
    "item": ("class {n}:\n    def __getitem__(self, key): return {e}", "{n}()['k']"),
    "missing attribute": ("class {n}:\n    def __getattr__(self, name): return {e}", "{n}().whatever"),
    "context manager": (
        (
            "class {n}:\n    def __enter__(self): return {e}\n    def __exit__(self, *a): pass\n"
            "def {n}_f():\n    with {n}() as c: return c"
        ),
        "{n}_f()",
    ),
    "context function": (
        "@contextlib.contextmanager\ndef {n}():\n    yield {e}\ndef {n}_f():\n    with {n}() as c: return c",
        "{n}_f()",
    ),
    "closure": ("def {n}(x):\n    def inner(): return x\n    return inner", "{n}({e})()"),
    "decorator": (
        "def {n}_d(f):\n    @functools.wraps(f)\n    def inner(*a): return f(*a)\n    return inner\n@{n}_d\ndef {n}(x): return x",
        "{n}({e})",
    ),
    "cached": ("@functools.lru_cache\ndef {n}(): return {e}", "{n}()"),
    "partial": ("def {n}(x, y): return x", "functools.partial({n}, {e})(1)"),
    "lambda": ("", "(lambda: {e})()"),
    "lambda parameter": ("", "(lambda x: x)({e})"),
    "mapping": ("{n} = {{'k': {e}}}", "{n}['k']"),
    "mapping get": ("{n} = {{'k': {e}}}", "{n}.get('k')"),
    "mapping of functions": ("def {n}_f(): return {e}\n{n} = {{'k': {n}_f}}", "{n}['k']()"),
    "list": ("", "[{e}][0]"),
    "appended": ("{n} = []\n{n}.append({e})", "{n}[0]"),
    "tuple": ("{n}, {n}_other = {e}, 1", "{n}"),
    "returned tuple": ("def {n}(): return 1, {e}\n{n}_a, {n}_b = {n}()", "{n}_b"),
    "generator": ("def {n}():\n    yield {e}", "next({n}())"),
    "comprehension": ("", "[c for c in [{e}]][0]"),
    "loop": ("def {n}():\n    for c in ({e},):\n        return c", "{n}()"),
    "map": ("def {n}(x): return x", "next(iter(map({n}, [{e}])))"),
    "pool": (
        (
            "def {n}(x): return x\ndef {n}_f():\n    with concurrent.futures.ThreadPoolExecutor(1) as p:\n"
            "        return p.submit({n}, {e}).result()"
        ),
        "{n}_f()",
    ),
    "choice": ("", "({e} if True else None)"),
    "or": ("", "(None or {e})"),
    "walrus": ("", "({n} := {e})"),
    "global": ("{n}_c = None\ndef {n}():\n    global {n}_c\n    {n}_c = {e}\n    return {n}_c", "{n}()"),
    "nonlocal": (
        "def {n}():\n    c = None\n    def fill():\n        nonlocal c\n        c = {e}\n    fill()\n    return c",
        "{n}()",
    ),
    "setattr": ("class {n}: pass\n{n}_o = {n}()\nsetattr({n}_o, 'c', {e})", "getattr({n}_o, 'c')"),
    "match": ("def {n}(x):\n    match {{'c': x}}:\n        case {{'c': found}}: return found", "{n}({e})"),
    "try": ("def {n}():\n    try:\n        return {e}\n    finally:\n        pass", "{n}()"),
    "awaited": (
        (
            "async def {n}(): return {e}\ndef {n}_f():\n    with concurrent.futures.ThreadPoolExecutor(1) as p:\n"
            "        return p.submit(asyncio.run, {n}()).result()"
        ),
        "{n}_f()",
    ),
    "annotated": ("{n}: object = {e}", "{n}"),
    "type": ("class {n}:\n    def get(self): return {e}", "type({n}())().get()"),
}
"""Ways to get at a value: what has to be defined, and the expression that then has it. `{e}` is how it was got at before."""

IMPORTS: Final = "import asyncio, boto3, concurrent.futures, contextlib, dataclasses, functools, typing\n"


def interpret(code: str, handler: str = "handler") -> CodeCalls:
    """What one module calls."""
    module = Module("app", parse_source("app.py", code), is_package=False)
    return code_calls._interpret(Program([module]), module, handler, has_layers=False)


def program(ways: list[str]) -> str:
    """A program that gets at a client in these ways, one within the other, and calls it."""
    parts: list[str] = []
    expression = "boto3.client('s3')"
    for number, way in enumerate(ways):
        definition, use = WAYS[way]
        parts.append(definition.format(n=f"n{number}", e=expression))
        expression = use.format(n=f"n{number}", e=expression)
    parts.append(f"def handler(event, context):\n    {expression}.put_object(Bucket='b')")
    return IMPORTS + "\n".join(parts) + "\n"


def is_python(ways: list[str]) -> bool:
    """Whether Python takes the ways within one another: it refuses a walrus in what a comprehension goes through."""
    try:
        compile(program(ways), "app.py", "exec")
    except SyntaxError:
        return False
    return True


class Recorder(ModuleType):
    """Stands for the SDK where a program is run for the truth: it notes what is called, and on which service."""

    def __init__(self) -> None:
        super().__init__("boto3")
        self.called: list[tuple[str, str]] = []

    def client(self, service: str) -> object:
        """A client that notes its calls."""
        recorder = self

        class Client:
            def __getattr__(self, name: str) -> Callable[..., None]:
                return lambda **_: recorder.called.append((service, name))

        return Client()


def run(code: str) -> list[tuple[str, str]]:
    """What a program really calls."""
    recorder = Recorder()
    before = sys.modules.get("boto3")
    sys.modules["boto3"] = recorder
    try:
        scope: dict[str, Any] = {"__name__": "__main__"}
        exec(compile(code, "app.py", "exec"), scope)  # noqa: S102 (programs that this test made)
        scope["handler"]({}, None)
    finally:
        del sys.modules["boto3"]
        if before is not None:
            sys.modules["boto3"] = before
    return recorder.called


def found(calls: CodeCalls) -> set[tuple[str, str, tuple[str, ...]]]:
    """The calls, without their places."""
    return {(call.service, call.operation, tuple(one.text for one in call.resources)) for call in calls.calls}


EXACTLY: Final = {("s3", "PutObject", ("b",))}


@pytest.mark.parametrize("way", WAYS)
def test_a_client_is_followed_through_each_way(way: str) -> None:
    """The program runs and makes its one call, and exactly that is found."""
    code = program([way])
    assert run(code) == [("s3", "put_object")]
    calls = interpret(code)
    assert found(calls) == EXACTLY
    assert calls.is_complete, calls.unknown


@settings(max_examples=100)
@given(st.lists(st.sampled_from(sorted(WAYS)), min_size=2, max_size=5).filter(is_python))
def test_a_client_is_followed_through_any_ways_within_each_other(ways: list[str]) -> None:
    """Nobody's wrappers are known by name: what can be done to a value can be done again to the result."""
    code = program(ways)
    assert run(code) == [("s3", "put_object")]
    calls = interpret(code)
    assert found(calls) == EXACTLY, code
    assert calls.is_complete, (code, calls.unknown)


THROUGH_OTHERS: Final = {"map", "pool", "awaited", "generator", "context function"}
"""Ways through code of others, which may make another text of a text: what comes back is then not known."""


@settings(max_examples=100)
@given(st.lists(st.sampled_from(sorted(WAYS)), min_size=1, max_size=4))
def test_a_variable_is_followed_to_the_call_or_said_to_be_unknown(ways: list[str]) -> None:
    """What a call goes to is never taken for something else."""
    code = (
        program(ways)
        .replace("boto3.client('s3')", "os.environ['BUCKET']")
        .replace("import asyncio", "import os, asyncio")
    )
    start, _, expression = code.rpartition("    ")
    expression = expression.strip().removesuffix(".put_object(Bucket='b')")
    calls = interpret(f"{start}    boto3.client('s3').put_object(Bucket={expression})\n")
    ((service, operation, resources),) = found(calls)
    assert (service, operation) == ("s3", "PutObject")
    assert resources == ("BUCKET",) or (resources == () and THROUGH_OTHERS & set(ways)), (ways, resources)


NAMES: Final = st.sampled_from(["a", "b", "client", "self", "handler", "event", "boto3", "os", "f", "C"])
ATOMS: Final = st.one_of(
    NAMES, st.sampled_from(["1", "None", "'s3'", "'put_object'", "boto3.client('s3')", "os.environ", "..."])
)


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(inner, NAMES).map(lambda p: f"({p[0]}).{p[1]}"),
        two.map(lambda p: f"({p[0]})({p[1]})"),
        two.map(lambda p: f"({p[0]})(*{p[1]}, **{p[0]})"),
        two.map(lambda p: f"({p[0]})[{p[1]}]"),
        two.map(lambda p: f"{{{p[0]}: {p[1]}, **{p[0]}}}"),
        two.map(lambda p: f"[{p[0]}, *{p[1]}]"),
        two.map(lambda p: f"({p[0]} or {p[1]})"),
        two.map(lambda p: f"({p[0]} + {p[1]})"),
        two.map(lambda p: f"getattr({p[0]}, {p[1]})"),
        two.map(lambda p: f"(lambda a, *b, **c: {p[0]})({p[1]})"),
        st.tuples(NAMES, inner, inner).map(lambda p: f"[{p[1]} for {p[0]} in {p[2]}]"),
        inner.map(lambda e: "f'{" + e.replace("'", '"') + "}'"),
    )


EXPRESSIONS: Final = st.recursive(ATOMS, _grown, max_leaves=6)


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def block(head: str, body: str) -> str:
        return head + "\n" + textwrap.indent(body, "    ")

    return st.one_of(
        st.tuples(inner, inner).map("\n".join),
        st.tuples(NAMES, inner).map(lambda p: block(f"def {p[0]}(a, b=1, *c, client=None, **d):", p[1])),
        st.tuples(NAMES, EXPRESSIONS, inner).map(lambda p: block(f"class {p[0]}({p[1]}):", p[2])),
        st.tuples(EXPRESSIONS, inner).map(lambda p: block(f"if {p[0]}:", p[1])),
        st.tuples(NAMES, EXPRESSIONS, inner).map(lambda p: block(f"for {p[0]} in {p[1]}:", p[2])),
        st.tuples(EXPRESSIONS, NAMES, inner).map(lambda p: block(f"with {p[0]} as {p[1]}:", p[2])),
        st.tuples(EXPRESSIONS, inner).map(lambda p: block(f"@{p[0]}\ndef f(a):", p[1])),
        inner.map(lambda body: block("try:", body) + "\nexcept E as e:\n    raise"),
        st.tuples(EXPRESSIONS, inner).map(
            lambda p: f"match {p[0]}:\n" + textwrap.indent(block("case C(a, b=[*_]) | {'k': a, **b}:", p[1]), "    ")
        ),
    )


STATEMENTS: Final = st.recursive(
    st.one_of(
        EXPRESSIONS,
        st.tuples(NAMES, EXPRESSIONS).map(lambda p: f"{p[0]} = {p[1]}"),
        st.tuples(NAMES, EXPRESSIONS).map(lambda p: f"{p[0]}.a = {p[1]}"),
        st.tuples(NAMES, EXPRESSIONS).map(lambda p: f"{p[0]}['k'] = {p[1]}"),
        st.tuples(NAMES, EXPRESSIONS).map(lambda p: f"{p[0]}: {p[0]} = {p[1]}"),
        st.tuples(NAMES, EXPRESSIONS).map(lambda p: f"{p[0]} |= {p[1]}"),
        st.tuples(NAMES, EXPRESSIONS).map(lambda p: f"a, *{p[0]} = {p[1]}"),
        st.sampled_from(
            ["import os, boto3", "from app import *", "from . import app", "from app import f as b", "global a"]
        ),
    ),
    _nested,
    max_leaves=10,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(STATEMENTS, STATEMENTS)
def test_any_program_is_read_without_a_fault(top: str, body: str) -> None:
    """Whatever valid Python it is: no exception, and an answer in a time that people wait for."""
    code = f"import boto3, os\n{top}\ndef handler(event, context):\n{textwrap.indent(body, '    ')}\n"
    try:
        ast.parse(code)
    except SyntaxError:
        return
    start = time.process_time()
    calls = interpret(code)
    assert time.process_time() - start < 10
    assert all(unknown.reason and unknown.line for unknown in calls.unknown)


@settings(max_examples=80, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(STATEMENTS)
def test_a_call_is_found_whatever_stands_before_it(body: str) -> None:
    """In the handler itself, beside any other code: nothing that is not understood hides what is."""
    code = (
        f"import boto3 as the_sdk\ndef handler(event, context):\n{textwrap.indent(body, '    ')}\n"
        "    the_sdk.client('sqs').purge_queue(QueueUrl='q')\n"
    )
    try:
        ast.parse(code)
    except SyntaxError:
        return
    calls = interpret(code)
    assert ("sqs", "PurgeQueue", ("q",)) in found(calls) or any("too large" in one.reason for one in calls.unknown)


def corpus() -> Iterator[Path]:
    """Code of many hands: a part of the standard library, and the SDK's own."""
    library = Path(sysconfig.get_path("stdlib"))
    yield from sorted(library.glob("*.py"))[::6]
    yield from sorted((library / "asyncio").glob("*.py"))[::5]
    yield from sorted(Path(sysconfig.get_path("purelib"), "boto3").rglob("*.py"))[::4]


def test_other_peoples_code_is_read_without_a_fault() -> None:
    """Every function and class at the top of the module may be the handler."""
    read = 0
    start = time.process_time()
    for path in corpus():
        try:
            source = parse_source(str(path), path.read_text(encoding="utf-8", errors="replace"))
        except Unreadable:
            continue
        module = Module(path.stem, source, is_package=False)
        names = [node.name for node in source.tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        for name in names[:1] + names[-1:] or ["handler"]:
            calls = code_calls._interpret(Program([module]), module, name, has_layers=True)
            assert all(call.path and call.line for call in calls.calls)
        read += 1
    assert read > 30
    assert time.process_time() - start < 120


@pytest.mark.parametrize(
    "code",
    [
        "def handler(e, c):\n    return " + "+".join(["e"] * 900),
        "def handler(e, c):\n    return " + "e" + ".f()" * 300,
        "def handler(e, c):\n    return " + "[" * 80 + "e" + "]" * 80,
        "def handler(e, c):\n" + "".join(f"    {'el' if n else ''}if e == {n}: pass\n" for n in range(900)),
        "class C:\n    def __init__(self, n): self.next = C(n)\n    def go(self): return C(self).go()\ndef handler(e, c): return C(e).go()",
        "def handler(e, c): return handler(lambda: handler(e, c), [handler])",
        "def f(x): return f([x])\ndef g(x): return g({'k': x})\ndef handler(e, c): return f(g(e))",
        "from app import handler\nfrom app import *\nimport app.app",
        "x = x.y = x[x] = lambda: x\ndef handler(e, c): return x(x)(x)",
    ],
    ids=[
        "long sum",
        "long chain",
        "deep list",
        "long elif",
        "endless objects",
        "endless recursion",
        "growing",
        "itself",
        "knot",
    ],
)
def test_programs_without_end_come_to_an_end(code: str) -> None:
    """Recursion, growth and depth are bounded; what lies beyond the bound is said to be unknown, or was seen."""
    start = time.process_time()
    interpret(code)
    assert time.process_time() - start < 10


def test_no_layer_of_the_walk_answers_for_another_by_chance() -> None:
    """What a layer leaves open for one above it, it says; any other name stands in one layer alone."""
    layers = [layer for layer in Walk.__mro__ if layer.__module__.startswith("credential_rules.")]
    names = [name for layer in layers for name, what in vars(layer).items() if callable(what) and name != "__init__"]
    assert len(layers) > 5
    assert {name for name in names if names.count(name) > 1} == Objects.__abstractmethods__
