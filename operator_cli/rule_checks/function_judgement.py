"""What the rules say of a deployed function: who signs its calls, what it calls, and whether that arrives."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from credential_rules import (
    code_holds_no_credentials,
    code_uses_its_role,
    engine,
    no_credentials_in_environment,
    no_reserved_lambda_environment,
)
from credential_rules.called_arns import arn_of, arns_of_all
from credential_rules.called_services import calls_of, endpoint_name
from credential_rules.code_calls import operations_of
from credential_rules.environment_reads import removals
from credential_rules.environments import variables
from credential_rules.index import Index
from credential_rules.needs import needs_of
from credential_rules.network_path import GATEWAY_SERVICES
from credential_rules.no_reserved_lambda_environment import RESERVED
from credential_rules.python_names import names_of
from credential_rules.reachability import Walk
from credential_rules.sdk_credentials import handovers
from credential_rules.sources import SourceReader
from credential_rules.template import Template
from operator_cli.diagnosis.judgement import (
    Call,
    CodeFault,
    CodeFinding,
    Judgement,
    Step,
    VariableFault,
    VariableFinding,
    Way,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from credential_rules.code_calls import CodeCalls
    from credential_rules.engine import Report
    from credential_rules.index import Function
    from credential_rules.sources import Source
    from credential_rules.template import Resource


_VARIABLES: Final = (
    ("AWS_PROFILE", VariableFault.PROFILE),
    ("AWS_DEFAULT_PROFILE", VariableFault.PROFILE),
    ("AWS_SHARED_CREDENTIALS_FILE", VariableFault.OTHER_SOURCE),
    ("AWS_CONFIG_FILE", VariableFault.OTHER_SOURCE),
    ("AWS_SECURITY_TOKEN", VariableFault.OLD_TOKEN),
    ("AWS_CREDENTIAL_EXPIRATION", VariableFault.OTHER_SOURCE),
    ("AWS_CONTAINER_", VariableFault.OTHER_SOURCE),
    ("AWS_ENDPOINT_URL", VariableFault.ENDPOINT_OVERRIDE),
    ("AWS_STS_REGIONAL_ENDPOINTS", VariableFault.GLOBAL_STS),
)
"""Beginnings of the names that take a function's role away from it, with what each does."""

_SIGNER_RULES: Final = (
    code_uses_its_role.RULE,
    code_holds_no_credentials.RULE,
    no_reserved_lambda_environment.RULE,
    no_credentials_in_environment.RULE,
)
"""The rules on who signs a function's calls."""


def judge_function(template: Mapping[str, Any], arn: str, code: Sequence[Path]) -> Judgement:
    """Judge a deployed function.

    Args:
        template: It and its network, as the template that would make them, under the names that they have.
        arn: The function's ARN.
        code: The folders with its source: its own, then those of its layers.
    """
    where, _, function = arn.rpartition(":function:")

    described = Template(file=function, raw=dict(template))
    resource = described.resources[function]
    sources, unread = _sources(resource, code)
    report = engine.judge(engine.Target([described], sources, unread), _SIGNER_RULES)
    index = Index([described], sources)
    calls, unknown_calls = _calls(index, index.functions[resource], where)
    return Judgement(
        code=tuple(_code_findings(report, sources)),
        variables=tuple(_variable_findings(report, resource, sources)),
        calls=tuple(calls),
        unknown_calls=tuple(unknown_calls),
        ways=tuple(_ways(index, index.functions[resource], calls)) if index.functions[resource].is_in_vpc else None,
        not_judged=tuple(f"{file}: {why}" for file, why in report.errors.items()),
    )


def _sources(resource: Resource, folders: Sequence[Path]) -> tuple[list[Source], dict[str, str]]:
    """Read the source of a function, under the names that it has in the deployed package."""
    found: list[Source] = []
    errors: dict[str, str] = {}
    for folder in folders:
        reader = SourceReader()
        found += [
            replace(source, path=_inside(source.path, folder), functions=(resource,))
            for source in reader.folder(folder)
        ]
        errors |= {_inside(path, folder): why for path, why in reader.errors.items()}
    return found, errors


def _inside(path: str, folder: Path) -> str:
    return Path(path).relative_to(folder).as_posix()


