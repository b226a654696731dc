"""Our evaluator and the emulator's were written apart from each other: where they differ, one of them is wrong."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from credential_rules.policy_evaluation import Decision, Request, authorise, evaluate
from local_aws.places import Places

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

ACCOUNT: Final = "123456789012"
OTHER: Final = "999999999999"
ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/app"
SESSION: Final = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/instance"
QUEUE: Final = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:orders"
SAME: Final = {
    Decision.ALLOWED: "Allow",
    Decision.EXPLICIT_DENY: "Deny",
    Decision.IMPLICIT_DENY: "ImplicitDeny",
}


class Emulator:
    """The emulator's evaluator in a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [str(Places.from_environment({}).emulator_python), str(Path(__file__).with_name("emulator_verdicts.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def decide(self, request: Request, layers: dict[str, Any]) -> str:
        """Give its decision on what `authorise` is asked."""
        assert self._process.stdin
        assert self._process.stdout
        question = {
            "principal": request.principal_arn,
            "account": request.principal_account,
            "action": request.action,
            "resource": request.resource,
            "owner": request.resource.split(":")[4],
            "context": {
                name: list(value) if isinstance(value, tuple) else value for name, value in request.context.items()
            },
            "identity": layers["identity"],
            "policy": layers.get("resource"),
            "limits": [layers[name] for name in ("boundary", "session") if name in layers],
        }
        self._process.stdin.write(f"{json.dumps(question)}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        """End it."""
        self._process.communicate(timeout=10)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """The other evaluator."""
    running = Emulator()
    yield running
    running.close()


def _some(values: list[str]) -> st.SearchStrategy[Any]:
    return st.sampled_from(values) | st.lists(st.sampled_from(values), min_size=1, max_size=3)


ACTIONS = ["sqs:SendMessage", "sqs:ReceiveMessage", "SQS:send*", "sqs:*", "*", "s?s:SendMessage", "sns:Publish"]
RESOURCES = [QUEUE, f"{QUEUE}-2", f"arn:aws:sqs:*:{ACCOUNT}:*", "arn:aws:sqs:*:*:ord?rs", "*", QUEUE.upper()]
NAMES = ["app", "App", "a*", "*", "a?p", "b", ""]
ARNS = [f"arn:aws:sns:eu-west-1:{ACCOUNT}:app", "arn:aws:sns:*:*:app", f"arn:aws:sns:*:{OTHER}:*", "arn:aws:*:*:*:a?p"]
NUMBERS = ["1", "1.5", "2", "-1", "10"]
DATES = ["2026-01-01T00:00:00Z", "2026-06-01T12:00:00+02:00", "2025-12-31"]
NETWORKS = ["10.0.0.0/8", "10.1.2.3", "192.0.2.0/24", "2001:db8::/32"]
VALUES: Final[dict[str, tuple[list[str], list[str]]]] = {
    "name": (NAMES, ["app", "App", "b", ""]),
    "source": (ARNS, [f"arn:aws:sns:eu-west-1:{ACCOUNT}:app", f"arn:aws:sns:us-east-1:{OTHER}:apple"]),
    "count": (NUMBERS, NUMBERS),
    "when": (DATES, DATES),
    "address": (NETWORKS, ["10.1.2.3", "192.0.2.9", "2001:db8::7", "11.0.0.1"]),
    "flag": (["true", "false"], ["true", "false"]),
}
"""For each condition key what a policy and what a request may say of it."""
OPERATORS: Final = {
    "name": [
        f"String{name}"
        for name in ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike")
    ],
    "source": ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
    "count": [
        f"Numeric{name}"
        for name in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
    ],
    "when": [
        f"Date{name}"
        for name in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
    ],
    "address": ["IpAddress", "NotIpAddress"],
    "flag": ["Bool"],
}


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    """A condition of up to two operators, with set operators and `…IfExists`."""
    found: dict[str, Any] = {}
    for _ in range(draw(st.integers(0, 2))):
        key = draw(st.sampled_from(sorted(VALUES)))
        name = draw(st.sampled_from(OPERATORS[key]))
        prefix = draw(st.sampled_from(["", "", "", "ForAllValues:", "ForAnyValue:"]))
        suffix = draw(st.sampled_from(["", "", "IfExists"]))
        if draw(st.integers(0, 9)) == 0:
            found["Null"] = {key: draw(st.sampled_from(["true", "false"]))}
        else:
            found[f"{prefix}{name}{suffix}"] = {key: draw(_some(VALUES[key][0]))}
    return found


@st.composite
def documents(draw: st.DrawFn, *, principals: list[Any] | None = None) -> dict[str, Any]:
    """A policy document of one to three statements."""
    statements = []
    for _ in range(draw(st.integers(1, 3))):
        statement: dict[str, Any] = {
            "Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])),
            draw(st.sampled_from(["Action", "Action", "NotAction"])): draw(_some(ACTIONS)),
            draw(st.sampled_from(["Resource", "Resource", "NotResource"])): draw(_some(RESOURCES)),
            "Condition": draw(conditions()),
        }
        if principals:
            statement["Principal"] = draw(st.sampled_from(principals))
        statements.append(statement)
    return {"Version": "2012-10-17", "Statement": statements}


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """A request, with or without each of the condition keys."""
    context: dict[str, str | tuple[str, ...]] = {}
    for key, (_, said) in VALUES.items():
        if draw(st.booleans()):
            several = draw(st.lists(st.sampled_from(said), min_size=1, max_size=1 if draw(st.booleans()) else 2))
            context[key] = tuple(several) if len(several) > 1 else several[0]
    owner = draw(st.sampled_from([ACCOUNT, ACCOUNT, OTHER]))
    principal = draw(st.sampled_from([ROLE, SESSION]))
    return Request("sqs:SendMessage", QUEUE.replace(ACCOUNT, owner), principal, ACCOUNT, context)


PRINCIPALS: Final[list[Any]] = [
    *("*", {"AWS": "*"}, {"AWS": ROLE}, {"AWS": ACCOUNT}, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
    *({"AWS": OTHER}, {"AWS": f"{ROLE}-2"}, {"AWS": [OTHER, ROLE]}, {"AWS": SESSION}),
]


@st.composite
def questions(draw: st.DrawFn) -> tuple[Request, dict[str, Any]]:
    """What `authorise` is asked: a request, and the layers that it passes."""
    request = draw(requests())
    layers = {"identity": draw(documents())}
    if draw(st.booleans()):
        layers["resource"] = draw(documents(principals=PRINCIPALS))
    else:
        request = replace(request, resource=QUEUE)
    for name in ("boundary", "session"):
        if draw(st.integers(0, 3)) == 0:
            layers[name] = draw(documents())
    return request, layers


@settings(max_examples=1000, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(questions())
def test_both_evaluators_agree(emulator: Emulator, question: tuple[Request, dict[str, Any]]) -> None:
    """On every request of which ours can tell, across all layers that the emulator knows."""
    request, layers = question
    ours = authorise(request, **layers)
    event(str(ours.decision))
    if ours.decision is Decision.CANNOT_TELL:
        return
    theirs = emulator.decide(request, layers)
    assert ours.allowed is (theirs == "Allow"), ours
    # What is refused in any case may have been denied by a statement that ours could not judge.
    if not any(evaluate(layer, request).decision is Decision.CANNOT_TELL for layer in layers.values()):
        assert SAME[ours.decision] == theirs, ours


ALLOW: Final = {"Effect": "Allow", "Action": "*", "Resource": "*"}
OPERATORS_PAGE: Final = "IAM User Guide, reference_policies_elements_condition_operators"


@pytest.mark.parametrize(
    ("deny", "context", "decisions", "documented"),
    [
        (
            {"Condition": {"ArnLike": {"source": "arn:aws:sns:*:1:app"}}},
            {"source": "arn:aws:sns:eu-west-1:2:x:1:app"},
            (Decision.ALLOWED, "Deny"),
            f"{OPERATORS_PAGE}: each of the six components of the ARN is checked separately",
        ),
        (
            {"Resource": "arn:aws:sqs:eu-west-1:${aws:PrincipalAccount}:orders"},
            {},
            (Decision.EXPLICIT_DENY, "Allow"),
            "IAM User Guide, reference_policies_variables: variables stand in Resource elements",
        ),
        (
            {"Condition": {"StringMatches": {"name": "app"}}},
            {"name": "app"},
            (Decision.CANNOT_TELL, "Allow"),
            "no such operator: IAM does not store such a policy, so nothing may rest on what it would mean",
        ),
    ],
)
def test_where_they_differ_the_documentation_says_who_is_right(
    emulator: Emulator,
    deny: dict[str, Any],
    context: dict[str, str],
    decisions: tuple[Decision, str],
    documented: str,
) -> None:
    """Each difference that is known; the generated questions above leave these forms out."""
    identity = {"Version": "2012-10-17", "Statement": [ALLOW, {**ALLOW, "Effect": "Deny", **deny}]}
    request = Request("sqs:SendMessage", QUEUE, ROLE, ACCOUNT, context)
    ours = authorise(request, identity=identity).decision
    assert (ours, emulator.decide(request, {"identity": identity})) == decisions, documented
