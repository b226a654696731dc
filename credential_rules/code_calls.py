"""Which operations of AWS the code of a function can call: the SDK's calls that are reached from its handler.

Nothing is known of anybody's own wrappers: a function whose parameter ends up as the service of a client is a factory of
clients, one that gives back `os.environ[name]` reads a variable. What cannot be told is named, with the line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from credential_rules import taught_calls
from credential_rules.code_walk.memory import TooLarge
from credential_rules.code_walk.program import Program, inline_program, program_at
from credential_rules.code_walk.record import Call, Mistaught, Named, Record, Unknown, shown_path, taught_call
from credential_rules.code_walk.walk import Walk
from credential_rules.sdk_calls import SdkCalls
from credential_rules.sources import code_places, import_roots

if TYPE_CHECKING:
    from credential_rules.code_walk.program import Module
    from credential_rules.index import Function, Index
    from credential_rules.sources import Source


@dataclass(frozen=True, slots=True)
class CodeCalls:
    """What a function's code can call. `has_code` is False if no code of it is part of the run: then nothing is known.

    `absent` are packages that it imports and that are not among it, as before a build: most call nothing, and some do.
    """

    calls: tuple[Call, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    mistaught: tuple[Mistaught, ...] = ()
    has_code: bool = True
    absent: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether all that the code can call is known."""
        return self.has_code and not self.unknown and not self.mistaught


_KNOWN: WeakKeyDictionary[Index, dict[object, CodeCalls]] = WeakKeyDictionary()


def operations_of(index: Index, function: Function) -> CodeCalls:
    """What a function's code can call; judged once for all rules."""
    known = _KNOWN.setdefault(index, {})
    found = known.get(function.resource)
    if found is None:
        found = known[function.resource] = _operations(function)
    return found


# --- from a resource to its code ----------------------------------------------------------------------------------

_NOT_PYTHON: Final = (
    "Say what it calls in the function's metadata: AwsOperations: [dynamodb:PutItem, sqs:SendMessage on QUEUE_URL]"
    " (in the CDK: function.node.default_child.add_metadata('AwsOperations', [...]))."
)
METADATA: Final = "AwsOperations"
"""The key of a function's metadata under which people say what code calls that cannot be read."""


def _operations(function: Function) -> CodeCalls:
    resource = function.resource
    told = resource.at("Metadata")[METADATA]
    if told:
        return _told(function)
    reason = why_unread(function)
    if reason:
        return CodeCalls(unknown=(_of_resource(function, reason),), has_code=_is_handed_over(function))
    if not resource["Runtime"].literals() and resource["Runtime"]:
        return CodeCalls(unknown=(_of_resource(function, "the template does not decide its runtime"),))
    return _from_source(function)


def why_unread(function: Function) -> str:
    """Why nothing of a function's code was read; empty if something was, or if its metadata tells what it calls."""
    resource = function.resource
    if resource.at("Metadata")[METADATA]:
        return ""
    runtimes = resource["Runtime"].literals()
    if runtimes and not any(runtime.startswith("python") for runtime in runtimes):
        return f"the runtime is {runtimes[0]}, and only Python is read"
    if function.sources:
        return ""
    if resource["PackageType"].literals() == ["Image"]:
        return "its code is a container image"
    places = [place.name for place in code_places(resource) if place.exists()]
    if places:
        return f"its code, in {places[0]}, holds no Python file"
    return "its code is not part of the run"


def is_told_as_a_finding(function: Function) -> bool:
    """Whether what nobody read of a function's code is a finding: where the code was handed over, or an app deploys it.

    A template alone says where code is, and nobody can mend that it is not here.
    """
    return function.resource.template.is_of_an_app or _is_handed_over(function)


def _is_handed_over(function: Function) -> bool:
    """Whether the code was handed over with the template; that of other languages not by a folder's name alone."""
    resource = function.resource
    inline = resource["InlineCode"] or resource["Code"]["ZipFile"]
    if inline and not inline.is_unknown:
        return True
    runtimes = resource["Runtime"].literals()
    if not runtimes or any(runtime.startswith("python") for runtime in runtimes):
        return any(place.exists() for place in code_places(resource))
    keys = (resource["Code"]["S3Key"] or resource["CodeUri"]["Key"]).literals()
    return any(key in resource.template.assets for key in keys)


def _of_resource(function: Function, reason: str) -> Unknown:
    return Unknown(function.resource.template.file, 0, reason, _NOT_PYTHON)


