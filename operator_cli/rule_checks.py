"""The seam to the rules: whatever the command line asks `credential_rules` goes through here."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from operator_cli.diagnosis.assumptions import OF_CODE, OF_SERVICE, in_best_case, in_worst_case, unknown_keys
from operator_cli.diagnosis.judgement import (
    Call,
    CodeFault,
    CodeFinding,
    Judgement,
    Layer,
    Permission,
    Step,
    VariableFault,
    VariableFinding,
    Way,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from credential_rules.code_calls import CodeCalls
    from credential_rules.engine import Report
    from credential_rules.index import Function, Index
    from credential_rules.policy_evaluation import Request, Verdict
    from credential_rules.rule import Rule
    from credential_rules.sources import Source
    from credential_rules.template import Resource
    from operator_cli.diagnosis.deployed_function import Facts, Role


class LineRecogniser:
    """The rules' own judgement of what is a credential, for a line of any file."""

    def credential_in(self, line: str, *, is_code: bool) -> str:
        """Name what gives itself away in a line, or a literal given to a name that promises a secret; empty if there is none."""
        from credential_rules import credential_forms as forms  # noqa: PLC0415 - asked only where files are scanned

        found = forms.credential_in(line)
        if found is not None:
            return found.what
        # In code `password = "…"` is a label as often as a secret: there only AWS's own names count.
        names = forms.drawn_secrets_in(line, is_code=is_code)
        name = next((name for name in names if not is_code or forms.promise_of(name) == "aws"), "")
        return f"a literal value for '{name}'" if name else ""

    def assigns_secret(self, line: str, *, is_code: bool) -> bool:
        """Whether a line gives a literal secret to a name that promises one."""
        from credential_rules import credential_forms as forms  # noqa: PLC0415 - as above

        return next(forms.secrets_assigned_in(line, is_code=is_code), None) is not None


def secret_spans(line: str) -> Iterator[tuple[int, int]]:
    """Give where secrets stand in a line of any text, by the same judgement as `LineRecogniser`."""
    from credential_rules.credential_forms import secret_spans as spans  # noqa: PLC0415 - as above

    return spans(line)


