"""Reads a CDK cloud assembly (`cdk.out`): its stacks, nested stacks, stages, and the assets of its functions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, cast

from credential_rules.reader import Unreadable, read_template, read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from credential_rules.template import Raw, Template


def is_assembly(folder: Path) -> bool:
    """Whether `folder` is a cloud assembly."""
    return (folder / "manifest.json").is_file() and (folder / "cdk.out").is_file()


NESTED: Final = ".nested.template.json"
"""How the templates of nested stacks end, which are assets of the stack that holds them."""


@dataclass(eq=False)
class Part:
    """What one manifest describes: the app's own, or that of a stage, which lies in a folder of its own."""

    folder: Path
    artifacts: dict[str, dict[str, Raw]]

    @property
    def stacks(self) -> Iterator[tuple[str, Path, dict[str, Raw]]]:
        """Each stack's name within the assembly, its template, and its artifact."""
        for name, artifact in self.artifacts.items():
            file = _mapping(artifact.get("properties")).get("templateFile")
            if artifact.get("type") == "aws:cloudformation:stack" and isinstance(file, str):
                yield name, self.folder / file, artifact

    @cached_property
    def metadata(self) -> list[tuple[str, dict[str, Raw]]]:
        """Each metadata entry with its construct's path without leading slash."""
        found: list[tuple[str, dict[str, Raw]]] = []
        for artifact in self.artifacts.values():
            recorded = _mapping(artifact.get("metadata"))
            file = artifact.get("additionalMetadataFile")
            if isinstance(file, str):
                recorded = {**recorded, **_json_file(self.folder / file, {})}
            for path, entries in recorded.items():
                listed = entries if isinstance(entries, list) else []
                found += [(path.lstrip("/"), entry) for entry in listed if isinstance(entry, dict)]
        return found


def part_in(folder: Path, errors: dict[str, str]) -> Part:
    """What the manifest in `folder` describes, without the stages that lie within it."""
    manifest = _json_file(folder / "manifest.json", errors)
    return Part(
        folder,
        {
            name: artifact
            for name, artifact in _mapping(manifest.get("artifacts")).items()
            if isinstance(artifact, dict)
        },
    )


def parts_below(folder: Path, errors: dict[str, str]) -> Iterator[Part]:
    """What the manifests in and below `folder` describe, stages within stages included."""
    return _parts(folder, errors, depth=0)


def _parts(folder: Path, errors: dict[str, str], depth: int) -> Iterator[Part]:
    part = part_in(folder, errors)
    yield part
    if depth > 8:  # noqa: PLR2004 (stages within stages; ends a manifest that names itself)
        return
    for artifact in part.artifacts.values():
        directory = _mapping(artifact.get("properties")).get("directoryName")
        if artifact.get("type") == "cdk:cloud-assembly" and isinstance(directory, str):
            yield from _parts(folder / directory, errors, depth + 1)


def read_assembly(folder: Path, errors: dict[str, str]) -> list[Template]:
    """Every template of the assembly, nested stacks and stages included; what cannot be read goes to `errors`."""
    return read_parts(parts_below(folder, errors), errors)


def read_parts(
    parts: Iterable[Part], errors: dict[str, str], is_wanted: Callable[[Path], bool] = lambda _template: True
) -> list[Template]:
    """The templates of the stacks that are wanted, and every nested stack beside them, each read once."""
    templates: list[Template] = []
    for part in parts:
        assets = _assets(part, errors)
        nested: set[Path] = {path for path in assets.values() if path.name.endswith(NESTED)}
        for name, file, artifact in part.stacks:
            template = _template(file, errors) if is_wanted(file) else None
            if template is not None:
                properties = _mapping(artifact.get("properties"))
                template.stack_name = str(properties.get("stackName") or name)
                template.account, template.region = _environment(artifact.get("environment"))
                template.assets = assets
                templates.append(template)
        for path in sorted(nested):
            template = _template(path, errors)
            if template is not None:
                template.assets = assets
                templates.append(template)
    return templates


def construct_paths(parts: Iterable[Part]) -> dict[tuple[Path, str], str]:
    """The construct path of each resource, by its template's path (below its part's folder) and its logical id."""
    templates: dict[str, Path] = {}
    logical_ids: list[tuple[str, str]] = []
    for part in parts:
        for path, entry in part.metadata:
            data = entry.get("data")
            if entry.get("type") == "aws:cdk:templateFile" and isinstance(data, str):
                templates[path] = part.folder / data
            elif entry.get("type") == "aws:cdk:logicalId" and isinstance(data, str):
                logical_ids.append((path, data))
    found: dict[tuple[Path, str], str] = {}
    for path, logical_id in logical_ids:
        # The nearest enclosing stack holds it; a nested stack lies within its parent.
        steps = path.split("/")
        for length in range(len(steps) - 1, 0, -1):
            template = templates.get("/".join(steps[:length]))
            if template is not None:
                found[template, logical_id] = path
                break
    return found


def _assets(part: Part, errors: dict[str, str]) -> dict[str, Path]:
    """What each object key (and each asset hash) stands for on disk."""
    found: dict[str, Path] = {}
    for artifact in part.artifacts.values():
        file = _mapping(artifact.get("properties")).get("file")
        if artifact.get("type") != "cdk:asset-manifest" or not isinstance(file, str):
            continue
        for key, entry in _mapping(_json_file(part.folder / file, errors).get("files")).items():
            path = _mapping(_mapping(entry).get("source")).get("path")
            if not isinstance(path, str):
                continue
            found[key] = part.folder / path
            for destination in _mapping(_mapping(entry).get("destinations")).values():
                object_key = _mapping(destination).get("objectKey")
                if isinstance(object_key, str):
                    found[object_key] = part.folder / path
    return found


def _template(path: Path, errors: dict[str, str]) -> Template | None:
    try:
        template = read_template(path)
    except Unreadable as error:
        # CDK writes stacks without resources as they are, and they hold nothing to refuse.
        if "no 'Resources'" not in str(error):
            errors[str(path)] = str(error)
        return None
    if template.damage:
        errors[str(path)] = template.damage
    return template


def _environment(environment: Raw) -> tuple[str, str]:
    """Account and region of `aws://123456789012/eu-west-1`, empty where unknown."""
    parts = environment.removeprefix("aws://").split("/") if isinstance(environment, str) else []
    account, region = parts if len(parts) == 2 else ("", "")  # noqa: PLR2004 (account and region)
    return ("" if account.startswith("unknown") else account, "" if region.startswith("unknown") else region)


def _mapping(raw: Raw | dict[str, Raw]) -> dict[str, Raw]:
    return raw if isinstance(raw, dict) else {}


def _json_file(path: Path, errors: dict[str, str]) -> dict[str, Raw]:
    try:
        return _mapping(cast("Raw", json.loads(read_text(path))))
    except Unreadable as error:
        errors[str(path)] = str(error)
    except (ValueError, RecursionError):
        errors[str(path)] = (
            "This part of the cloud assembly is no valid JSON. The stacks it describes were not checked. Run `cdk synth` again."
        )
    return {}