def _told(function: Function) -> CodeCalls:
    calls: list[Call] = []
    wrong: list[Mistaught] = []
    file = function.resource.template.file
    for text in function.resource.at("Metadata")[METADATA].texts():
        try:
            calls += [taught_call(one, file, 0, None) for one in taught_calls.taught(text.pattern)]
        except taught_calls.Untaught as error:
            wrong.append(Mistaught(file, 0, str(error)))
    return CodeCalls(tuple(calls), mistaught=tuple(wrong))


_HANDLER: Final = re.compile(r"[\w./-]+\.\w+")


def _from_source(function: Function) -> CodeCalls:
    resource = function.resource
    handlers = [text for text in resource["Handler"].literals() if _HANDLER.fullmatch(text)]
    if not handlers:
        return CodeCalls(unknown=(_of_resource(function, "the template does not say its handler"),))
    found: list[CodeCalls] = []
    for handler in dict.fromkeys(handlers):
        module_path, _, name = handler.rpartition(".")
        program, module = _program(function, module_path.replace(".", "/"))
        if module is None:
            reason = f"its handler {handler} is in no module of its code"
            found.append(CodeCalls(unknown=(_of_resource(function, reason),)))
        else:
            found.append(_interpreted(program, module, name, has_layers=bool(resource["Layers"])))
    return CodeCalls(
        tuple(dict.fromkeys(call for one in found for call in one.calls)),
        tuple(dict.fromkeys(unknown for one in found for unknown in one.unknown)),
        tuple(dict.fromkeys(wrong for one in found for wrong in one.mistaught)),
        absent=tuple(dict.fromkeys(package for one in found for package in one.absent)),
    )


def _program(function: Function, path: str) -> tuple[Program, Module | None]:
    sources = function.sources
    # Lambda lays the layers over each other: of two modules of one name, that of the later layer is imported.
    layers = tuple(root for layer in reversed(function.layers) for root in import_roots(layer))
    if any("#" in source.path and not source.path.endswith(".py") for source in sources):
        program = inline_program(path.replace("/", "."), sources[0], layers, function.layer_sources)
        return program, program.module(path.replace("/", "."))
    for suffix in (f"/{path}.py", f"/{path}/__init__.py"):
        ends = sorted(
            (s.path.replace("\\", "/") for s in sources if f"/{s.path}".replace("\\", "/").endswith(suffix)), key=len
        )
        if ends:
            root = ends[0][: len(ends[0]) - len(suffix) + 1]
            program = program_at((root, *layers), [*sources, *function.layer_sources])
            return program, program.module(path.replace("/", "."))
    return Program(()), None


_INTERPRETED: WeakKeyDictionary[Source, dict[tuple[object, ...], CodeCalls]] = WeakKeyDictionary()


def _interpreted(program: Program, module: Module, handler: str, *, has_layers: bool) -> CodeCalls:
    """What is reached from a handler; judged once, however many functions and runs share the code."""
    known = _INTERPRETED.setdefault(module.source, {})
    key = (module.name, handler, has_layers, len(program.modules), program.roots)
    found = known.get(key)
    if found is None:
        found = known[key] = _interpret(program, module, handler, has_layers=has_layers)
    return found


def _interpret(program: Program, module: Module, handler: str, *, has_layers: bool) -> CodeCalls:
    record = Record()
    walk = Walk(program, lambda objects: SdkCalls(objects, record, has_layers=has_layers))
    try:
        is_there = walk.run(module, handler)
    except (TooLarge, RecursionError):
        reason = "the program is too large to be followed"
        return CodeCalls(unknown=(Unknown(shown_path(module), 1, reason, _NOT_PYTHON, source=module.source),))
    if not is_there:
        record.unknown[shown_path(module), 1, "handler"] = Unknown(
            shown_path(module),
            1,
            f"there is no '{handler}' in the module that its handler names",
            _NOT_PYTHON,
            source=module.source,
        )
    return CodeCalls(
        tuple(sorted(record.calls, key=_order)),
        tuple(sorted(record.unknown.values(), key=_place)),
        tuple(sorted(record.mistaught, key=_place)),
        absent=tuple(sorted(record.absent)),
    )


def _order(call: Call) -> tuple[str, int, str, str, list[str]]:
    return call.path, call.line, call.service, call.operation, [named.text for named in call.resources]


def _place(one: Unknown | Mistaught) -> tuple[str, int, str]:
    return one.path, one.line, one.reason


__all__ = [
    "METADATA",
    "Call",
    "CodeCalls",
    "Mistaught",
    "Named",
    "Unknown",
    "is_told_as_a_finding",
    "operations_of",
    "why_unread",
]
