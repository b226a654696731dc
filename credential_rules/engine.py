"""Runs the rules: reads what was named, builds one index, asks every rule, and answers with a report."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from credential_rules.assembly import is_assembly, read_assembly
from credential_rules.code_calls import is_told_as_a_finding, why_unread
from credential_rules.index import Index
from credential_rules.reader import Unreadable, looks_like_template, read_template
from credential_rules.sources import Source, SourceReader, code_that_is_missing, own_files, sources_of_templates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from credential_rules.rule import Finding, Rule, Severity
    from credential_rules.template import HasPlace, Place, Resource, Template

_TEMPLATE_SUFFIXES = {".json", ".yaml", ".yml", ".template"}


@dataclass(frozen=True, slots=True)
class Reported:
    """One finding as people get it.

    `resource` is a logical id, or `path:line` for source that no template uses; `location` is a property path, or
    `path:line` for the source of a function. `line` is a line of `file`, or of the source. `place` leads back to the template.
    """

    rule: str
    severity: Severity
    file: str
    resource: str
    location: str
    message: str
    fix: str
    place: Place = field(compare=False)

    @property
    def line(self) -> int | None:
        """The line, looked up only now: most formats and most files never need it."""
        place = self.place
        if place.line is not None or place.template is None:
            return place.line
        steps = place.steps if place.owner is None else ("Resources", place.resource, *place.steps)
        return place.template.line_of(steps)


@dataclass(frozen=True, slots=True)
class Unread:
    """A function of whose code nothing was read, for a reason that is no fault of the template."""

    file: str
    resource: str
    reason: str


@dataclass
class Report:
    """The answer of a run. `errors` says per file why it could not be judged; `files` and `resources` count what was.

    `unread` are the functions whose code was not handed over: no rule on code looked at them, and none found fault.
    """

    findings: list[Reported] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)
    files: int = 0
    resources: int = 0


@dataclass
class Target:
    """Everything that was read, before any rule saw it."""

    templates: list[Template] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)


def check(paths: Iterable[Path], rules: Iterable[Rule], *, skip_other_files: bool = False) -> Report:
    """Judges templates, assemblies and folders of source together, so that stacks see each other's exports.

    Nothing that the files hold makes it raise: what cannot be judged is named in `Report.errors`, the rest is judged.
    `skip_other_files` passes over files that are neither Python nor look like templates, and over code that is not built
    yet, as a commit hook needs.
    """
    target = read(paths, skip_other_files=skip_other_files)
    return judge(target, rules)


def judge(target: Target, rules: Iterable[Rule]) -> Report:
    """The report on what was read."""
    index = Index(target.templates, target.sources)
    report = Report(errors=dict(target.errors))
    report.files = len(target.templates) + len({source.path for source in target.sources})
    report.resources = sum(len(template.resources) for template in target.templates)
    report.unread = [
        Unread(resource.template.file, resource.logical_id, reason)
        for resource, function in index.functions.items()
        if (reason := why_unread(function)) and not is_told_as_a_finding(function)
    ]
    order = {template: position for position, template in enumerate(target.templates)}
    seen: set[tuple[str, str, str, str, str, str]] = set()
    for rule in rules:
        for finding in _findings(rule, index, report.errors):
            for reported in _reported(rule, finding):
                key = (
                    rule.slug,
                    reported.severity,
                    reported.file,
                    reported.resource,
                    reported.location,
                    reported.message,
                )
                if key not in seen:
                    seen.add(key)
                    report.findings.append(reported)
    # Stable: within a file the rules' order stays.
    report.findings.sort(
        key=lambda found: order.get(found.place.template, len(order)) if found.place.template else len(order)
    )
    return report


def _findings(rule: Rule, index: Index, errors: dict[str, str]) -> Iterator[Finding]:
    on_resource, on_template, on_source = rule.on_resource, rule.on_template, rule.on_source
    if on_resource is not None:
        for kind in rule.applies_to:
            for resource in index.by_type.get(kind, ()):
                yield from _safely(rule, resource, errors, partial(on_resource, index, resource))
    if on_template is not None:
        for template in index.templates:
            yield from _safely(rule, template, errors, partial(on_template, index, template))
    if on_source is not None:
        for source in index.sources:
            yield from _safely(rule, source.at(source.tree), errors, partial(on_source, index, source))


def _safely(
    rule: Rule, asked: HasPlace, errors: dict[str, str], ask: Callable[[], Iterable[Finding]]
) -> Iterator[Finding]:
    """The findings; a rule that breaks is an error of that file, never a pass and never a traceback."""
    try:
        yield from ask()
    except Exception as error:  # noqa: BLE001 (one broken rule must not hide what the others found)
        place = asked.place
        what = f"Rule '{rule.slug}' broke on {place.resource or place.file} ({type(error).__name__})."
        errors[place.file] = " ".join(
            [
                *([errors[place.file]] if place.file in errors else []),
                what,
                "It was not judged by that rule. Please report it with the part of the template that it names.",
            ]
        )


def _reported(rule: Rule, finding: Finding) -> Iterator[Reported]:
    place = finding.at.place
    functions: tuple[Resource, ...] = ()
    spotted = getattr(finding.at, "source", None)
    if isinstance(spotted, Source):
        functions = spotted.functions
    fix = finding.fix or rule.remedy
    if not functions:
        yield Reported(
            rule.slug, finding.severity, place.file, place.resource, place.location, finding.message, fix, place
        )
    for function in functions:
        at = function.place_of(())
        message = f"{place.location}: {finding.message}"
        yield Reported(rule.slug, finding.severity, at.file, function.logical_id, place.location, message, fix, at)


# --- reading ------------------------------------------------------------------------------------------------------


def read(paths: Iterable[Path], *, skip_other_files: bool = False) -> Target:
    """Reads every path: a template, a Python file, a `cdk.out`, or a folder with source and templates in it.

    Code that a template names on this machine and that is not there is an error: what was never found was not checked.
    """
    target = Target()
    reader = SourceReader()
    alone: list[Source] = []
    seen: set[str] = set()
    for path in paths:
        name = os.path.abspath(path)  # noqa: PTH100 (resolve would follow links, and report other names than were given)
        if name not in seen:
            seen.add(name)
            _read_one(path, target, reader, alone, skip_other_files=skip_other_files)
    used = sources_of_templates(target.templates, reader)
    known = {source.path for source in used}
    target.sources = used + [source for source in {s.path: s for s in alone}.values() if source.path not in known]
    target.errors.update(reader.errors)
    if not skip_other_files:
        # A commit holds no build output; a hook that asked for it would only be switched off.
        target.errors.update(code_that_is_missing(target.templates))
    return target


def _read_one(path: Path, target: Target, reader: SourceReader, alone: list[Source], *, skip_other_files: bool) -> None:
    try:
        is_folder = path.is_dir()
    except (OSError, ValueError):
        is_folder = False
    if is_folder:
        _read_folder(path, target, reader, alone)
    elif path.suffix == ".py":
        source = reader.file(path)
        if source is not None:
            alone.append(source)
    elif not skip_other_files or looks_like_template(path):
        _read_template(path, target)


def _read_folder(folder: Path, target: Target, reader: SourceReader, alone: list[Source]) -> None:
    if is_assembly(folder):
        target.templates += read_assembly(folder, target.errors)
        return
    before = len(target.templates) + len(alone) + len(target.errors) + len(reader.errors)
    for path in own_files(folder):
        if path.suffix == ".py":
            source = reader.file(path)
            if source is not None:
                alone.append(source)
        elif path.suffix in _TEMPLATE_SUFFIXES and looks_like_template(path):
            _read_template(path, target)
    if len(target.templates) + len(alone) + len(target.errors) + len(reader.errors) == before:
        target.errors[str(folder)] = (
            "The folder holds no Python file and no template, and is no cdk.out. Nothing in it was checked."
            " Name the folder of your source, or run `cdk synth` and name cdk.out."
        )


def _read_template(path: Path, target: Target) -> None:
    try:
        template = read_template(path)
    except Unreadable as error:
        target.errors[str(path)] = str(error)
        return
    target.templates.append(template)
    if template.damage:
        target.errors[str(path)] = template.damage