def promises_secret(name: str, value: str) -> bool:
    """Whether a name promises a secret, and the value given to it can be one and is no placeholder or reference."""
    from credential_rules import credential_forms as forms  # noqa: PLC0415 - as above

    return forms.promise_of(name) != "none" and forms.is_secret(value, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class IamAction:
    """An IAM action that AWS has.

    Attributes:
        name: As AWS spells it.
        arn_formats: The ARNs that it can be limited to, such as `arn:${Partition}:sqs:${Region}:${Account}:${QueueName}`,
            those that it needs first; empty: only `*` works.
        needed: Those of them that every call is judged on.
    """

    name: str
    arn_formats: tuple[str, ...]
    needed: tuple[str, ...] = ()


def iam_action(name: str) -> IamAction | None:
    """Give the IAM action of that name, in any case; `None` if AWS has none."""
    from credential_rules.iam_actions import action  # noqa: PLC0415 - the database is read when it is asked

    known = action(name)
    if known is None:
        return None
    formats = dict.fromkeys((*known.required_arn_formats, *known.arn_formats))
    return IamAction(name=known.name, arn_formats=tuple(formats), needed=tuple(known.required_arn_formats))


def actions_of_operation(service: str, operation: str) -> tuple[str, ...]:
    """Give the IAM actions that an operation needs; empty where nothing is known of it."""
    from credential_rules import iam_actions  # noqa: PLC0415 - as above

    return iam_actions.actions_of_operation(service, operation)


# --- a deployed function ------------------------------------------------------------------------------------------

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


def judge_function(template: Mapping[str, Any], arn: str, code: Sequence[Path]) -> Judgement:
    """Judge a deployed function.

    Args:
        template: It and its network, as the template that would make them, under the names that they have.
        arn: The function's ARN.
        code: The folders with its source: its own, then those of its layers.
    """
    where, _, function = arn.rpartition(":function:")
    from credential_rules import engine  # noqa: PLC0415 - the other commands need none of it
    from credential_rules.index import Index  # noqa: PLC0415 - as above
    from credential_rules.template import Template  # noqa: PLC0415 - as above

    described = Template(file=function, raw=dict(template))
    resource = described.resources[function]
    sources, unread = _sources(resource, code)
    report = engine.judge(engine.Target([described], sources, unread), _signer_rules())
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


def _signer_rules() -> tuple[Rule, ...]:
    """Give the rules on who signs a function's calls."""
    from credential_rules import (  # noqa: PLC0415 - the other commands need none of them
        code_holds_no_credentials,
        code_uses_its_role,
        no_credentials_in_environment,
        no_reserved_lambda_environment,
    )

    return (
        code_uses_its_role.RULE,
        code_holds_no_credentials.RULE,
        no_reserved_lambda_environment.RULE,
        no_credentials_in_environment.RULE,
    )


def _sources(resource: Resource, folders: Sequence[Path]) -> tuple[list[Source], dict[str, str]]:
    """Read the source of a function, under the names that it has in the deployed package."""
    from credential_rules.sources import SourceReader  # noqa: PLC0415 - as above

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
    from credential_rules.python_names import names_of  # noqa: PLC0415 - the other commands need none of it
    from credential_rules.sdk_credentials import handovers  # noqa: PLC0415 - as above

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
    from credential_rules.environment_reads import removals  # noqa: PLC0415 - the other commands need none of it
    from credential_rules.python_names import names_of  # noqa: PLC0415 - as above

    for source in sources:
        for removal in removals(names_of(source), source.nodes):
            if removal.is_from_sdk:
                leaves_pair = removal.variables == ("AWS_SESSION_TOKEN",)
                fault = CodeFault.REMOVED_TOKEN if leaves_pair else CodeFault.REMOVED_KEY
                yield source.at(removal.at).place.location, fault


def _variable_findings(report: Report, resource: Resource, sources: Sequence[Source]) -> Iterator[VariableFinding]:
    from credential_rules.environments import variables  # noqa: PLC0415 - the other commands need none of it
    from credential_rules.no_reserved_lambda_environment import RESERVED  # noqa: PLC0415 - as above

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
    from credential_rules.called_arns import arn_of, arns_of_all  # noqa: PLC0415 - the other commands need none of it
    from credential_rules.code_calls import operations_of  # noqa: PLC0415 - as above
    from credential_rules.needs import needs_of  # noqa: PLC0415 - as above

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


def arn_of(named: str, action: str, function: str) -> str:
    """Give the ARN of what is named where a function calls an action, with `*` and `?` for what the name does not say.

    Empty if the name does not tell which resource it is.
    """
    from credential_rules.called_arns import arn_of  # noqa: PLC0415 - the other commands need none of it

    return arn_of(named, action, function.rpartition(":function:")[0])


def resources_of_all(action: str, function: str) -> tuple[str, ...]:
    """Give one resource of each kind that an action may be on, with a name that no policy has."""
    from credential_rules.called_arns import arns_of_all, one_of  # noqa: PLC0415 - as above

    return tuple(one_of(pattern) for pattern in arns_of_all(action, function.rpartition(":function:")[0]))


def one_of(pattern: str) -> str:
    """Give a resource that a pattern stands for, whose unknown parts are like no name that a policy has."""
    from credential_rules.called_arns import one_of  # noqa: PLC0415 - as above

    return one_of(pattern)


def may_be_same(first: str, second: str) -> bool:
    """Say whether one resource can be what two patterns stand for."""
    from credential_rules.called_arns import may_be_same  # noqa: PLC0415 - as above

    return may_be_same(first, second)


def is_one_secret(arn: str, pattern: str) -> bool:
    """Say whether an ARN is that of the one secret that a pattern names without its six characters."""
    from credential_rules.called_arns import is_one_secret  # noqa: PLC0415 - as above

    return is_one_secret(arn, pattern)


def with_secret_suffix(arn: str) -> str:
    """Give a secret's ARN as policies match it, with `?` for the six characters that it lacks."""
    from credential_rules.arns import with_secret_suffix  # noqa: PLC0415 - as above

    return with_secret_suffix(arn)


def answers_for(endpoint: str, service: str) -> bool:
    """Say whether the address of an endpoint (`monitoring`) is that of an IAM prefix (`cloudwatch`)."""
    from credential_rules.called_services import answers_for as answers  # noqa: PLC0415 - as above

    return answers(endpoint, service)


def _ways(index: Index, function: Function, calls: Sequence[Call]) -> Iterator[Way]:
    """Give the way to each service that the role lets the code call, and to each that the code calls all the same."""
    from credential_rules.called_services import calls_of, endpoint_name  # noqa: PLC0415 - the other commands need none of it
    from credential_rules.network_path import GATEWAY_SERVICES  # noqa: PLC0415 - as above
    from credential_rules.reachability import Walk  # noqa: PLC0415 - as above

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


_EVERYTHING: Final = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_EVERYBODY: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
}


