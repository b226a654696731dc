"""Reads templates: JSON or YAML, CloudFormation or SAM; short-form intrinsics come out in their long form.

Whatever a file holds, the answer is a template or an `Unreadable` that says what to do about it.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol, cast

import yaml

from credential_rules.template import Raw, Steps, Template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MOST_BYTES: Final = 10_000_000
"""Ten times what CloudFormation accepts (1 MB from S3): a larger file is no template, and reading it takes minutes."""
MOST_NODES: Final = 2_000_000
"""Values after aliases are written out; the largest legal template has fewer than a tenth. Ends alias bombs."""
DEEPEST: Final = 200
"""Levels of nesting. CloudFormation itself stops far earlier, and Python's stack holds about five times as many."""

_MOST_NAMED: Final = 50  # of what is damaged: more than that is mended by what made the file
_CANNOT_JUDGE: Final = "None of its resources were checked."
_TEMPLATE_MARK = re.compile(rb"AWSTemplateFormatVersion|AWS::Serverless-2016-10-31|AWS::[A-Za-z0-9]+::[A-Za-z0-9]+")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]+\Z")
_CONSTANTS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_SHORT_FORMS_WITHOUT_PREFIX: Final = frozenset({"Ref", "Condition"})


class Unreadable(Exception):
    """A file that could not be judged; the text is for people: what is wrong, why it matters, what to do next."""


def read_template(path: Path) -> Template:
    """The template in `path`. Resources that are none are left out of it, and named in its `damage`.

    Raises:
        Unreadable: it cannot be opened, is too large, no text, no JSON or YAML, or no template with resources.
    """
    text = read_text(path)
    raw = parse(text, is_json=path.suffix == ".json")
    line_of = _Lines(text).line_of
    raw, damage = _whole(raw, line_of)
    seen = {name for spelling in _FUNCTIONS_IN_TEXT for name in spelling.findall(text)}
    if any(_is_strange(name) for name in seen) and not _has_own_macro(raw.get("Transform")):
        damage = f"{damage} {_strange_calls(raw, line_of)}".strip()
    return Template(file=str(path), raw=raw, directory=path.parent, line_of=line_of, damage=damage)


def looks_like_template(path: Path) -> bool:
    """Whether a file found in a folder names CloudFormation types near its top or says so itself."""
    try:
        with path.open("rb") as file:
            head = file.read(1_000_000)
    except OSError:
        return False
    return b"Resources" in head and _TEMPLATE_MARK.search(head) is not None


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        Unreadable: it cannot be opened, is larger than `MOST_BYTES`, or is no UTF-8 text.
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise Unreadable(
                f"The file has {size / 1e6:.0f} MB; the limit is {MOST_BYTES / 1e6:.0f} MB. {_CANNOT_JUDGE}"
                " CloudFormation takes 1 MB: split the template, or check the file that you really deploy."
            )
        content = path.read_bytes()
    except OSError as error:
        raise Unreadable(
            f"The file cannot be read: {error.strerror}. {_CANNOT_JUDGE} Check the path and its permissions."
        ) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("utf-16") if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else ""
        except UnicodeDecodeError:
            text = ""
    if (content and not text) or "\0" in text:
        raise Unreadable(f"The file is binary, not UTF-8 text. {_CANNOT_JUDGE} Name a JSON or YAML template.")
    return text


def parse(text: str, *, is_json: bool = False) -> dict[str, Raw]:
    """The mapping that `text` holds as JSON or YAML; `is_json` decides whose error is reported.

    Raises:
        Unreadable: it is neither, too deep, too large after aliases, has a key twice, or is no mapping.
    """
    raw: Raw = None
    if is_json or text.lstrip()[:1] in {"{", "["}:
        try:
            raw = cast("Raw", json.loads(text, object_pairs_hook=_unique))
        except ValueError as error:
            if is_json:
                raise Unreadable(f"This is no valid JSON: {error}. {_CANNOT_JUDGE} Correct it there.") from error
            raw = _parse_yaml(text)
        except RecursionError as error:
            raise _too_deep() from error
        else:
            _check_depth(raw)
    else:
        raw = _parse_yaml(text)
    if not isinstance(raw, dict):
        kind = "empty" if raw is None else f"a {type(raw).__name__}"
        raise Unreadable(
            f"The top level is {kind}, not a mapping. {_CANNOT_JUDGE} A template starts with 'Resources:' or '{{'."
        )
    return raw


