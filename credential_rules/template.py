"""A template as rules see it: resources, and values that look through intrinsics.

A rule never walks raw dictionaries. It asks a resource for a property (`resource["Environment"]["Variables"]`) and
gets a `Value`: every possibility that `Fn::If`, parameters, mappings, imports and nested stacks leave open, each with
the property path where it was written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from credential_rules.values import Text

Raw: TypeAlias = "dict[str, Raw] | list[Raw] | str | int | float | bool | None"
"""What JSON or YAML holds, with short-form intrinsics written out."""

Key: TypeAlias = str | int
Steps: TypeAlias = tuple[Key, ...]
Assumptions: TypeAlias = tuple[tuple[str, bool], ...]
"""Conditions taken to be true or false on the way to a value, so that one branch is not mixed with the other."""

NO_VALUE: Final = "\0AWS::NoValue"
"""Stands for `AWS::NoValue`: no text of a readable template holds a NUL."""

_SAM_GLOBALS: Final = {
    "AWS::Serverless::Function": "Function",
    "AWS::Serverless::Api": "Api",
    "AWS::Serverless::HttpApi": "HttpApi",
    "AWS::Serverless::SimpleTable": "SimpleTable",
    "AWS::Serverless::StateMachine": "StateMachine",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finding is: the file, the resource (logical id, or `path:line` for source) and the property path."""

    file: str
    resource: str
    location: str
    template: Template | None = None
    owner: Resource | None = None
    steps: Steps = ()
    line: int | None = None


class HasPlace(Protocol):
    """Anything a finding can point at."""

    @property
    def place(self) -> Place:
        """Where it was written."""
        ...


class Node(NamedTuple):
    """One possible raw value: `template` resolves it, `owner` and `path` say where the reader finds it."""

    template: Template
    raw: Raw
    path: Steps
    owner: Resource | None
    assumed: Assumptions = ()
    parameters: frozenset[str] = frozenset()


class Value:
    """Everything that a property may be.

    `may_be_absent` is true if some branch leaves the property out. A value that is surely absent is falsy.
    """

    __slots__ = ("may_be_absent", "nodes")

    def __init__(self, nodes: tuple[Node, ...], *, may_be_absent: bool) -> None:
        self.nodes = nodes
        self.may_be_absent = may_be_absent

    def __bool__(self) -> bool:
        return bool(self.nodes)

    def __repr__(self) -> str:
        # Raw values may be secrets, and assertion messages print reprs.
        return f"<Value {', '.join('.'.join(map(str, node.path)) for node in self.nodes) or 'absent'}>"

    def __getitem__(self, key: Key) -> Value:
        """What stands under a mapping's key or a list's index, in every branch; absent where it is not there."""
        found: list[Node] = []
        absent = self.may_be_absent
        for node in self.nodes:
            below = _below(node, key)
            if below is None:
                absent = True
                continue
            raw = below.raw
            if type(raw) is not dict or len(raw) != 1:
                found.append(below)
                continue
            for possible in intrinsics.expand(below):
                if possible.raw is NO_VALUE:
                    absent = True
                else:
                    found.append(possible)
        return Value(tuple(found), may_be_absent=absent)

    def possibilities(self) -> Iterator[Value]:
        """One value per branch."""
        if len(self.nodes) == 1:
            yield self
        else:
            for node in self.nodes:
                yield Value((node,), may_be_absent=False)

    def each(self) -> Iterator[Value]:
        """The elements of a list in every branch; a value that is not a list counts as its own only element."""
        for node in self.nodes:
            for element in intrinsics.elements(node):
                yield Value((element,), may_be_absent=False)

    def entries(self) -> Iterator[tuple[str, Value]]:
        """The keys of a mapping in every branch, each with what stands under it. Intrinsics give nothing: ask `is_unknown`."""
        for node in self.nodes:
            raw = node.raw
            if isinstance(raw, dict) and not intrinsics.is_intrinsic(raw):
                single = Value((node,), may_be_absent=False)
                for key in raw:
                    if not key.startswith("Fn::"):
                        value = single[key]
                        if value:
                            yield key, value

    def texts(self) -> list[Text]:
        """The possible texts of a scalar, or of each element of a list of scalars."""
        return [
            text for node in self.nodes for element in intrinsics.elements(node) for text in intrinsics.texts(element)
        ]

    def located_texts(self) -> Iterator[tuple[Value, Text]]:
        """As `texts`, each with the value that stands at its own place."""
        for element in self.each():
            for text in intrinsics.texts(element.nodes[0]):
                yield element, text

    def literals(self) -> list[str]:
        """The texts that are fully known."""
        return [literal for text in self.texts() if (literal := text.literal) is not None]

    def resources(self) -> list[Resource]:
        """The resources that it refers to, through `Ref`, `Fn::GetAtt`, exports and nested stacks."""
        return [resource for text in self.texts() if (resource := text.resource) is not None]

    @property
    def is_true(self) -> bool:
        """Whether some branch says true (`true`, `"true"`, `"True"`)."""
        return any(literal.lower() == "true" for literal in self.literals())

    @property
    def is_unknown(self) -> bool:
        """Whether some branch is something that the template does not decide: a macro, an undecided reference."""
        return any(
            intrinsics.is_intrinsic(node.raw) and all(text.is_undecided for text in intrinsics.texts(node))
            for node in self.nodes
        )

    @property
    def is_mapping(self) -> bool:
        """Whether some branch is a mapping."""
        return any(isinstance(node.raw, dict) and not intrinsics.is_intrinsic(node.raw) for node in self.nodes)

    @property
    def raw(self) -> Raw:
        """The first branch as it was written, None if absent. For walking through free-form content only."""
        return self.nodes[0].raw if self.nodes else None

    @property
    def path(self) -> Steps:
        """The path of the first branch from its resource, `()` if absent."""
        return self.nodes[0].path if self.nodes else ()

    @property
    def place(self) -> Place:
        """Where the first branch was written.

        Raises:
            LookupError: the value is absent; point at the resource instead.
        """
        if not self.nodes:
            raise LookupError("an absent value has no place: point the finding at the resource or at its parent")
        node = self.nodes[0]
        if node.owner is not None:
            return node.owner.place_of(node.path)
        return node.template.place_of(node.path)


