"""How a report is written: text for people, JSON, SARIF, JUnit and Markdown for machines and reviews."""

from __future__ import annotations

import html
import json
import re
from itertools import groupby
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from credential_rules.engine import Report, Reported
    from credential_rules.rule import Rule

_MOST_NAMED: Final = 3  # functions in a summary
_RED, _YELLOW, _BOLD, _DIM, _PLAIN = "\033[31m", "\033[33m", "\033[1m", "\033[2m", "\033[0m"
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_PRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def as_text(report: Report, _rules: Iterable[Rule], *, colour: bool = False) -> str:
    """Findings grouped by file and rule, each rule's remedy once; a summary in the last line."""

    def paint(code: str, text: str) -> str:
        return f"{code}{_printable(text)}{_PLAIN}" if colour else _printable(text)

    lines: list[str] = []
    for file, of_file in groupby(report.findings, key=lambda found: found.file):
        lines.append(paint(_BOLD, file))
        for (_, fix), of_rule in groupby(of_file, key=lambda found: (found.rule, found.fix)):
            for found in of_rule:
                kind = paint(_RED, "error") if found.severity == "error" else paint(_YELLOW, "cannot tell")
                lines.append(f"  {kind} {paint(_BOLD, found.rule)} {_printable(_where(found))}")
                lines.append(f"    {_printable(found.message)}")
            lines += [paint(_DIM, f"    → {fix}"), ""]
    for file, message in report.errors.items():
        lines += [f"{paint(_BOLD, file)}", f"  {paint(_RED, 'not checked')} {_printable(message)}", ""]
    lines.append(_summary(report))
    return "\n".join(lines) + "\n"


def as_json(report: Report, _rules: Iterable[Rule]) -> str:
    """The documented JSON object."""
    return json.dumps(
        {
            "findings": [
                {
                    "rule": found.rule,
                    "severity": found.severity,
                    "file": found.file,
                    "resource": found.resource,
                    "location": found.location,
                    "message": found.message,
                    "fix": found.fix,
                }
                for found in report.findings
            ],
            "checked": {
                "files": report.files,
                "resources": report.resources,
                "unread": [{"file": one.file, "resource": one.resource, "reason": one.reason} for one in report.unread],
            },
            "errors": [{"file": file, "message": message} for file, message in report.errors.items()],
        },
        indent=2,
    )


def as_sarif(report: Report, rules: Iterable[Rule]) -> str:
    """SARIF 2.1.0: one run; files that could not be read are notifications of its invocation."""
    listed = list(rules)
    positions = {rule.slug: position for position, rule in enumerate(listed)}
    return json.dumps(
        {
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {
                        "driver": {
                            "name": "credential_rules",
                            "rules": [
                                {
                                    "id": rule.slug,
                                    "shortDescription": {"text": rule.sentence},
                                    "fullDescription": {"text": rule.reason},
                                    "help": {"text": rule.remedy},
                                    "properties": {"tags": ["security", rule.group]},
                                }
                                for rule in listed
                            ],
                        }
                    },
                    "invocations": [
                        {
                            "executionSuccessful": not report.errors,
                            "toolExecutionNotifications": [
                                {
                                    "level": "error",
                                    "message": {"text": message},
                                    "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(file)}}}],
                                }
                                for file, message in report.errors.items()
                            ]
                            + [{"level": "note", "message": {"text": said}} for said in [_unread(report)] if said],
                        }
                    ],
                    "results": [_sarif_result(found, positions) for found in report.findings],
                }
            ],
        },
        indent=2,
    )


def _sarif_result(found: Reported, positions: dict[str, int]) -> dict[str, object]:
    # What a function's source says stands in the source: viewers open the file that is named here.
    source = _SOURCE_LINE.fullmatch(found.location)
    file, line = (source["path"], int(source["line"])) if source else (found.file, found.line)
    physical: dict[str, object] = {"artifactLocation": {"uri": _uri(file)}}
    if line is not None:
        physical["region"] = {"startLine": line}
    result: dict[str, object] = {
        "ruleId": found.rule,
        "level": "error" if found.severity == "error" else "warning",
        "message": {"text": f"{found.message} {found.fix}"},
        "locations": [
            {
                "physicalLocation": physical,
                "logicalLocations": [{"name": found.resource, "fullyQualifiedName": _qualified(found)}],
            }
        ],
    }
    if found.rule in positions:
        result["ruleIndex"] = positions[found.rule]
    return result