def _whole(raw: dict[str, Raw], line_of: Callable[[Steps], int | None]) -> tuple[dict[str, Raw], str]:
    """The template with its loops written out and without what is damaged, and what to say of that."""
    resources = raw.get("Resources")
    if not isinstance(resources, dict) or not resources:
        what = "no 'Resources'" if not resources else f"'Resources' as a {type(resources).__name__}"
        raise Unreadable(
            f"The file has {what}: it is no template. {_CANNOT_JUDGE} Name a CloudFormation or SAM template."
        )
    found: dict[str, Raw] = {}
    damage: list[str] = []
    for key, value in resources.items():
        if not key.startswith("Fn::") and not _fault(value):
            found[key] = value
            continue
        made, broken_loop = _written_out(raw, key, value)
        faults = [(f"Loop '{broken_loop[:80]}'", _NO_LOOP)] if broken_loop else []
        for logical_id, resource in made.items():
            fault = "" if logical_id.startswith("Fn::") else _fault(resource)
            if fault:
                faults.append((f"Resource '{logical_id[:80]}'", fault))
            else:
                found[logical_id] = resource
        if faults:
            line = line_of(("Resources", key))
            where = f" (line {line})" if line else ""
            damage += [f"{name}{where} {fault}." for name, fault in faults]
    if not damage:
        return (raw if found.keys() == resources.keys() else {**raw, "Resources": found}), ""
    said = _listed(damage)
    if not any(not logical_id.startswith("Fn::") for logical_id in found):
        raise Unreadable(f"{said} {_CANNOT_JUDGE} CloudFormation refuses it too: correct it there.")
    they = "It was" if len(damage) == 1 else "They were"
    return {**raw, "Resources": found}, (
        f"{said} {they} not checked; the others were. CloudFormation refuses the template: correct it there."
    )


def _fault(resource: Raw) -> str:
    """What keeps a resource from being one; empty if nothing does."""
    if not isinstance(resource, dict):
        return f"is {_kind(resource)}, not a mapping"
    kind = resource.get("Type")
    if kind is None or kind == "":
        return "has no 'Type'"
    if not isinstance(kind, str):
        return f"has a 'Type' that is {_kind(kind)}, not a text"
    properties = resource.get("Properties")
    if properties is not None and not isinstance(properties, dict):
        return f"has 'Properties' that are {_kind(properties)}, not a mapping"
    return ""


# --- functions that CloudFormation does not have ------------------------------------------------------------------

# Two patterns that begin with a literal: one with both costs a fifth of what reading the file does.
_FUNCTIONS_IN_TEXT: Final = (re.compile(r"Fn::(\w+(?:::\w+)*)"), re.compile(r"!([A-Za-z]\w*(?:::\w+)*)"))
"""What may be a function's name, in either spelling: text that only looks like one is sorted out where it stands."""
_KNOWN_FUNCTIONS: Final = frozenset(
    {
        *("And", "Base64", "Cidr", "Condition", "Contains", "EachMemberEquals", "EachMemberIn", "Equals", "FindInMap"),
        *("GetAtt", "GetAZs", "GetStackOutput", "If", "ImportValue", "Join", "Length", "Not", "Or", "Ref", "RefAll"),
        *("Select", "Split", "Sub", "ToJsonString", "Transform", "ValueOf", "ValueOfAll"),
    }
)
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html"""


def _is_strange(name: str) -> bool:
    return name not in _KNOWN_FUNCTIONS and not name.startswith("ForEach::")


def _has_own_macro(transform: Raw) -> bool:
    """Whether somebody's own macro reads the whole template: then functions that only it knows are no fault."""
    listed = transform if isinstance(transform, list) else [transform]
    names = [one.get("Name") if isinstance(one, dict) else one for one in listed]
    return any(name is not None and not str(name).startswith("AWS::") for name in names)


def _strange_calls(raw: dict[str, Raw], line_of: Callable[[Steps], int | None]) -> str:
    """What to say of the resources that call a function which only a macro could know; empty if none does."""
    resources = raw["Resources"]
    said: list[str] = []
    for logical_id, resource in resources.items() if isinstance(resources, dict) else ():
        if isinstance(resource, dict):
            written: Raw = {key: value for key, value in resource.items() if key != "Metadata"}
            steps = next(_strange(("Resources", logical_id), written), None)
            if steps is not None:
                line = line_of(steps)
                where = f" (line {line})" if line else ""
                said.append(f"Resource '{logical_id[:80]}'{where} calls '{str(steps[-1])[:80]}'.")
    if not said:
        return ""
    return (
        f"{_listed(said)} CloudFormation has no such function: what it stands for was not checked. Correct the name; if a"
        " program of yours writes it out before, check what that gives."
    )


