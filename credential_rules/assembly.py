"""Reads a CDK cloud assembly (`cdk.out`): its stacks, nested stacks, stages, and the assets of its functions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from credential_rules.reader import Unreadable, read_template, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from credential_rules.template import Raw, Template


def is_assembly(folder: Path) -> bool:
    """Whether `folder` is a cloud assembly."""
    return (folder / "manifest.json").is_file() and (folder / "cdk.out").is_file()


def read_assembly(folder: Path, errors: dict[str, str]) -> list[Template]:
    """Every template of the assembly, nested stacks and stages included; what cannot be read goes to `errors`."""
    templates: list[Template] = []
    for assembly, artifacts in _assemblies(folder, errors, depth=0):
        assets = _assets(assembly, artifacts, errors)
        nested: set[Path] = {path for path in assets.values() if path.name.endswith(".nested.template.json")}
        for name, artifact in artifacts.items():
            properties = _mapping(artifact.get("properties"))
            file = properties.get("templateFile")
            if artifact.get("type") != "aws:cloudformation:stack" or not isinstance(file, str):
                continue
            template = _template(assembly / file, errors)
            if template is not None:
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


def construct_paths(folder: Path) -> dict[tuple[Path, str], str]:
    """The construct path of each resource, by its template's path (below `folder`) and its logical id."""
    templates: dict[str, Path] = {}
    logical_ids: list[tuple[str, str]] = []
    for assembly, path, entry in metadata_entries(folder):
        data = entry.get("data")
        if entry.get("type") == "aws:cdk:templateFile" and isinstance(data, str):
            templates[path] = assembly / data
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


def stage_paths(folder: Path) -> list[str]:
    """The construct paths of the stages whose assemblies lie within this one."""
    return [
        path
        for _, artifacts in _assemblies(folder, {}, depth=0)
        for artifact in artifacts.values()
        if artifact.get("type") == "cdk:cloud-assembly"
        and isinstance(path := _mapping(artifact.get("properties")).get("displayName"), str)
    ]


def metadata_entries(folder: Path) -> Iterator[tuple[Path, str, dict[str, Raw]]]:
    """Each metadata entry of each construct: its assembly's folder, the construct's path without leading slash, the entry."""
    for assembly, artifacts in _assemblies(folder, {}, depth=0):
        for artifact in artifacts.values():
            recorded = _mapping(artifact.get("metadata"))
            file = artifact.get("additionalMetadataFile")
            if isinstance(file, str):
                recorded = {**recorded, **_json_file(assembly / file, {})}
            for path, entries in recorded.items():
                for entry in entries if isinstance(entries, list) else []:
                    if isinstance(entry, dict):
                        yield assembly, path.lstrip("/"), entry


def _assemblies(folder: Path, errors: dict[str, str], depth: int) -> Iterator[tuple[Path, dict[str, dict[str, Raw]]]]:
    manifest = _json_file(folder / "manifest.json", errors)
    artifacts = {
        name: artifact for name, artifact in _mapping(manifest.get("artifacts")).items() if isinstance(artifact, dict)
    }
    yield folder, artifacts
    if depth > 8:  # noqa: PLR2004 (stages within stages; ends a manifest that names itself)
        return
    for artifact in artifacts.values():
        directory = _mapping(artifact.get("properties")).get("directoryName")
        if artifact.get("type") == "cdk:cloud-assembly" and isinstance(directory, str):
            yield from _assemblies(folder / directory, errors, depth + 1)


def _assets(assembly: Path, artifacts: dict[str, dict[str, Raw]], errors: dict[str, str]) -> dict[str, Path]:
    """What each object key (and each asset hash) stands for on disk."""
    found: dict[str, Path] = {}
    for artifact in artifacts.values():
        file = _mapping(artifact.get("properties")).get("file")
        if artifact.get("type") != "cdk:asset-manifest" or not isinstance(file, str):
            continue
        for key, entry in _mapping(_json_file(assembly / file, errors).get("files")).items():
            path = _mapping(_mapping(entry).get("source")).get("path")
            if not isinstance(path, str):
                continue
            found[key] = assembly / path
            for destination in _mapping(_mapping(entry).get("destinations")).values():
                object_key = _mapping(destination).get("objectKey")
                if isinstance(object_key, str):
                    found[object_key] = assembly / path
    return found


def _template(path: Path, errors: dict[str, str]) -> Template | None:
    try:
        return read_template(path)
    except Unreadable as error:
        # CDK writes stacks without resources as they are, and they hold nothing to refuse.
        if "no 'Resources'" not in str(error):
            errors[str(path)] = str(error)
        return None


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