def _child(node: Node, raw: Raw, key: Key) -> Node:
    # Not _replace, which costs four times as much: this runs for every property that any rule looks at.
    return Node(node.template, raw, (*node.path, key), node.owner, node.assumed, node.parameters)


def _below(node: Node, key: Key) -> Node | None:
    """The node under `key` before its own intrinsics are looked through, None if there is none."""
    raw = node.raw
    if isinstance(raw, dict):
        if key in raw and not intrinsics.is_intrinsic(raw):
            return _child(node, raw[str(key)], key)
        if intrinsics.is_intrinsic(raw) or "Fn::Transform" in raw:
            return _child(node, {"Fn::Unknown": raw}, key)
    elif isinstance(raw, list) and isinstance(key, int) and -len(raw) <= key < len(raw):
        return _child(node, raw[key], key)
    return None


class Resource:
    """One resource of a template. `resource["Prop"]` is the possibly absent `Value` of a property.

    For SAM, properties are already merged with `Globals`.
    """

    __slots__ = ("_properties", "logical_id", "raw", "template", "type")

    def __init__(self, template: Template, logical_id: str, raw: dict[str, Raw]) -> None:
        self.template = template
        self.logical_id = logical_id
        self.raw = raw
        self.type = str(raw.get("Type", ""))
        self._properties: Value | None = None

    def __repr__(self) -> str:
        return f"<Resource {self.logical_id} {self.type}>"

    def __getitem__(self, key: str) -> Value:
        return self.properties[key]

    @property
    def properties(self) -> Value:
        """All properties as one value."""
        if self._properties is None:
            raw = self.raw.get("Properties", {})
            if self.type in _SAM_GLOBALS:
                raw = _merged(self.template.sam_globals(_SAM_GLOBALS[self.type]), raw)
            self._properties = self.at("Properties", raw)
        return self._properties

    def at(self, key: str, raw: Raw = None) -> Value:
        """What stands beside the properties: `at("Metadata")`; `raw` replaces what was written there."""
        if raw is None:
            raw = self.raw.get(key)
        if raw is None:
            return Value((), may_be_absent=True)
        node = Node(self.template, raw, (key,), self, self.assumed)
        return Value(tuple(n for n in intrinsics.expand(node) if n.raw is not NO_VALUE), may_be_absent=False)

    @property
    def assumed(self) -> Assumptions:
        """What follows from its own condition, which is true wherever it is."""
        condition = self.raw.get("Condition")
        return conditions.assume(self.template, condition, truth=True) if isinstance(condition, str) else ()

    @property
    def may_exist(self) -> bool:
        """False only if its condition can never be true."""
        condition = self.raw.get("Condition")
        return not isinstance(condition, str) or conditions.truth(self.template, condition) is not False

    @property
    def construct_path(self) -> str:
        """The CDK construct path, if the template records it, else empty."""
        metadata = self.raw.get("Metadata")
        path = metadata.get("aws:cdk:path") if isinstance(metadata, dict) else None
        return path if isinstance(path, str) else ""

    def place_of(self, steps: Steps) -> Place:
        """The place of a property path of this resource."""
        template = self.template
        location = ".".join(map(str, steps))
        return Place(template.file, self.logical_id, location, template, self, steps)

    @property
    def place(self) -> Place:
        """The resource as a whole."""
        return self.place_of(())


