"""What CloudFormation's functions say before deployment.

`expand` turns one raw value into the values it may be; `texts` gives the texts of a scalar. Both stay lazy and never
raise on odd input: what does not make sense becomes an unknown hole, because a linter for spelling is not our job.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from credential_rules import conditions
from credential_rules.template import NO_VALUE, Node, Raw
from credential_rules.values import UNKNOWN, Hole, Text, join_text, scalar_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from credential_rules.template import Resource, Template

MOST_TEXTS: Final = 64  # alternatives multiply in Fn::Join; more than this tells a reader nothing new
_DEEPEST: Final = 48  # deeper than any real template; ends cycles through parameters, exports and nested stacks
_SUB_NAME = re.compile(r"\$\{([^}]*)\}")


def is_intrinsic(raw: Raw) -> bool:
    """Whether `raw` is a function call: a mapping with the one key `Ref` or `Fn::…`."""
    if type(raw) is not dict or len(raw) != 1:
        return False
    (name,) = raw
    return name == "Ref" or name.startswith("Fn::")


def expand(node: Node, depth: int = 0) -> Iterator[Node]:
    """The possible values behind `node`: branches, defaults, mappings, exports and nested stacks followed.

    What remains an intrinsic is a scalar for `texts`, or unknown. `AWS::NoValue` gives a node with `NO_VALUE`.
    """
    raw = node.raw
    if type(raw) is not dict or len(raw) != 1:
        yield node
        return
    ((name, argument),) = raw.items()
    expander = _EXPANDERS.get(name)
    if expander is None:
        yield node
    elif depth > _DEEPEST:
        yield node._replace(raw={"Fn::Unknown": None})
    else:
        yield from expander(node, argument, depth + 1)


def present(node: Node, depth: int = 0) -> Iterator[Node]:
    """As `expand`, without `AWS::NoValue`."""
    return (found for found in expand(node, depth) if found.raw is not NO_VALUE)


def elements(node: Node, depth: int = 0) -> Iterator[Node]:
    """The elements of a list (branches of an element that are lists themselves count as elements); else `node`."""
    raw = node.raw
    if isinstance(raw, list):
        for position, child in enumerate(raw):
            below = Node(node.template, child, (*node.path, position), node.owner, node.assumed, node.parameters)
            if type(child) is dict and len(child) == 1:
                for found in present(below, depth):
                    if isinstance(found.raw, list):
                        yield from elements(found, depth + 1)
                    else:
                        yield found
            else:
                yield below
    elif is_intrinsic(raw) and depth == 0:
        for found in present(node):
            yield from elements(found, 1)
    else:
        yield node


def texts(node: Node, depth: int = 0) -> list[Text]:
    """The possible texts of a scalar; none for mappings and lists, an unknown one for what cannot be followed."""
    raw = node.raw
    if isinstance(raw, str):
        return [_with(scalar_text(raw), node.parameters)]
    if is_intrinsic(raw):
        return list(_texts_of_call(node, depth))[:MOST_TEXTS]
    if isinstance(raw, dict | list):
        return []
    return [_with(scalar_text(raw), node.parameters)]


def texts_of(template: Template, raw: Raw) -> list[Text]:
    """The possible texts of something that no resource owns, as in `Conditions` or `Outputs`."""
    return texts(Node(template, raw, (), None))


def _with(text: Text, parameters: frozenset[str]) -> Text:
    return Text(text.pieces, text.parameters | parameters) if parameters else text


def _texts_of_call(node: Node, depth: int) -> Iterator[Text]:
    if depth > _DEEPEST:
        yield UNKNOWN
        return
    for found in present(node, depth):
        raw = found.raw
        if not is_intrinsic(raw):
            yield from texts(found, depth + 1)
            continue
        assert isinstance(raw, dict)  # noqa: S101 (is_intrinsic said so)
        ((name, argument),) = raw.items()
        reader = _READERS.get(name)
        if reader is None:
            yield UNKNOWN
        else:
            for text in reader(found, argument, depth + 1):
                yield _with(text, found.parameters)


# --- functions that lead to another value -------------------------------------------------------------------------


def _expand_if(node: Node, argument: Raw, depth: int) -> Iterator[Node]:
    if not isinstance(argument, list) or len(argument) != 3:  # noqa: PLR2004 (condition, then, else)
        yield node._replace(raw={"Fn::Unknown": None})
        return
    condition = argument[0]
    known = conditions.truth(node.template, condition, node.assumed)
    for position, holds in ((1, True), (2, False)):
        if known is None or known is holds:
            assumed = node.assumed
            if known is None:
                assumed = conditions.assume(node.template, condition, truth=holds, assumed=assumed)
            branch = node._replace(raw=argument[position], path=(*node.path, "Fn::If", position), assumed=assumed)
            yield from expand(branch, depth)


def _expand_ref(node: Node, argument: Raw, depth: int) -> Iterator[Node]:
    if argument == "AWS::NoValue":
        yield node._replace(raw=NO_VALUE)
        return
    parameter = node.template.parameters.get(argument) if isinstance(argument, str) else None
    if parameter is None:
        yield node
        return
    given = _given_by_parent(node, parameter.name)
    if given is not None:
        yield from expand(given, depth)
    elif parameter.defaults:
        for default in parameter.defaults:
            raw: Raw = default
            if parameter.is_list and isinstance(default, str):
                raw = [part.strip() for part in default.split(",")]
            yield node._replace(raw=raw, parameters=node.parameters | {parameter.name})
    else:
        yield node


def _given_by_parent(node: Node, parameter: str) -> Node | None:
    parent = node.template.parent
    if parent is None:
        return None
    properties = parent.raw.get("Properties")
    given = properties.get("Parameters") if isinstance(properties, dict) else None
    if not isinstance(given, dict) or parameter not in given:
        return None
    return node._replace(template=parent.template, raw=given[parameter], assumed=())


def _expand_find_in_map(node: Node, argument: Raw, depth: int) -> Iterator[Node]:
    unknown = node._replace(raw={"Fn::Unknown": None})
    if not isinstance(argument, list) or len(argument) < 3:  # noqa: PLR2004 (map, first key, second key)
        yield unknown
        return
    names, firsts, seconds = (_keys(node._replace(raw=part), depth) for part in argument[:3])
    found = False
    for mapping in _under(node.template.section("Mappings"), names) if names else ():
        for first in _under(mapping, firsts):
            for value in _under(first, seconds):
                found = True
                yield node._replace(raw=value)
    if found:
        return
    options = argument[3] if len(argument) > 3 else None  # noqa: PLR2004 (the optional default)
    if isinstance(options, dict) and "DefaultValue" in options:
        yield from expand(node._replace(raw=options["DefaultValue"]), depth)
    else:
        yield unknown


def _keys(node: Node, depth: int) -> list[str] | None:
    """The literal keys, None if any key is possible."""
    keys = [text.literal for text in texts(node, depth)]
    known = [key for key in keys if key is not None]
    return known if len(known) == len(keys) and known else None


def _under(raw: Raw, keys: list[str] | None) -> list[Raw]:
    if not isinstance(raw, dict):
        return []
    return list(raw.values()) if keys is None else [raw[key] for key in keys if key in raw]


def _expand_import(node: Node, argument: Raw, depth: int) -> Iterator[Node]:
    found = False
    for text in texts(node._replace(raw=argument), depth):
        exported = node.template.export(text.pattern)
        if exported is not None:
            found = True
            yield from expand(_seen_from(node, exported), depth)
    if not found:
        yield node


def _expand_stack_output(node: Node, argument: Raw, depth: int) -> Iterator[Node]:
    stack = argument.get("StackName") if isinstance(argument, dict) else None
    output = argument.get("OutputName") if isinstance(argument, dict) else None
    if isinstance(stack, str) and isinstance(output, str):
        exported = node.template.stack_output(stack.rsplit("/", 2)[-2] if stack.startswith("arn:") else stack, output)
        if exported is not None:
            yield from expand(_seen_from(node, exported), depth)
            return
    yield node


def _expand_get_att(node: Node, argument: Raw, depth: int) -> Iterator[Node]:
    logical_id, attribute = _get_att_parts(argument)
    child = node.template.children.get(logical_id)
    if child is not None and attribute.startswith("Outputs."):
        output = child.section("Outputs").get(attribute.removeprefix("Outputs."))
        if isinstance(output, dict) and "Value" in output:
            yield from expand(node._replace(template=child, raw=output["Value"], assumed=()), depth)
            return
    yield node


def _seen_from(node: Node, other: Node) -> Node:
    return node._replace(template=other.template, raw=other.raw, assumed=())


def _expand_select(node: Node, argument: Raw, depth: int) -> Iterator[Node]:
    unknown = node._replace(raw={"Fn::Unknown": None})
    if not isinstance(argument, list) or len(argument) != 2:  # noqa: PLR2004 (index, list)
        yield unknown
        return
    indexes = [text.literal for text in texts(node._replace(raw=argument[0]), depth)]
    for choices in present(node._replace(raw=argument[1]), depth):
        if not isinstance(choices.raw, list):
            yield unknown
            continue
        for index in indexes:
            if index is not None and index.isdecimal() and len(index) < 6 and int(index) < len(choices.raw):  # noqa: PLR2004 (no list is longer)
                yield from expand(choices._replace(raw=choices.raw[int(index)], path=node.path), depth)
            else:
                yield unknown


def _expand_split(node: Node, argument: Raw, depth: int) -> Iterator[Node]:
    unknown = node._replace(raw={"Fn::Unknown": None})
    if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str) or not argument[0]:  # noqa: PLR2004 (separator, text)
        yield unknown
        return
    for text in texts(node._replace(raw=argument[1]), depth):
        parts = text.split(argument[0])
        if parts is None:
            yield unknown
        else:
            raw: list[Raw] = [{"Fn::Sub": part.pattern} if any(part.holes) else part.literal for part in parts]
            yield node._replace(raw=raw, parameters=node.parameters | text.parameters)


_EXPANDERS: Final[dict[str, Callable[[Node, Raw, int], Iterator[Node]]]] = {
    "Fn::If": _expand_if,
    "Ref": _expand_ref,
    "Fn::FindInMap": _expand_find_in_map,
    "Fn::ImportValue": _expand_import,
    "Fn::GetStackOutput": _expand_stack_output,
    "Fn::GetAtt": _expand_get_att,
    "Fn::Select": _expand_select,
    "Fn::Split": _expand_split,
}


# --- functions that are a text ------------------------------------------------------------------------------------


def _read_ref(node: Node, argument: Raw, _depth: int) -> Iterator[Text]:
    if not isinstance(argument, str):
        yield UNKNOWN
    elif argument.startswith("AWS::"):
        yield Text((Hole("pseudo", argument),))
    elif argument in node.template.parameters:
        yield Text((Hole("parameter", argument),))
    else:
        yield _reference(node.template.resources.get(argument), argument, None)


def _read_get_att(node: Node, argument: Raw, _depth: int) -> Iterator[Text]:
    logical_id, attribute = _get_att_parts(argument)
    yield _reference(node.template.resources.get(logical_id), logical_id, attribute)


def _reference(resource: Resource | None, logical_id: str, attribute: str | None) -> Text:
    name = f"{logical_id}.{attribute}" if attribute else logical_id
    return Text((Hole("resource" if resource else "unknown", name, resource, attribute),))


def _get_att_parts(argument: Raw) -> tuple[str, str]:
    if isinstance(argument, str):
        logical_id, _, attribute = argument.partition(".")
        return logical_id, attribute
    if isinstance(argument, list) and len(argument) > 1 and isinstance(argument[0], str):
        return argument[0], ".".join(part if isinstance(part, str) else "*" for part in argument[1:])
    return "", ""


@lru_cache(maxsize=4096)
def _sub_parts(text: str) -> tuple[str, ...]:
    return tuple(_SUB_NAME.split(text))


def _read_sub(node: Node, argument: Raw, depth: int) -> Iterator[Text]:
    names: dict[str, Raw] = {}
    if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], dict):  # noqa: PLR2004 (text, names)
        names = argument[1]
        argument = argument[0]
    if not isinstance(argument, str):
        yield UNKNOWN
        return
    pieces: list[list[Text]] = []
    for position, part in enumerate(_sub_parts(argument)):
        if not position % 2:
            pieces.append([scalar_text(part)])
        elif part.startswith("!"):
            pieces.append([scalar_text(f"${{{part[1:]}}}")])
        else:
            pieces.append(_sub_name(node, names, part.strip(), depth))
    yield from _concatenations(pieces)


def _sub_name(node: Node, names: dict[str, Raw], name: str, depth: int) -> list[Text]:
    if name in names:
        raw = names[name]
    elif "." in name:
        raw = {"Fn::GetAtt": name}
    else:
        raw = {"Ref": name}
    return texts(node._replace(raw=raw), depth) or [UNKNOWN]


def _read_join(node: Node, argument: Raw, depth: int) -> Iterator[Text]:
    if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str):  # noqa: PLR2004 (separator, list)
        yield UNKNOWN
        return
    separator = argument[0]
    for parts in present(node._replace(raw=argument[1]), depth):
        if not isinstance(parts.raw, list):
            yield UNKNOWN
            continue
        lists: list[list[Text]] = [[]]
        for child in parts.raw:
            choices = list(_join_parts(parts._replace(raw=child), depth))
            lists = [[*before, *choice] for before in lists for choice in choices][:MOST_TEXTS]
        for chosen in lists:
            pieces: list[str | Hole] = []
            for position, text in enumerate(chosen):
                pieces += [separator, *text.pieces] if position else text.pieces
            yield join_text(pieces, frozenset().union(*(text.parameters for text in chosen)))


def _join_parts(node: Node, depth: int) -> Iterator[list[Text]]:
    """What one part may contribute: nothing, one text, or the elements of a list."""
    for found in expand(node, depth):
        if found.raw is NO_VALUE:
            yield []
        elif isinstance(found.raw, list):
            yield [(texts(element, depth) or [UNKNOWN])[0] for element in elements(found)]
        else:
            for text in texts(found, depth) or [UNKNOWN]:
                yield [text]


def _concatenations(pieces: list[list[Text]]) -> Iterator[Text]:
    """Every way to choose one text per piece, at most `MOST_TEXTS` of them."""
    whole: list[tuple[list[str | Hole], frozenset[str]]] = [([], frozenset())]
    for choices in pieces:
        whole = [
            ([*before, *choice.pieces], parameters | choice.parameters)
            for before, parameters in whole
            for choice in choices
        ][:MOST_TEXTS]
    for parts, parameters in whole:
        yield join_text(parts, parameters)


def _read_same(node: Node, argument: Raw, depth: int) -> Iterator[Text]:
    """Base64 hides nothing: the text is what goes in."""
    yield from texts(node._replace(raw=argument), depth) or [UNKNOWN]


def _read_json(node: Node, argument: Raw, depth: int) -> Iterator[Text]:
    pieces: list[list[Text]] = [[scalar_text("{")]] if isinstance(argument, dict) else [[scalar_text("[")]]
    parts = (
        argument.items() if isinstance(argument, dict) else enumerate(argument) if isinstance(argument, list) else ()
    )
    for position, (key, raw) in enumerate(parts):
        lead = (", " if position else "") + (f'"{key}": "' if isinstance(key, str) else '"')
        pieces += [[scalar_text(lead)], texts(node._replace(raw=raw), depth) or [UNKNOWN], [scalar_text('"')]]
    pieces.append([scalar_text("}" if isinstance(argument, dict) else "]")])
    yield from _concatenations(pieces)


def _read_import(node: Node, argument: Raw, depth: int) -> Iterator[Text]:
    for text in texts(node._replace(raw=argument), depth):
        yield Text((Hole("import", text.pattern),))


def _read_stack_output(_node: Node, argument: Raw, _depth: int) -> Iterator[Text]:
    parts = argument if isinstance(argument, dict) else {}
    yield Text((Hole("import", f"{parts.get('StackName', '?')}.{parts.get('OutputName', '?')}"),))


_READERS: Final[dict[str, Callable[[Node, Raw, int], Iterator[Text]]]] = {
    "Ref": _read_ref,
    "Fn::GetAtt": _read_get_att,
    "Fn::Sub": _read_sub,
    "Fn::Join": _read_join,
    "Fn::Base64": _read_same,
    "Fn::ToJsonString": _read_json,
    "Fn::ImportValue": _read_import,
    "Fn::GetStackOutput": _read_stack_output,
}