def permission(  # noqa: PLR0917 (one question, with all that it depends on)
    facts: Facts,
    judgement: Judgement,
    layer: Layer,
    action: str,
    resource: str,
    policy: Mapping[str, Any] | None = None,
    service: str = "",
) -> Permission:
    """Say whether one layer of policies lets a function's role do something, called from the function's code.

    Args:
        facts: The function; its role has to be complete.
        judgement: What the rules say of it: through which endpoints its calls go.
        layer: Whose answer.
        action: The IAM action.
        resource: The ARN of what it is done to.
        policy: The policy of the endpoint, the resource or the key that the layer is about; None if it has none.
        service: Who uses a key for the role, by its IAM prefix.
    """
    role = facts.role
    if role is None or (role.trust is None if layer == "trust" else not role.is_complete):
        return Permission(None, reason="the role's policies were not read")
    if layer == "trust":
        cases = [_Case(_of_trust(facts, action, resource), OF_CODE)]
    else:
        cases = _cases(facts, judgement, role, action, resource, service)
    found = [_answer(layer, case, role, policy) for case in cases]
    if len({(one.allowed, one.is_explicit) for one in found}) > 1:
        unknown = frozenset(key for one in found for key in one.unknown)
        return Permission(None, reason="it depends on which way the call takes", unknown=unknown)
    return found[0]


class _Case(NamedTuple):
    """One way that a call may take: the request, and the condition keys that are known of it."""

    request: Request
    known: AbstractSet[str]


def _of_trust(facts: Facts, action: str, resource: str) -> Request:
    from credential_rules.policy_evaluation import Request  # noqa: PLC0415 - the other commands need none of it

    return Request(
        action=action,
        resource=resource,
        principal_arn="lambda.amazonaws.com",
        principal_account="",
        context={"aws:SourceAccount": facts.account, "aws:SourceArn": facts.arn},
    )


def _cases(  # noqa: PLR0917 (as above)
    facts: Facts, judgement: Judgement, role: Role, action: str, resource: str, service: str
) -> list[_Case]:
    """Give the requests that a call may be: one for each way that it may take."""
    from credential_rules.policy_evaluation import Request  # noqa: PLC0415 - as above

    partition = facts.arn.split(":")[1]
    context = {
        "aws:PrincipalArn": role.arn,
        "aws:PrincipalAccount": facts.account,
        "aws:SecureTransport": "true",
        "aws:RequestedRegion": facts.region,
    }
    context |= {f"aws:PrincipalTag/{name}": value for name, value in role.tags.items()}
    if not (resource.split(":") + [""] * 5)[4]:
        # Buckets and the like do not say whose they are: the function's own account's, as far as its policies go.
        context["aws:ResourceAccount"] = facts.account
    of_organisation = set()
    if facts.organisation is not None:
        owner = context.get("aws:ResourceAccount") or resource.split(":")[4]
        keys = ["aws:PrincipalOrgID", *(["aws:ResourceOrgID"] if owner == facts.account else [])]
        of_organisation = {key.lower() for key in keys}
        context |= dict.fromkeys(keys, facts.organisation) if facts.organisation else {}

    def case(more: Mapping[str, str], known: AbstractSet[str]) -> _Case:
        principal = f"arn:{partition}:sts::{facts.account}:assumed-role/{role.name}/{facts.name}"
        request = Request(action, resource, principal, facts.account, {**context, **more})
        return _Case(request, known | of_organisation)

    if service:
        suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
        region = resource.split(":")[3]
        by_service = {
            "aws:ViaAWSService": "true",
            "kms:ViaService": f"{service}.{region}.{suffix}",
            "kms:CallerAccount": facts.account,
        }
        return [case(by_service, OF_SERVICE)]
    context["lambda:SourceFunctionArn"] = facts.arn
    passed = _passed(facts, judgement, action)
    in_vpc = {"aws:SourceVpc": facts.network.vpc} if facts.network is not None else {}
    if passed is None:
        return [case(in_vpc, OF_CODE)]
    # Who calls does not choose it, and S3 serves both.
    versions: list[dict[str, str]] = (
        [{"s3:TlsVersion": version} for version in ("1.2", "1.3")] if action.startswith("s3:") else [{}]
    )
    return [
        case(
            {**version, **({"aws:SourceVpce": endpoint, **in_vpc} if endpoint else {})},
            OF_CODE | {"aws:sourcevpce", "s3:tlsversion"},
        )
        for endpoint in passed
        for version in versions
    ]


def _passed(facts: Facts, judgement: Judgement, action: str) -> tuple[str, ...] | None:
    """Give the endpoints that a call may pass, empty for the way that passes none; None if that is not known."""
    if facts.network is None:
        return ("",)
    service = action.partition(":")[0].lower()
    for way in judgement.ways or ():
        if way.service == service and (way.endpoints or way.verdict):
            return (*way.endpoints, *([""] if way.leaves_vpc else []))
    return None