def _listed(said: list[str]) -> str:
    more = len(said) - _MOST_NAMED
    return " ".join(said[:_MOST_NAMED]) + (f" So it is with {more} more." if more > 0 else "")


def _strange(steps: Steps, raw: Raw) -> Iterator[Steps]:
    if isinstance(raw, dict):
        for key, value in raw.items():
            if len(raw) == 1 and key.startswith("Fn::") and _is_strange(key.removeprefix("Fn::")):
                yield (*steps, key)
            yield from _strange((*steps, key), value)
    elif isinstance(raw, list):
        for position, value in enumerate(raw):
            yield from _strange((*steps, position), value)


_NO_LOOP: Final = "is not a name, a list and a mapping of resources"
_KINDS: Final[dict[type, str]] = {dict: "a mapping", list: "a list", str: "a text", bool: "true or false"}


def _kind(raw: Raw) -> str:
    """What a value is, for people."""
    return "empty" if raw is None else _KINDS.get(type(raw), "a number")


def _unique(pairs: list[tuple[str, Raw]]) -> dict[str, Raw]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"key '{twice[:80]}' stands twice in one mapping, and only one of them counts")
    return found


def _too_deep() -> Unreadable:
    return Unreadable(
        f"The file nests more than {DEEPEST} levels. {_CANNOT_JUDGE} No template needs that: flatten it, or check that"
        " it is the file you meant."
    )


