"""Reads what synthesis wrote: templates, manifest and validation report, with references told by construct path.

Logical ids carry hashes, so a reference is written ``<Data/Events.Arn>``: the stack's part, the construct's path and
the attribute. An import from another stack is followed to what that stack exports. Account and region are written
``<AWS::AccountId>`` and ``<AWS::Region>``, whether a template refers to them or has them spelt out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Json = Any
"""A JSON value, as a template has it."""

STACKS = ("Data", "Network", "Api")
"""The stacks by their part in the application: what stands at the end of their names."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a template.

    Attributes:
        path: Its construct's path, from the stack's part on, such as ``Data/Events``.
        logical_id: Its name in the template.
        type: Its CloudFormation type.
        body: All of it, as in the template.
    """

    path: str
    logical_id: str
    type: str
    body: Mapping[str, Json]

    @property
    def properties(self) -> Mapping[str, Json]:
        """Its properties."""
        return self.body.get("Properties", {})  # type: ignore[no-any-return]


class Template:
    """One stack's template."""

    def __init__(self, assembly: Assembly, part: str, stack: str) -> None:
        self._assembly = assembly
        self.part = part
        self.stack = stack
        self.content: dict[str, Json] = json.loads(
            (assembly.folder / f"{stack}.template.json").read_text(encoding="utf-8")
        )
        metadata = json.loads((assembly.folder / f"{stack}.metadata.json").read_text(encoding="utf-8"))
        self._path_of = {
            entry["data"]: part + path.removeprefix(f"/{stack}").removesuffix("/Resource")
            for path, entries in metadata.items()
            for entry in entries
            if entry["type"] == "aws:cdk:logicalId"
        }
        self.resources = tuple(
            Resource(path=self._path_of[name], logical_id=name, type=body["Type"], body=body)
            for name, body in self.content["Resources"].items()
        )

    def of_type(self, *types: str) -> list[Resource]:
        """Give all resources of these types."""
        return [resource for resource in self.resources if resource.type in types]

    def at(self, path: str, type_: str) -> Resource:
        """Give the one resource of this type at a construct's path."""
        (found,) = (resource for resource in self.of_type(type_) if resource.path == path)
        return found

    def text(self, value: Json) -> str:
        """Write a value as one text in which references are told by construct path.

        Raises:
            TypeError: The value is of a form that none of our templates has.
        """
        match value:
            case str():
                text = self._assembly.without_place(value)
            case int() | float():
                text = str(value)
            case {"Ref": str(name)}:
                text = f"<{self._path_of.get(name, name)}>"
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                text = f"<{self._path_of[name]}.{attribute}>"
            case {"Fn::ImportValue": str(name)}:
                text = self._assembly.exported(name)
            case {"Fn::Join": ["", [*parts]]}:
                text = "".join(self.text(part) for part in parts)
            case {"Fn::Select": [int(index), {"Fn::GetAZs": ""}]}:
                text = f"<availability zone {index}>"
            case _:
                raise TypeError(f"No text for {value!r}")
        return text

    def texts(self, value: Json) -> list[str]:
        """Write a list of values, or the single one that stands for such a list."""
        return [self.text(each) for each in (value if isinstance(value, list) else [value])]


class Assembly:
    """One cloud assembly of the application: a folder that synthesis wrote.

    Args:
        folder: The folder.
        context: The settings that it was synthesised from.
    """

    def __init__(self, folder: Path, context: Mapping[str, str]) -> None:
        self.folder = folder
        self.context = context

    @cached_property
    def manifest(self) -> dict[str, Json]:
        """``manifest.json``."""
        return json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]

    @cached_property
    def report(self) -> dict[str, Json]:
        """What the rule packs found, each by its name."""
        content = json.loads((self.folder / "validation-report.json").read_text(encoding="utf-8"))
        return {pack["pluginName"]: pack for pack in content["pluginReports"]}

    @cached_property
    def templates(self) -> dict[str, Template]:
        """The templates, by their stack's part."""
        return {part: Template(self, part, self.stack(part)) for part in STACKS}

    @property
    def data(self) -> Template:
        """What must never be lost."""
        return self.templates["Data"]

    @property
    def network(self) -> Template:
        """The isolated VPC."""
        return self.templates["Network"]

    @property
    def api(self) -> Template:
        """What runs."""
        return self.templates["Api"]

    def stack(self, part: str) -> str:
        """Give a stack's name."""
        return f"Rolebound-{self.context.get('environment', 'dev')}-{part}"

    @property
    def region(self) -> str:
        """The region that it is for."""
        return self.context.get("region", "us-east-1")

    def without_place(self, text: str) -> str:
        """Write account and region as references."""
        account = self.context.get("account")
        if account:
            text = text.replace(account, "<AWS::AccountId>")
        return text.replace(self.region, "<AWS::Region>")

    def of_type(self, *types: str) -> Iterator[tuple[Template, Resource]]:
        """Give all resources of these types, each with its template."""
        for template in self.templates.values():
            for resource in template.of_type(*types):
                yield template, resource

    def exported(self, name: str) -> str:
        """Tell what stands behind an export."""
        for template in self.templates.values():
            for output in template.content.get("Outputs", {}).values():
                if output.get("Export", {}).get("Name") == name:
                    return template.text(output["Value"])
        raise KeyError(name)

    def acknowledgements(self) -> Iterator[tuple[str, str, str]]:
        """Give each acknowledgement that a construct carries: the construct's path, ``Pack::Rule`` and the reason."""
        for part in STACKS:
            stack = self.stack(part)
            metadata = json.loads((self.folder / f"{stack}.metadata.json").read_text(encoding="utf-8"))
            for path, entries in metadata.items():
                for entry in entries:
                    if entry["type"] == "aws:cdk:acknowledged-rules":
                        for rule, reason in entry["data"].items():
                            yield part + path.removeprefix(f"/{stack}"), rule, reason