def as_junit(report: Report, _rules: Iterable[Rule]) -> str:
    """JUnit XML: a failed test per finding, an error per file that could not be read, one passed test if all is well."""
    cases = [
        _junit_case(found.rule, f"{found.file} {_qualified(found)}", "failure", found.message, found.fix)
        for found in report.findings
    ]
    cases += [_junit_case("readable", file, "error", message, "") for file, message in report.errors.items()]
    if not cases:
        cases = [f'    <testcase classname="credential_rules" name={_attribute(_summary(report))}/>']
    counts = f'tests="{len(cases)}" failures="{len(report.findings)}" errors="{len(report.errors)}"'
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            "<testsuites>",
            f'  <testsuite name="credential_rules" {counts}>',
            *cases,
            "  </testsuite>",
            "</testsuites>",
            "",
        ]
    )


def _junit_case(rule: str, name: str, kind: str, message: str, fix: str) -> str:
    return (
        f"    <testcase classname={_attribute(rule)} name={_attribute(name)}>"
        f"<{kind} message={_attribute(message)}>{_xml(fix)}</{kind}></testcase>"
    )


def as_markdown(report: Report, _rules: Iterable[Rule]) -> str:
    """Markdown for a pull request's comment: a table per file."""
    lines: list[str] = []
    for file, of_file in groupby(report.findings, key=lambda found: found.file):
        lines += [f"### {_cell(file)}", "", "| rule | where | what | next |", "|---|---|---|---|"]
        for found in of_file:
            rule = found.rule if found.severity == "error" else f"{found.rule} (cannot tell)"
            lines.append(f"| {rule} | {_cell(_where(found))} | {_cell(found.message)} | {_cell(found.fix)} |")
        lines.append("")
    if report.errors:
        lines += ["### Not checked", ""]
        lines += [f"- {_cell(file)}: {_cell(message)}" for file, message in report.errors.items()]
        lines.append("")
    lines.append(_cell(_summary(report)))
    return "\n".join(lines) + "\n"


FORMATS: Final[dict[str, Callable[[Report, Iterable[Rule]], str]]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
    "junit": as_junit,
    "markdown": as_markdown,
}


_SOURCE_LINE = re.compile(r"(?P<path>.+\.py\w?):(?P<line>\d+)")


def _where(found: Reported) -> str:
    """Where to look, for people: the property path and the line."""
    line = found.line
    where = _qualified(found)
    return where if line is None or _SOURCE_LINE.fullmatch(found.location) else f"{where} (line {line})"


def _qualified(found: Reported) -> str:
    if not found.location or found.location == found.resource or found.location.split(".")[1:2] == [found.resource]:
        return found.location or found.resource
    return f"{found.resource} {found.location}".strip()


def _summary(report: Report) -> str:
    errors = sum(found.severity == "error" for found in report.findings)
    unsure = len(report.findings) - errors
    parts = [_count(errors, "error")]
    if unsure:
        parts.append(f"{unsure} cannot tell")
    if report.errors:
        parts.append(f"{_count(len(report.errors), 'file')} not checked in full")
    checked = f"{', '.join(parts)}; checked {_count(report.files, 'file')} with {_count(report.resources, 'resource')}."
    return f"{checked} {_unread(report)}".rstrip()


def _unread(report: Report) -> str:
    """The functions whose code nobody handed over, a few of them by name; empty if there are none."""
    if not report.unread:
        return ""
    by_reason: dict[str, list[str]] = {}
    for one in report.unread[:_MOST_NAMED]:
        by_reason.setdefault(_printable(one.reason), []).append(f"'{_printable(one.resource)}'")
    named = ", ".join(f"{', '.join(names)} ({reason})" for reason, names in by_reason.items())
    more = len(report.unread) - _MOST_NAMED
    return (
        f"The code of {_count(len(report.unread), 'function')} was not read: {named}{f' and {more} more' if more > 0 else ''}."
        " It was not checked, nor were the roles against what it calls."
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _uri(file: str) -> str:
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else path.as_posix()


def _xml(text: str) -> str:
    return html.escape(_NOT_IN_XML.sub("?", text))


def _attribute(text: str) -> str:
    return f'"{_xml(text)}"'


def _cell(text: str) -> str:
    """Text that cannot end a table's cell or start markup."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", _printable(text).replace("\n", " "))


def _printable(text: str) -> str:
    """Text that cannot steer a terminal: names in templates are other people's words."""
    return _NOT_PRINTABLE.sub("?", text)
