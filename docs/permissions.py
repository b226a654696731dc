"""Writes docs/permissions.md: who may do what to what, why, through which endpoint, and how that is proven.

    python docs/permissions.py            synthesise with the default settings (a few seconds) and write it
    python docs/permissions.py --check    the same, but fail if it is out of date

Who may do what is read from the synthesised templates, why from the functions' code, how it is proven from what the
end-to-end tests put on record (docs/proofs.json). `--assembly DIR` takes a cloud assembly that is there already, `--output FILE` another place to write to.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
import tempfile
import textwrap
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

PROJECT: Final = Path(__file__).resolve().parent.parent
sys.path[0:0] = [str(PROJECT)]

from credential_rules import iam_actions  # noqa: E402 - found by the path above
from credential_rules.code_calls import operations_of  # noqa: E402 - as above
from credential_rules.grants import denying  # noqa: E402 - as above
from credential_rules.needs import needs_of  # noqa: E402 - as above
from credential_rules.network_path import aws_services  # noqa: E402 - as above
from credential_rules.template import Value  # noqa: E402 - as above
from docs import deploy_policy  # noqa: E402 - as above
from docs.network import Network, synthesised  # noqa: E402 - as above

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from credential_rules.index import Function, Role
    from credential_rules.needs import Need
    from credential_rules.policies import Statement
    from credential_rules.template import Resource
    from credential_rules.values import Text

FILE: Final = PROJECT / "docs" / "permissions.md"
PROOFS: Final = PROJECT / "docs" / "proofs.json"
_CODE: Final = "lambda_src"
"""The folder that the functions' asset is made from."""