def _answer(layer: Layer, case: _Case, role: Role, policy: Mapping[str, Any] | None) -> Permission:
    """Judge one request in the best and in the worst case of what is not known about it."""
    documents: Mapping[Layer, Sequence[Mapping[str, Any]]] = {
        "trust": [role.trust.document] if role.trust else [],
        "identity": [one.document for one in role.policies],
        "boundary": [role.boundary.document] if role.boundary else [_EVERYTHING],
        "endpoint": [policy or _EVERYTHING],
        "key and role": [one.document for one in role.policies],
    }
    own = [_numbered(document, number) for number, document in enumerate(documents.get(layer, ()))]
    of_resource = None if policy is None else _numbered(policy, len(own))
    deciding = [*own, *([] if of_resource is None else [of_resource])]
    if not all(isinstance(one, dict) for document in deciding for one in document["Statement"]):
        return Permission(None, reason="a policy holds something that is no statement")
    boundary = role.boundary.document if role.boundary else _EVERYTHING
    best, worst = (
        _judged(
            layer,
            case.request,
            [assume(document, case.known) for document in own],
            None if of_resource is None else assume(of_resource, case.known),
            assume(boundary, case.known),
        )
        for assume in (in_best_case, in_worst_case)
    )
    if best.decision is worst.decision:
        return _told(best, deciding, case.request)
    unclear = [*deciding, *([boundary] if layer == "key and role" else [])]
    keys = sorted({key for document in unclear for key in unknown_keys(document, case.known)})
    unknown = frozenset(key.lower() for key in keys)
    return Permission(None, reason=f"it depends on {', '.join(keys)}", unknown=unknown)


_OF_DOCUMENT: Final = "\n"
"""Stands between a document's number and a statement's name, where no name has it."""


def _numbered(document: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Give each statement a name of its own: its document, and its `Sid`, or its place, which it keeps where others are left out."""
    written = document.get("Statement")
    return {
        **document,
        "Statement": [
            {**one, "Sid": f"{number}{_OF_DOCUMENT}{one.get('Sid') or f'statement {place}'}"}
            if isinstance(one, dict)
            else one
            for place, one in enumerate(written if isinstance(written, list) else [written], start=1)
        ],
    }


def _judged(
    layer: Layer,
    request: Request,
    own: Sequence[Mapping[str, Any]],
    of_resource: Mapping[str, Any] | None,
    boundary: Mapping[str, Any],
) -> Verdict:
    from credential_rules.policy_evaluation import authorise, evaluate  # noqa: PLC0415 - as above

    # Across accounts the resource's own policy has to allow too: what it says is a layer of its own.
    owner = (request.resource.split(":") + [""] * 5)[4]
    of_owner = _EVERYBODY if owner.isdigit() and owner != request.principal_account else None
    policies: Mapping[str, Any]
    match layer:
        case "trust":
            return evaluate(own[0], request)
        case "identity":
            policies = {"identity": own, "resource": of_owner}
        case "boundary" | "endpoint":
            policies = {"identity": _EVERYTHING, "resource": of_owner, layer: own[0]}
        case "resource" | "key":
            policies = {"identity": _EVERYTHING, "resource": of_resource}
        case "resource alone":
            policies = {"identity": [], "resource": of_resource}
        case "key and role":
            policies = {"identity": own, "resource": of_resource, "boundary": boundary}
    return authorise(request, **policies)


def _told(verdict: Verdict, documents: Sequence[Mapping[str, Any]], request: Request) -> Permission:
    from credential_rules.policy_evaluation import Decision  # noqa: PLC0415 - as above

    name = (verdict.statement or "").rpartition(_OF_DOCUMENT)[2]
    statement = next(
        (
            {**one, "Sid": name}
            for document in documents
            for one in document["Statement"]
            if one["Sid"] == verdict.statement
        ),
        None,
    )
    conditions = _conditions(statement or {})
    held = {key.lower(): value for key, value in request.context.items()}
    return Permission(
        {Decision.ALLOWED: True, Decision.CANNOT_TELL: None}.get(verdict.decision, False),
        is_explicit=verdict.decision is Decision.EXPLICIT_DENY,
        reason=verdict.reason,
        statement=name,
        text="" if statement is None else json.dumps(statement),
        stated=tuple(
            f"{key} is {held[key.lower()]}" if key.lower() in held else f"there is no {key}"
            for key in dict.fromkeys(key for _, key in conditions)
        ),
        # A Deny unless they are: `StringNotEquals`.
        wants={key: str(held.get(key.lower(), "")) for operator, key in conditions if "not" in operator.lower()},
        by=verdict.layer.value if verdict.layer is not None else "",
    )


def _conditions(statement: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give the operators and the keys of a statement's condition."""
    condition = statement.get("Condition")
    listed = condition.items() if isinstance(condition, dict) else ()
    return [(operator, key) for operator, keys in listed if isinstance(keys, dict) for key in keys]


def key_actions(action: str) -> tuple[str, ...]:
    """Give what a role needs on the customer's key that encrypts what an action is done to."""
    from credential_rules.needs import actions_on_key  # noqa: PLC0415 - as above

    return actions_on_key(action)