def _code_findings(report: Report, sources: Sequence[Source]) -> Iterator[CodeFinding]:
    handed_over, removed = dict(_handed_over(sources)), dict(_removed(sources))
    for found in report.findings:
        message = found.message.removeprefix(f"{found.location}: ")
        if found.rule == "code-uses-its-role":
            # One line may take the role's own key out of the environment and hand it over: two findings.
            if "The code removes" in message:
                fault = removed.get(found.location, CodeFault.OTHER)
            elif any(name in message for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")):
                fault = CodeFault.HARVEST
            else:
                fault = handed_over.get(found.location, CodeFault.OTHER)
            yield CodeFinding(fault, found.location, message, found.fix)
        elif found.rule == "code-holds-no-credentials" and "AWS" in message:
            yield CodeFinding(CodeFault.LITERAL_KEY, found.location, message, found.fix)


def _handed_over(sources: Sequence[Source]) -> Iterator[tuple[str, CodeFault]]:
    """Say for each line that hands credentials to an SDK which part of them it hands over."""
    for source in sources:
        for handover in handovers(names_of(source)):
            for given in handover.given:
                if given.part == "profile":
                    fault = CodeFault.PROFILE
                else:
                    fault = CodeFault.KEY_WITH_TOKEN if "token" in handover.parts else CodeFault.KEY_WITHOUT_TOKEN
                yield source.at(given.at).place.location, fault


def _removed(sources: Sequence[Source]) -> Iterator[tuple[str, CodeFault]]:
    """Say for each line that takes the role's credentials away from the SDK which part of them it takes."""
    for source in sources:
        for removal in removals(names_of(source), source.nodes):
            if removal.is_from_sdk:
                leaves_pair = removal.variables == ("AWS_SESSION_TOKEN",)
                fault = CodeFault.REMOVED_TOKEN if leaves_pair else CodeFault.REMOVED_KEY
                yield source.at(removal.at).place.location, fault


def _variable_findings(report: Report, resource: Resource, sources: Sequence[Source]) -> Iterator[VariableFinding]:
    values = {variable.name: "".join(variable.value.literals()) for variable in variables(resource)}
    judged: set[str] = set()
    for found in report.findings:
        name = found.location.removeprefix("Properties.Environment.Variables.")
        if found.resource != resource.logical_id or name == found.location or name in judged:
            continue
        if name in RESERVED:
            fault: VariableFault | None = VariableFault.RESERVED
        elif found.rule == "no-reserved-lambda-environment":
            fault = next(fault for beginning, fault in _VARIABLES if name.startswith(beginning))
        else:
            fault = _key_in(values[name], found.message)
        if fault is not None:
            judged.add(name)
            word = re.compile(rf"\b{re.escape(name)}\b", re.IGNORECASE)
            yield VariableFinding(
                fault, name, found.message, is_used=any(word.search(source.text) for source in sources)
            )


def _key_in(value: str, message: str) -> VariableFault | None:
    """Say which kind of AWS credential a value is; None for what is none of AWS's."""
    if "AKIA" in value:
        return VariableFault.LONG_LIVED_KEY
    if "ASIA" in value or "session token" in message:
        return VariableFault.SESSION
    return VariableFault.OTHER_KEY if "AWS" in message else None


def _calls(index: Index, function: Function, where: str) -> tuple[list[Call], list[str]]:
    """Give the calls that the function's code makes, and those that nobody can name."""
    made = operations_of(index, function)
    owners = _owners(made, function, where.rpartition(":")[2])
    actions: dict[tuple[str, str], set[str]] = {}
    for need in needs_of(index, function):
        if need.by_code and need.is_required:
            places = [where]
            if need.action.startswith("sqs:") and isinstance(need.target, str):
                accounts = owners.get((need.path, need.line, need.target), [])
                places = [f"{where.rpartition(':')[0]}:{account}" for account in accounts] or places
            for place in places:
                if arns_of_all(need.action, where) == ("*",):
                    resource = "*"
                elif isinstance(need.target, str):
                    resource = arn_of(need.target, need.action, place, need.below)
                else:
                    resource = ""
                actions.setdefault((f"{need.path}:{need.line}", resource), set()).add(need.action)
    found = [Call(tuple(sorted(names)), place, resource) for (place, resource), names in actions.items()]
    unknown = [f"{one.path}:{one.line}: {one.reason}" for one in made.unknown]
    return found, unknown


_QUEUE_URL: Final = re.compile(r"https?://[^/]+/(?P<account>\d{12})/(?P<name>[^/?#]+)/?")


def _owners(made: CodeCalls, function: Function, own: str) -> dict[tuple[str, int, str], list[str]]:
    """Give the accounts of the queues whose URLs name another one than the function's, by path, line and name."""
    found: dict[tuple[str, int, str], list[str]] = {}
    for call in made.calls:
        for one in call.resources if call.service == "sqs" else ():
            held = [value for key, value in function.environment.entries() if key.upper() == one.text.upper()]
            texts = [text for value in held for text in value.literals()] if one.is_variable else [one.text]
            for url in filter(None, map(_QUEUE_URL.fullmatch, texts)):
                accounts = found.setdefault((call.path, call.line, url["name"]), [])
                accounts += [url["account"]] if url["account"] not in accounts else []
    return {place: accounts for place, accounts in found.items() if accounts != [own]}


def _ways(index: Index, function: Function, calls: Sequence[Call]) -> Iterator[Way]:
    """Give the way to each service that the role lets the code call, and to each that the code calls all the same."""
    walk = Walk(index, function)
    called = {action.partition(":")[0].lower() for call in calls for action in call.actions}
    for service in sorted({*calls_of(index, function).services, *called}):
        way = walk.to(service)
        # Its hops from the subnets where they are the worst: Lambda may place the function in any of them.
        yield Way(
            service=service,
            verdict=way.verdict,
            steps=tuple(Step(hop.kind, hop.verdict, hop.evidence) for hop in way.hops),
            endpoints=tuple(endpoint.resource.logical_id for endpoint in way.endpoints),
            endpoint_name=endpoint_name(service),
            takes_gateway=service in GATEWAY_SERVICES,
            leaves_vpc=any(passage.endpoint is None for passage in way.passages),
        )