_SERVICES: Final = {
    "lambda.amazonaws.com": "Lambda",
    "scheduler.amazonaws.com": "EventBridge Scheduler",
    "vpc-flow-logs.amazonaws.com": "VPC flow logs",
    "apigateway.amazonaws.com": "API Gateway",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that a role may do.

    Attributes:
        role: The role, by the name that the proofs know it by.
        action: The IAM action.
        on: What to, in words.
        needs: What needs it.
    """

    role: str
    action: str
    on: tuple[str, ...]
    needs: tuple[Need, ...]

    @property
    def by_code(self) -> bool:
        """Whether the function's own code uses it."""
        return any(need.by_code for need in self.needs)


class Deployment:
    """What one synthesised application lets whom do."""

    def __init__(self, assembly: Path) -> None:
        self.network = Network.of(assembly)
        self.templates, self.place = deploy_policy.read_assembly(assembly, deploy_policy.EXAMPLE_ACCOUNT)
        self.proofs: dict[str, dict[str, str]] = json.loads(PROOFS.read_text(encoding="utf-8"))

    @cached_property
    def roles(self) -> dict[str, Role]:
        """Every role, by the name that the proofs know it by: its function's, or its construct's. Those in the VPC first."""
        functions = sorted(self.network.index.functions.values(), key=lambda function: not function.is_in_vpc)
        of_functions = [function.role for function in functions if function.role]
        others = [role for role in self.network.index.roles.values() if not role.functions]
        return {self._name(role): role for role in (*of_functions, *others)}

    def _name(self, role: Role) -> str:
        if role.functions:
            (function,) = role.functions
            return re.sub(r"^rolebound-[a-z0-9]+-", "", function.resource["FunctionName"].literals()[0])
        return "".join(self.network.name(role.resource).split("/"))

    def function_of(self, name: str) -> Function | None:
        """The function whose role it is."""
        functions = self.roles[name].functions
        return functions[0] if functions else None

    def lines(self, name: str) -> list[Line]:
        """Everything that a role may do, action by action."""
        role, function = self.roles[name], self.function_of(name)
        needs = needs_of(self.network.index, function) if function else []
        on: dict[str, list[str]] = defaultdict(list)
        for statement in role.statements:
            if statement.effect == "Allow":
                only = self._conditions(statement)
                for action in statement.actions:
                    on[action.pattern] += [f"{self.called(resource)}{only}" for resource in statement.resources]
        return [
            Line(name, action, tuple(dict.fromkeys(places)), _needing(needs, action))
            for action, places in sorted(on.items())
        ]

    def _conditions(self, statement: Statement) -> str:
        if [one.key for one in statement.conditions] == ["kms:ViaService"]:
            return (
                f" through {_listed([value.pattern.split('.')[0] for value in statement.conditions[0].values], 'or')}"
            )
        told = [
            f"`{one.key}` is {_listed([f'`{value.pattern}`' for value in one.values], 'or')}"
            for one in statement.conditions
        ]
        return f", if {_listed(told)}" if told else ""

    def proof(self, role: str, action: str) -> str:
        """How it was proven that the role needs the action."""
        # A key of one's own is a setting; the record is of the default ones.
        otherwise = "evaluator" if action.startswith("kms:") else "**not proven**"
        return self.proofs.get(role, {}).get(action, otherwise)

    def called(self, text: Text) -> str:
        """Call the resource of a statement as people do."""
        told = "".join(
            piece if isinstance(piece, str) else f"<{self.network.name(piece.resource) if piece.resource else '…'}>"
            for piece in text.pieces
        )
        for form, words in _FORMS:
            found = re.fullmatch(form, told)
            if found:
                return words.format(*found.groups())
        return f"`{told}`"

    @cached_property
    def endpoints(self) -> dict[tuple[str, str], str]:
        """The endpoint that a function's calls to a service take."""
        return {
            (self._name(way.function.role), way.service): ", ".join(
                f"`{self.network.name(endpoint.resource)}`" for endpoint in way.endpoints
            )
            for way in self.network.ways
            if way.function.role is not None
        }


def _needing(needs: Sequence[Need], action: str) -> tuple[Need, ...]:
    """What needs an action; only where nothing does, what is helped by it."""
    found = [need for need in needs if need.action == action]
    return tuple([need for need in found if need.is_required] or found)


_FORMS: Final = (
    (r"\*", "any: there is no resource level"),
    (r"arn:aws:dynamodb:.*:table/rolebound-\w+?-([^/]+)/index/(.+)", "index `{1}` of the table `{0}`"),
    (r"arn:aws:dynamodb:.*:table/rolebound-\w+?-([^/]+)", "table `{0}`"),
    (r"arn:aws:sqs:[^:]*:[^:]*:rolebound-\w+?-(.+)", "queue `{0}`"),
    (r"arn:aws:s3:::rolebound-\w+?-.*-payloads/\*", "objects of the bucket `payloads`"),
    (r"<(.+/)?(Log|FlowLog)>", "its own log group"),
    (r"arn:aws:ec2:.*:network-interface/\*", "network interfaces"),
    (r"arn:aws:ec2:.*:security-group/<Vpc>", "the VPC's default security group"),
    (r"arn:aws:ec2:.*:security-group/<(.+)>", "the group `{0}`"),
    (r"arn:aws:ec2:.*:subnet/<(.+)>", "the subnet `{0}`"),
    (r"<Sweeper>", "the function `sweeper`"),
    (r"<Key/Key>", "the application's key"),
)
"""ARNs, with references in angle brackets, and what people call them."""


# --- The page ----------------------------------------------------------------------------------------------------


def page(assembly: Path) -> str:
    """Give the text of docs/permissions.md."""
    here = Deployment(assembly)
    parts = [
        "# Permissions",
        _filled(
            "Who may do what to what, why, through which endpoint, on whose condition, and how it is proven. Generated by"
            " `make docs` from the synthesised templates of the default settings and the functions' code; a test refuses a"
            f" stale copy. Names are without what they begin with (`{here.place.names}-`)."
        ),
        _in_short(here),
        "## What the code may do",
        _code_table(here),
        _GATES,
        "## What AWS's services do as these roles",
        _service_table(here),
        *_to_code(here),
        "## Who can become these roles",
        _trusts(here),
        "## Who else gets in",
        _stores(here),
        _invocations(here),
        _OTHERS,
        "## What the deploying role may do",
        *_deploying(here),
        "## How each line is proven",
        _PROOFS,
    ]
    return "\n\n".join(parts) + "\n"


def _in_short(here: Deployment) -> str:
    used = {line.action for name in here.roles for line in here.lines(name) if line.by_code}
    inside = [name for name in here.roles if (found := here.function_of(name)) and found.is_in_vpc]
    others = len(here.roles) - len(inside)
    roles = (
        f"{_number(len(inside))} functions in a VPC with no way out ([network](network.md)), each with a role of its own;"
        f" {_number(others).lower()} more roles for what runs at deployment, by the clock, and for the flow log."
    )
    needed = (
        f"The code may do {len(used)} different things to AWS, each because a line of it does: take one away and that line is"
        " denied; a grant that no line needs fails synthesis."
    )
    bounds = {text.pattern for role in here.roles.values() for text in role.resource["PermissionsBoundary"].texts()}
    points = (
        roles,
        *(f"Every role is limited by the permissions boundary `{bound}`." for bound in sorted(bounds)),
        "No user, no access key, no managed policy, no wildcard action, no role that a person or another account can become.",
        needed,
        (
            f"Credentials that left one of the {_number(len(inside)).lower()} are of no use: the stores refuse them outside our"
            " endpoints, and what only Lambda does with a role, such as polling the queue, they are"
            " [denied](#what-code-is-denied) wherever they are used. They can write into their function's log. Those of a function"
            " outside the VPC can do what it is for."
        ),
    )
    return "\n".join(textwrap.fill(point, 120, initial_indent="- ", subsequent_indent="  ") for point in points)


def _code_table(here: Deployment) -> str:
    rows = []
    for name in here.roles:
        lines = [line for line in here.lines(name) if line.by_code]
        function = here.function_of(name)
        free = _free(here, name)
        for position, line in enumerate(lines):
            service = line.action.partition(":")[0]
            through = here.endpoints.get((name, service), "")
            if service == "kms":
                through = "the service that the line calls"
            elif not through and function and not function.is_in_vpc:
                through = _OUTSIDE
            rows.append(
                [
                    f"**{name}**" if position == 0 else "",
                    f"`{line.action}`",
                    _listed(line.on),
                    _because(line.needs),
                    through or "**no endpoint**",
                    here.proof(name, line.action),
                ]
            )
        rows += free
    return _table(["Function", "May", "On", "Because", "Through", "Proof"], rows)


_OUTSIDE: Final = "outside the VPC, at deployment only"


def _free(here: Deployment, name: str) -> list[list[str]]:
    """What a function's code asks that needs no grant; an endpoint still has to admit it."""
    function = here.function_of(name)
    calls = operations_of(here.network.index, function).calls if function else ()
    return [
        [
            "",
            f"`{call.service}:{call.operation}`",
            "itself; needs no grant",
            _link(call.path, call.line),
            here.endpoints.get((name, call.service), "**no endpoint**"),
            "-",
        ]
        for call in calls
        if f"{call.service}:{call.operation}" in iam_actions.NEEDS_NO_PERMISSION
    ]


def _link(path: str, line: int) -> str:
    """The function that a line is part of, and the line itself."""
    file = Path(_CODE, path)
    return f"[`{_enclosing(file, line)}`, {file.name}:{line}](../{_CODE}/{path}#L{line})"


def _because(needs: Iterable[Need]) -> str:
    links = [
        _link(need.path, need.line) for need in sorted(needs, key=lambda need: (need.path, need.line)) if need.by_code
    ]
    return ", ".join(dict.fromkeys(links))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse((PROJECT / path).read_text(encoding="utf-8"))


def _enclosing(path: Path, line: int) -> str:
    """The function that a line is part of, such as `EventStore.put`."""
    names: list[str] = []

    def look(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.ClassDef) and child.lineno <= line <= (
                child.end_lineno or child.lineno
            ):
                names.append(child.name)
            look(child)

    look(_tree(path))
    return ".".join(names) or path.stem


_GATES: Final = """\
Each call from the VPC passes three policies, and each of them has to let it through:

1. **the role's**, above: one exact action on one exact resource;
2. **the endpoint's**: this action on this resource for this role (`aws:PrincipalArn`), of our account
   (`aws:PrincipalAccount`), to a resource of our account (`aws:ResourceAccount`; who one is, STS's one question, has no
   resource); all else is refused, so a stranger's credentials that somebody brings into the VPC are of no use there;
3. **the store's**: refuses the role's calls that do not come through that endpoint (`aws:SourceVpce`), see
   [below](#who-else-gets-in).

*Because* leads to the line that makes the call. The analysis starts at the handler and follows the code; what it cannot
follow fails synthesis instead of being left out."""


def _service_table(here: Deployment) -> str:
    grouped: dict[tuple[str, str, str, str], dict[str, list[str]]] = {}
    for name in here.roles:
        for line in here.lines(name):
            if line.by_code:
                continue
            reason = _reason(here, name, line)
            who = _SERVICES[_trusted(here.roles[name])[0]]
            proof = here.proof(name, line.action)
            on = _listed(sorted({re.sub(r"the subnet `.*`", "the isolated subnets", place) for place in line.on}))
            actions = grouped.setdefault((who, reason, on, proof), {}).setdefault(name, [])
            actions.append(f"`{line.action}`")
    rows: dict[tuple[str, str, str, str, str], list[str]] = {}
    for (who, reason, on, proof), by_role in grouped.items():
        for name, actions in by_role.items():
            rows.setdefault((who, reason, ", ".join(actions), on, proof), []).append(name)
    return _table(
        ["Service", "As the role of", "May", "On", "To", "Proof"],
        [
            [who, ", ".join(names), actions, on, reason, proof]
            for (who, reason, actions, on, proof), names in sorted(rows.items(), key=lambda each: each[0][:2])
        ],
    )


def _reason(here: Deployment, name: str, line: Line) -> str:
    for need in line.needs:
        reason = re.sub(r"event source mapping '.*'", "poll the event queue", need.reason)
        return re.sub(r"^Lambda (writes its log|places it in its VPC)$", _rewritten, reason)
    function = here.function_of(name)
    return {"SweepRole": "start the sweeper every minute", "FlowLogRole": "write the flow log"}.get(
        name, "**nothing that is known**" if function else "**no reason is known**"
    )


def _rewritten(found: re.Match[str]) -> str:
    return {"writes its log": "write its log", "places it in its VPC": "place it in the VPC"}[found[1]]


def _to_code(here: Deployment) -> Iterator[str]:
    denied: dict[str, set[str]] = {}
    left: dict[str, set[str]] = {}
    for name in here.roles:
        function = here.function_of(name)
        for line in here.lines(name):
            if function is None or function.role is None or line.by_code or not line.needs:
                continue
            into = denied if all(denying(function.role, replace(need, by_code=True)) for need in line.needs) else left
            into.setdefault(line.action, set()).add(name)
    yield "### What code is denied"
    yield _filled(
        "The credentials of a function are the role's, so what Lambda does as the role, code could do too. But AWS puts the"
        " function's ARN into them, and into [none of Lambda's own calls](decisions/0016-code-is-denied-what-only-lambda-does.md)"
        " but those that write logs and traces. A Deny with the condition `lambda:SourceFunctionArn` therefore holds for code, in the VPC and wherever its"
        " credentials are used, and not for Lambda. It takes:"
    )
    yield "\n".join(
        textwrap.fill(
            f"- from the code of {_listed([f'**{name}**' for name in names])}: {_listed([f'`{one}`' for one in actions])}",
            120,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for names, actions in _by_roles(here, denied)
    )
    logs = sorted(action for action in left if action.startswith("logs:"))
    served = sorted(service for endpoint in here.network.endpoints for service in aws_services(endpoint))
    door = (
        "an endpoint leads there"
        if "logs" in served
        else "no endpoint leads there, so that only stolen credentials can"
    )
    yield _filled(
        f"It cannot take {_listed([f'`{one}`' for one in logs])}: Lambda's own calls name the function there too, so that the"
        f" log would end. They are on the function's own log only; from the VPC {door}."
    )
    more = sorted(left.keys() - set(logs))
    if more:
        yield _filled(f"**Left to code:** {_listed([f'`{one}` ({_listed(sorted(left[one]))})' for one in more])}.")


def _by_roles(here: Deployment, found: dict[str, set[str]]) -> Iterator[tuple[list[str], list[str]]]:
    """The actions that are the same roles', with these, in the order of the page."""
    grouped: dict[tuple[str, ...], list[str]] = {}
    for action, names in sorted(found.items()):
        grouped.setdefault(tuple(name for name in here.roles if name in names), []).append(action)
    for roles, actions in grouped.items():
        yield list(roles), actions


def _trusted(role: Role) -> list[str]:
    return sorted(
        principal.text.pattern
        for statement in role.trust
        for principal in statement.principals
        if principal.kind == "Service"
    )


def _trusts(here: Deployment) -> str:
    by_trust: dict[str, list[str]] = defaultdict(list)
    for name, role in here.roles.items():
        (statement,) = role.trust
        conditions = ", ".join(f"`{condition.key}`" for condition in statement.conditions)
        by_trust[f"{', '.join(f'`{one}`' for one in _trusted(role))}|{conditions}"].append(name)
    return _table(
        ["Only", "When it acts for our account", "As"],
        [[*trust.split("|"), ", ".join(names)] for trust, names in sorted(by_trust.items())],
    )


def _stores(here: Deployment) -> str:
    index = here.network.index
    named: dict[str, list[tuple[Resource, Resource | Value]]] = {
        "table": [(table, table) for table in index.resources("AWS::DynamoDB::GlobalTable")],
        "queue": [(policy, policy["Queues"][0]) for policy in index.resources("AWS::SQS::QueuePolicy")],
        "bucket": [(policy, policy["Bucket"]) for policy in index.resources("AWS::S3::BucketPolicy")],
    }
    rows = [
        [f"{word} `{_store(store)}`", _refusals(here, index.statements(policy))]
        for word, policies in named.items()
        for policy, store in policies
    ]
    return "What the stores' own policies refuse, whoever asks and whatever other policies allow:\n\n" + _table(
        ["Store", "Refuses"], rows
    )


def _store(value: Resource | Value) -> str:
    """The name of a store: of the table itself, or of what a policy refers to."""
    resource = value.texts()[0].resource if isinstance(value, Value) else value
    if resource is not None:
        for kind in ("TableName", "QueueName", "BucketName"):
            for text in resource[kind].texts():
                name = "".join(piece if isinstance(piece, str) else "…" for piece in text.pieces)
                return re.sub(r"^rolebound-\w+?-(…-.*-|\d{12}-.*-)?", "", name)
    return "**unknown**"


def _refusals(here: Deployment, statements: Iterable[Statement]) -> str:
    told: dict[str, list[str]] = defaultdict(list)
    for statement in statements:
        what, who = _refusal(here, statement)
        told[what] += who
    return "; ".join(what.format(who=_listed(who), s="s" if len(who) > 1 else "") for what, who in told.items())


def _refusal(here: Deployment, statement: Statement) -> tuple[str, list[str]]:
    """What a statement refuses, and to whom if it names a role."""
    keys = {condition.key.lower(): condition for condition in statement.conditions}
    if statement.effect != "Deny":
        return f"**allows {', '.join(action.pattern for action in statement.actions)}**", []
    for key, words in _REFUSED.items():
        if key in keys:
            return words, []
    if "aws:sourcevpce" in keys and "aws:principalarn" in keys:
        (role,) = keys["aws:principalarn"].values
        (endpoint,) = keys["aws:sourcevpce"].values
        through = here.network.name(endpoint.resource) if endpoint.resource else endpoint.pattern
        return f"the role{{s}} of {{who}}, except through `{through}`", [f"**{role.pattern.rpartition('-')[2]}**"]
    return f"**{statement.sid or 'something else'}**: {', '.join(keys)}", []


_REFUSED: Final = {
    "aws:securetransport": "plain HTTP",
    "s3:tlsversion": "TLS below 1.2",
    "aws:principalaccount": "other accounts",
    "aws:principalorgid": "other organisations",
}
"""By the condition's key, what a refusal is about."""


def _invocations(here: Deployment) -> str:
    rows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for permission in here.network.index.resources("AWS::Lambda::Permission"):
        function = here.network.name(permission["FunctionName"].texts()[0].resource or permission)
        (service,) = permission["Principal"].literals()
        source = permission["SourceArn"].texts()[0]
        path = source.pattern.partition("/*/*")[2]
        rows[_SERVICES[service], function].append(f"`{path}`" if path else "every route with a key")
    return (
        "Who may start a function (the schedule does it with a role of its own, CloudFormation as the deploying role):\n\n"
        + _table(
            ["Service", "Function", "For"],
            [
                [service, f"`{function.lower()}`", ", ".join(sorted(paths))]
                for (service, function), paths in rows.items()
            ],
        )
    )


_OTHERS: Final = """\
Who is left: **people and tools of the account**, with what the account's own policies give them, over TLS, on every store
(reading, redriving the dead letters, backups); **CloudFormation**, as the role below; **the stores themselves** (dead letters,
time to live, point-in-time recovery, lifecycle rules), which no policy stops. An AWS service that acts as itself is let
through by the refusals, and allowed nothing. [Decision 8](decisions/0008-stores-refuse-what-does-not-come-through-our-endpoints.md)
has the whole table."""


def _deploying(here: Deployment) -> Iterator[str]:
    made = deploy_policy.policies(here.templates, here.place)
    statements = [
        statement
        for name, document in made.items()
        if not name.endswith("-caller")
        for statement in document["Statement"]
    ]
    yield _filled(
        "The CDK lets CloudFormation act with AdministratorAccess unless told otherwise. These"
        f" {len(made) - 1} managed policies are what this application takes ([deploy-policy.json](deploy-policy.json)), here for"
        f" `{here.place.names}` in {here.place.region}. They are generated from the templates: a new type of resource or"
        " property stops the generator. To use them, with your account and settings:"
    )
    yield (
        '```\nmake synth ARGS="-c account=111122223333"\n'
        ".venv/bin/python docs/deploy_policy.py cdk.out --into policies\n"
        "# It prints `aws iam create-policy …` for each, and then\n"
        "cdk bootstrap --cloudformation-execution-policies arn:aws:iam::111122223333:policy/…\n```"
    )
    yield _table(
        ["Service", "Actions", "On", "If"],
        [
            _deploying_row(statement)
            for statement in sorted(statements, key=lambda each: str(_several(each["Action"])[0]))
        ],
    )
    yield (
        "What it may not: make or use a user, a key, an identity provider or a managed policy; touch a role, table, queue, bucket,\n"
        "function, alarm or log of another name; pass a role to anything but the three services; open the VPC (no Internet or NAT\n"
        "gateway, peering or route); read an event, a message, a payload or a secret.\n\n"
        "What it still may, and you should know:\n\n"
        "- It writes the policies of our roles and the code of our functions. Whoever may deploy can give them anything that the\n"
        "  account allows; only a permissions boundary (the setting `permissions_boundary`) limits that.\n"
        "- Parts of a network have no names: it may make and change those of its account and region, and deletes only what has the\n"
        "  tag `project=rolebound`.\n"
        "- Whoever runs `cdk deploy` needs only to become the CDK's four roles: the policy `…-caller`."
    )


def _deploying_row(statement: Any) -> list[str]:  # noqa: ANN401 - JSON
    actions = _several(statement["Action"])
    levels: dict[str, list[str]] = defaultdict(list)
    for action in actions:
        known = iam_actions.action(action)
        levels[(known.access_levels[0] if known else "Unknown").lower()].append(f"`{action}`")
    looking = len(levels.pop("list", [])) + len(levels.pop("read", []))
    told = [f"{looking} that list or read"] * bool(looking)
    for level, found in sorted(levels.items()):
        # What is allowed everywhere is told by name.
        told.append(", ".join(found) if statement["Resource"] == "*" else f"{len(found)} {_LEVELS.get(level, level)}")
    condition = ", ".join(
        f"`{key}` is `{value.rpartition(':')[2]}`"
        for keys in statement.get("Condition", {}).values()
        for key, value in keys.items()
    )
    services = sorted({action.partition(":")[0] for action in actions})
    on = ", ".join(f"`{_short(arn)}`" for arn in _several(statement["Resource"]))
    return [", ".join(services), f"`{actions[0]}`" if len(actions) == 1 else ", ".join(told), on, condition or "-"]


_LEVELS: Final = {"write": "that write", "tagging": "for tags", "permissions management": "for permissions"}


def _short(arn: str) -> str:
    """What an ARN names, in its service."""
    name = re.sub(r"^arn:aws:[^:]*:[^:]*:[^:]*:", "", arn).replace(deploy_policy.EXAMPLE_ACCOUNT, "…")
    kind = {"s3": "bucket/", "sqs": "queue/"}.get(arn.split(":")[2] if arn != "*" else "", "")
    return f"{kind}{name}"


_PROOFS: Final = """\
| Proof | Says | By |
| --- | --- | --- |
| rule | at every synthesis: each grant is needed by a line of code or by Lambda, each call is granted | [role-matches-code](rules.md#role-matches-code) |
| rule | each endpoint admits only our roles to our resources; each function reaches what it calls | [endpoint-admits-only-its-clients](rules.md#endpoint-admits-only-its-clients), [function-reaches-what-it-may-call](rules.md#function-reaches-what-it-may-call) |
| scenario | on a local AWS that enforces IAM: the action is taken from the deployed role, the function is run end to end, and is denied exactly that action; with all in place all passes | [test_least_privilege.py](../tests/e2e/test_least_privilege.py) |
| service call | the same, where AWS's service would call: the call is made with the role's own credentials | [service_calls.py](../tests/e2e/service_calls.py) |
| evaluator | the deployed policies, judged as IAM does: allowed, not without the action, not on the neighbour | [policy_evaluation.py](../credential_rules/policy_evaluation.py) |
| one step outside | every role is denied more than seventy calls beside its own: other tables, queues, buckets, functions and roles, other operations on its own, other services | [near_misses.py](../tests/e2e/near_misses.py) |
| endpoints, stores | every use is admitted, every near miss refused, for every deployment | [test_endpoint_policies.py](../tests/stacks/test_endpoint_policies.py), [test_store_policies.py](../tests/stacks/test_store_policies.py) |
| key | with a key of one's own: used through the services only, by whom the table names, by the roles' policies and by the key's; deployed on the local AWS, where each use is taken away and denied to the role's own call | [test_data_key.py](../tests/stacks/test_data_key.py), [test_deploy_role.py](../tests/e2e/test_deploy_role.py) |
| deploying role | each action is called with its credentials, with and without it; the real CDK bootstraps and deploys | [test_deploy_role.py](../tests/e2e/test_deploy_role.py), [test_deploy_policy.py](../tests/stacks/test_deploy_policy.py) |

What the local AWS does not enforce, so that only the evaluator speaks for it: endpoint policies and `aws:SourceVpce`, policies
of tables, the streams of a log group, `lambda:SourceFunctionArn`, `iam:PassRole`, tags of EC2's resources, which service uses
a key for whom, and what CloudFormation does as its role. No proof here has been run on an AWS account."""


# --- Words ---------------------------------------------------------------------------------------------------------


def _several(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _listed(words: Sequence[str], last: str = "and") -> str:
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def _number(count: int) -> str:
    return {3: "Three", 4: "Four", 5: "Five", 6: "Six"}.get(count, str(count))


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows))


def _filled(words: str) -> str:
    return textwrap.fill(words, 120, break_long_words=False, break_on_hyphens=False)


# --- The command --------------------------------------------------------------------------------------------------

STALE: Final = (
    "docs/permissions.md is out of date, so a reviewer would read what no longer holds. If only lines of code moved, `make"
    " docs` mends it; otherwise read the difference as a change of permissions. Commit it.\n"
)


def _write_or_check(assembly: Path, output: Path, *, check: bool) -> int:
    if not check:
        output.write_text(page(assembly), encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == page(assembly):
        return 0
    sys.stderr.write(STALE)
    return 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is out of date")
    parser.add_argument("--assembly", type=Path, help="a cloud assembly, instead of synthesising the default settings")
    parser.add_argument(
        "--output", type=Path, default=FILE, help="where to write it: the page of a deployment of yours"
    )
    options = parser.parse_args(arguments)
    if options.assembly:
        return _write_or_check(options.assembly, options.output, check=options.check)
    with tempfile.TemporaryDirectory() as folder:
        return _write_or_check(synthesised(Path(folder)), options.output, check=options.check)


if __name__ == "__main__":
    sys.exit(main())