def _check_depth(raw: Raw) -> None:
    level: list[Raw] = [raw]
    for _ in range(DEEPEST):
        level = [
            child
            for value in level
            for child in (value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise _too_deep()


# --- YAML ---------------------------------------------------------------------------------------------------------

try:
    from yaml._yaml import CParser as _Parser
except ImportError:  # PyYAML built without libyaml: slower, the same answers

    class _Parser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):  # type: ignore[no-redef]
        def __init__(self, stream: str) -> None:
            yaml.reader.Reader.__init__(self, stream)
            yaml.scanner.Scanner.__init__(self)
            yaml.parser.Parser.__init__(self)


def _parse_yaml(text: str) -> Raw:
    try:
        return _Builder(text).document()
    except yaml.MarkedYAMLError as error:
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        # The problem's own text only: the surrounding snippet may hold a secret.
        raise Unreadable(
            f"This is no valid YAML{line}: {error.problem or error.context}. {_CANNOT_JUDGE} Correct it there."
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        raise Unreadable(f"This is no valid YAML. {_CANNOT_JUDGE} Check that the file is a text template.") from error


_SCALAR: Final[type[object]] = yaml.ScalarEvent
_ALIAS: Final[type[object]] = yaml.AliasEvent
_MAPPING: Final[type[object]] = yaml.MappingStartEvent
_MAPPING_END: Final[type[object]] = yaml.MappingEndEvent
_SEQUENCE_END: Final[type[object]] = yaml.SequenceEndEvent
_NODE: Final[type[object]] = yaml.NodeEvent
_START: Final[type[object]] = yaml.StreamStartEvent
_END: Final[type[object]] = yaml.StreamEndEvent


class _Mark(Protocol):
    line: int


class _Event(Protocol):
    """What PyYAML's events have in common; which of it is set depends on the event's class."""

    value: str
    anchor: str | None
    tag: str | None
    implicit: tuple[bool, bool]
    start_mark: _Mark


def _events(text: str) -> Callable[[], _Event]:
    return cast("Callable[[], _Event]", _Parser(text).get_event)


class _Builder:
    """Makes plain values of YAML's events, counting what aliases stand for.

    Events, not nodes: PyYAML's composer recurses in C, where a deep file ends the process, and it costs twice the time.
    """

    def __init__(self, text: str) -> None:
        self._next = _events(text)
        self._count = 0
        self._anchors: dict[str, tuple[Raw, int]] = {}

    def document(self) -> Raw:
        """The one document of the text, None if there is none."""
        self._next()
        if type(self._next()) is _END:
            return None
        raw = self._value(self._next(), 0)
        self._next()
        last = self._next()
        if type(last) is not _END:
            raise Unreadable(
                f"A second document starts in line {_line(last)}. {_CANNOT_JUDGE} Put each template into its own file."
            )
        return raw

    def _value(self, event: _Event, depth: int) -> Raw:
        kind = type(event)
        if kind is _SCALAR:
            raw = _scalar(event)
            if event.anchor is not None:
                self._anchors[event.anchor] = (raw, 1)
            return raw
        if kind is _ALIAS:
            known = self._anchors.get(event.anchor or "")
            if known is None:
                raise Unreadable(
                    f"The alias '*{event.anchor}' in line {_line(event)} stands for nothing before it, or contains itself."
                    f" {_CANNOT_JUDGE} Correct it there."
                )
            self._add(known[1], 0)
            return known[0]
        before = self._count
        raw = self._mapping(depth + 1) if kind is _MAPPING else self._sequence(depth + 1)
        if event.tag is not None:
            raw = _tagged(event.tag, raw)
        if event.anchor is not None:
            self._anchors[event.anchor] = (raw, self._count - before)
        return raw

    def _add(self, count: int, depth: int) -> None:
        self._count += count
        if depth > DEEPEST:
            raise _too_deep()
        if self._count > MOST_NODES:
            raise Unreadable(
                f"The file holds more than {MOST_NODES:,} values once its aliases are written out. {_CANNOT_JUDGE}"
                " Write the template without nested aliases."
            )

    def _sequence(self, depth: int) -> list[Raw]:
        self._add(1, depth)
        found: list[Raw] = []
        while type(event := self._next()) is not _SEQUENCE_END:
            found.append(self._value(event, depth))
        self._count += len(found)
        return found

    def _mapping(self, depth: int) -> dict[str, Raw]:
        self._add(1, depth)
        found: dict[str, Raw] = {}
        merged: list[Raw] = []
        while type(event := self._next()) is not _MAPPING_END:
            key = event.value if type(event) is _SCALAR else self._value(event, depth)
            if not isinstance(key, str):
                raise Unreadable(f"A key in line {_line(event)} is no text. {_CANNOT_JUDGE} Put it in quotes.")
            if event.anchor is not None and type(event) is _SCALAR:
                self._anchors[event.anchor] = (key, 1)
            following = self._next()
            value = _scalar(following) if type(following) is _SCALAR else self._value(following, depth)
            if type(following) is _SCALAR and following.anchor is not None:
                self._anchors[following.anchor] = (value, 1)
            if key == "<<":
                merged.append(value)
                continue
            if key in found:
                raise Unreadable(
                    f"Key '{key[:80]}' stands twice in one mapping (line {_line(event)}), and only one of them counts."
                    f" {_CANNOT_JUDGE} Remove one."
                )
            found[key] = value
        self._count += len(found)
        for value in merged:
            for source in value if isinstance(value, list) else [value]:
                if isinstance(source, dict):
                    found = {**source, **found}
                    self._add(len(source), depth)
        return found


def _line(event: _Event) -> int:
    return int(event.start_mark.line) + 1


def _scalar(event: _Event) -> Raw:
    text: str = event.value
    if not event.implicit[0]:
        return text if event.tag is None else _tagged(event.tag, text)
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    # Account numbers and dates stay text: YAML 1.1 would make octal numbers and dates of them.
    if text[0] in "-0123456789":
        if len(text) < 12 and _INTEGER.match(text):  # noqa: PLR2004 (an account number has 12 digits)
            return int(text)
        if len(text) < 24 and _DECIMAL.match(text):  # noqa: PLR2004 (more digits are no number that a template needs)
            return float(text)
    return text


def _tagged(tag: str, raw: Raw) -> Raw:
    if not tag.startswith("!") or tag == "!":
        return raw
    name = tag[1:]
    if name == "GetAtt" and isinstance(raw, str):
        logical_id, _, attribute = raw.partition(".")
        raw = [logical_id, attribute]
    return {name if name in _SHORT_FORMS_WITHOUT_PREFIX else f"Fn::{name}": raw}


# --- Fn::ForEach --------------------------------------------------------------------------------------------------


def _written_out(template: dict[str, Raw], key: str, value: Raw) -> tuple[dict[str, Raw], str]:
    """The resources that a key of `Resources` stands for; if it is a loop that makes none, none and the loop's key.

    A loop over an unknown list runs once.
    """
    if not key.startswith("Fn::ForEach::"):
        return {key: value}, ""
    try:
        return dict(_loop_bodies(template, key, value, 0)), ""
    except _NoLoop as error:
        return {}, str(error)


class _NoLoop(Exception):
    """A loop that CloudFormation refuses; the text is its key."""


def _loop_bodies(template: dict[str, Raw], key: str, value: Raw, depth: int) -> Iterator[tuple[str, Raw]]:
    if not key.startswith("Fn::ForEach::"):
        yield key, value
        return
    if depth > 4 or not isinstance(value, list) or len(value) != 3:  # noqa: PLR2004 (name, collection, body; AWS allows 5 levels)
        raise _NoLoop(key)
    name, collection, body = value
    if not isinstance(name, str) or not isinstance(body, dict):
        raise _NoLoop(key)
    for item in _collection(template, collection) or [f"${{{name}}}"]:
        replaced = _replace_name(body, name, item)
        if isinstance(replaced, dict):
            for inner, made in replaced.items():
                yield from _loop_bodies(template, inner, made, depth + 1)


def _collection(template: dict[str, Raw], collection: Raw) -> list[str]:
    if isinstance(collection, dict) and isinstance(collection.get("Ref"), str):
        parameters = template.get("Parameters")
        parameter = parameters.get(str(collection["Ref"])) if isinstance(parameters, dict) else None
        default = parameter.get("Default") if isinstance(parameter, dict) else None
        return [part.strip() for part in default.split(",")] if isinstance(default, str) else []
    if isinstance(collection, list) and all(isinstance(item, str) for item in collection):
        return [str(item) for item in collection]
    return []


def _replace_name(raw: Raw, name: str, item: str) -> Raw:
    if isinstance(raw, str):
        return raw.replace(f"${{{name}}}", item).replace(f"&{{{name}}}", re.sub(r"\W", "", item))
    if isinstance(raw, list):
        return [_replace_name(child, name, item) for child in raw]
    if isinstance(raw, dict):
        if raw == {"Ref": name}:
            return item
        return {str(_replace_name(key, name, item)): _replace_name(child, name, item) for key, child in raw.items()}
    return raw


# --- line numbers -------------------------------------------------------------------------------------------------


class _Lines:
    """Finds the line of a path. Works only when asked: files without findings never pay for it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def line_of(self, steps: Steps) -> int | None:
        """The line of the deepest part of `steps` that is written in the file, None if not even its start is."""
        found = self._lines
        for length in range(len(steps), 0, -1):
            line = found.get(steps[:length])
            if line is not None:
                return line
        return None

    @cached_property
    def _lines(self) -> dict[Steps, int]:
        try:
            if self._text.lstrip()[:1] == "{":
                return dict(_json_lines(self._text))
            return dict(_yaml_lines(self._text))
        except (yaml.YAMLError, ValueError, IndexError):
            return {}


def _yaml_lines(text: str) -> Iterator[tuple[Steps, int]]:
    """Paths and lines; what an alias stands for has the alias's line."""
    following = _events(text)
    path: list[str | int] = []
    # Per open collection: how long the path is without it, and whether it awaits a key.
    opened: list[int] = []
    awaits_key: list[bool] = []
    kind = _START
    while kind is not _END:
        event = following()
        kind = type(event)
        if kind in {_MAPPING_END, _SEQUENCE_END}:
            length = opened.pop()
            awaits_key.pop()
            del path[length:]
            _step_on(path, awaits_key)
            continue
        if not issubclass(kind, _NODE):
            continue
        if awaits_key and awaits_key[-1] and kind in {_SCALAR, _ALIAS}:
            path[-1] = event.value if kind is _SCALAR else ""
            awaits_key[-1] = False
            yield tuple(path), _line(event)
            continue
        if path and isinstance(path[-1], int):
            yield tuple(path), _line(event)
        if kind in {_SCALAR, _ALIAS}:
            _step_on(path, awaits_key)
            continue
        opened.append(len(path))
        # A short form (`!If [a, b, c]`) has the same path as its long form.
        if event.tag is not None and event.tag.startswith("!"):
            path.append(f"Fn::{event.tag[1:]}")
        path.append("" if kind is _MAPPING else 0)
        awaits_key.append(kind is _MAPPING)


def _step_on(path: list[str | int], awaits_key: list[bool]) -> None:
    if path and isinstance(path[-1], int):
        path[-1] += 1
    elif awaits_key:
        awaits_key[-1] = True


_JSON_LEXEME = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?|[\[\]{},]|[^\s"\[\]{},:]+')


def _json_lines(text: str) -> Iterator[tuple[Steps, int]]:
    starts = [match.end() for match in re.finditer("\n", text)]
    path: list[str | int] = []
    for match in _JSON_LEXEME.finditer(text):
        lexeme = match[0]
        if match[2] is not None:
            key = json.loads(f'"{match[1]}"') if "\\" in match[1] else match[1]
            path[-1] = key
            yield tuple(path), bisect_right(starts, match.start()) + 1
            continue
        if path and isinstance(path[-1], int) and lexeme not in {"]", "}", ","}:
            yield tuple(path), bisect_right(starts, match.start()) + 1
        if lexeme == "{":
            path.append("")
        elif lexeme == "[":
            path.append(0)
        elif lexeme in {"}", "]"}:
            path.pop()
        elif lexeme == "," and isinstance(path[-1], int):
            path[-1] += 1