def _merged(defaults: Raw, own: Raw) -> Raw:
    """SAM's rule: mappings merge, lists are appended to the defaults, scalars replace them."""
    if isinstance(defaults, dict) and isinstance(own, dict):
        if intrinsics.is_intrinsic(defaults) or intrinsics.is_intrinsic(own):
            return own
        return {**defaults, **{key: _merged(defaults.get(key), value) for key, value in own.items()}}
    if isinstance(defaults, list) and isinstance(own, list):
        return [*defaults, *own]
    return own


@dataclass(frozen=True, slots=True)
class Parameter:
    """A template parameter. `defaults` are the values known before deployment: the default, else the allowed values."""

    name: str
    type: str
    defaults: tuple[Raw, ...]
    has_default: bool
    no_echo: bool

    @property
    def is_list(self) -> bool:
        """Whether its text is a comma-separated list."""
        return self.type == "CommaDelimitedList" or self.type.startswith("List<")


@dataclass(eq=False)
class Template:
    """One template file, read and linked with the others of the run.

    `stack_name` and `account` are known for CDK assemblies only. `parent` is the `AWS::CloudFormation::Stack` resource
    that instantiates this template (None also if several do: `is_shared`), `children` the templates of its own nested stacks by logical id. `export` gives
    the value behind an export's name in any template of the run, `stack_output` the one behind an output of a stack. `damage`
    says what of the file is not in it, for people; empty if it is whole.
    """

    file: str
    raw: dict[str, Raw]
    stack_name: str = ""
    account: str = ""
    region: str = ""
    directory: Path = field(default_factory=Path)
    assets: Mapping[str, Path] = field(default_factory=dict)
    parent: Resource | None = None
    is_shared: bool = False
    children: dict[str, Template] = field(default_factory=dict)
    export: Callable[[str], Node | None] = field(default=lambda _name: None)
    stack_output: Callable[[str, str], Node | None] = field(default=lambda _stack, _output: None)
    line_of: Callable[[Steps], int | None] = field(default=lambda _steps: None)
    damage: str = ""

    def __repr__(self) -> str:
        return f"<Template {self.file}>"

    @property
    def is_of_an_app(self) -> bool:
        """Whether it was read from a cloud assembly, beside everything that the app deploys with it."""
        return bool(self.stack_name or self.assets)

    def section(self, name: str) -> dict[str, Raw]:
        """A top-level section as it was written, empty if it is missing or no mapping."""
        section = self.raw.get(name)
        return section if isinstance(section, dict) else {}

    def at(self, *steps: Key) -> Value:
        """What stands outside of resources: `at("Parameters", "Password", "Default")`."""
        value = Value((Node(self, self.raw, (), None),), may_be_absent=False)
        for step in steps:
            value = value[step]
        return value

    @cached_property
    def resources(self) -> dict[str, Resource]:
        """The resources by logical id, without those whose condition can never be true."""
        found = {
            logical_id: Resource(self, logical_id, raw)
            for logical_id, raw in self.section("Resources").items()
            if isinstance(raw, dict) and isinstance(raw.get("Type"), str)
        }
        # Conditions cannot see resources. One that names a resource (or a parameter that is not there) would ask for
        # these again while they are being found, without end.
        self.__dict__["resources"] = {}
        return {logical_id: resource for logical_id, resource in found.items() if resource.may_exist}

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters by name."""
        return {
            name: _parameter(name, raw) for name, raw in self.section("Parameters").items() if isinstance(raw, dict)
        }

    def sam_globals(self, kind: str) -> dict[str, Raw]:
        """SAM's defaults for one kind of resource (`Function`)."""
        defaults = self.section("Globals").get(kind)
        return defaults if isinstance(defaults, dict) else {}

    def place_of(self, steps: Steps) -> Place:
        """The place of a path from the template's top, `("Parameters", "Password", "Default")`."""
        named = str(steps[1]) if len(steps) > 1 else ""
        return Place(self.file, named, ".".join(map(str, steps)), self, None, steps)

    @property
    def place(self) -> Place:
        """The template as a whole."""
        return self.place_of(())


def _parameter(name: str, raw: dict[str, Raw]) -> Parameter:
    kind = str(raw.get("Type", "String"))
    defaults: tuple[Raw, ...] = ()
    allowed = raw.get("AllowedValues")
    # The default of an SSM parameter type is the parameter's name, not its value.
    if not kind.startswith("AWS::SSM::Parameter::Value"):
        if "Default" in raw:
            defaults = (raw["Default"],)
        elif isinstance(allowed, list):
            defaults = tuple(allowed)
    return Parameter(name, kind, defaults, "Default" in raw, str(raw.get("NoEcho", "false")).lower() == "true")


# At the end: these modules resolve the classes above.
from credential_rules import conditions, intrinsics  # noqa: E402
