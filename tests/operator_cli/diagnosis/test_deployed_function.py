"""What is asked of AWS, how, and what becomes of answers that do not come."""

from __future__ import annotations

import io
import json
import urllib.parse
import zipfile
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operator_cli.answers import Failure, FailureKind
from operator_cli.commands.diagnose import examine
from operator_cli.diagnosis.deployed_function import READS, Facts, gather, named, permissions
from operator_cli.diagnosis.organisation import ORGANISATION_READ
from operator_cli.diagnosis.questions import document_of
from operator_cli.diagnosis.stores import STORE_READS
from tests.operator_cli.conftest import SECRET
from tests.operator_cli.diagnosis.recorded import ARN, FIRST_ROUNDS, NAME, ROLE, InRounds, Recorded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DOCUMENT: Final = {"Version": "2012-10-17", "Statement": []}


def read(recorded: Any, folder: Path) -> Facts:  # noqa: ANN401 - the record, or what a test puts around it
    """Gather the facts, which have to be there."""
    facts = gather(recorded, recorded.archive, NAME, folder)
    assert isinstance(facts, Facts)
    return facts


def test_everything_is_read(tmp_path: Path) -> None:
    """Configuration, role, network, log and code of one function."""
    facts = read(Recorded(), tmp_path)
    assert (facts.arn, facts.region, facts.account) == (ARN, "eu-west-1", "123456789012")
    assert facts.role is not None
    assert facts.role.is_complete
    assert facts.network is not None
    assert facts.network.is_known
    assert facts.code is not None
    assert (facts.code / "app" / "index.py").is_file()
    assert facts.unread == ()


def test_values_of_the_environment_are_in_no_repr(tmp_path: Path) -> None:
    """A traceback that shows the facts shows no secret."""
    recorded = Recorded()
    recorded.variables["PASSWORD"] = SECRET
    facts = read(recorded, tmp_path)
    assert facts.environment["PASSWORD"] == SECRET
    assert SECRET not in repr(facts)
    assert "PASSWORD" not in facts.configuration


def test_nothing_is_asked_that_is_not_in_the_list_of_permissions(tmp_path: Path) -> None:
    """What `--permissions` prints is what is asked, in a function with everything; what it calls is read later."""
    recorded = Recorded()
    recorded.boundary = DOCUMENT
    read(recorded, tmp_path)
    known = {f"{one.service}:{one.operation}" for one in READS if one not in {*STORE_READS, ORGANISATION_READ}}
    assert set(recorded.asked) == known - {"lambda:get_layer_version_by_arn"}


def test_independent_questions_are_asked_at_the_same_time(tmp_path: Path) -> None:
    """AWS is far: what counts is the number of rounds, which is four, and not that of the questions."""
    recorded = Recorded()
    recorded.boundary = DOCUMENT
    of_network = (
        "describe_subnets describe_route_tables describe_vpc_endpoints describe_security_groups describe_vpcs"
        " describe_vpc_attribute describe_vpc_attribute describe_network_acls describe_prefix_lists list_hosted_zones_by_vpc"
    )
    first, second, third = FIRST_ROUNDS
    rounds = InRounds(
        recorded, first, f"{second} {of_network}", f"{third} describe_dhcp_options get_policy", "get_policy_version"
    )
    read(rounds, tmp_path)
    assert len(recorded.asked) >= 20
    assert rounds.are_over


def test_a_function_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    """There is nothing to gather around it."""
    recorded = Recorded()
    recorded.refused = {"lambda:GetFunction"}
    found = gather(recorded, recorded.archive, NAME, tmp_path)
    assert isinstance(found, Failure)
    assert found.kind is FailureKind.DENIED
    assert recorded.asked == ["lambda:get_function"]


def test_a_log_group_that_is_not_there_is_an_empty_log(tmp_path: Path) -> None:
    """A function that never ran has none."""
    recorded = Recorded()

    class WithoutLog:
        archive = recorded.archive

        def __call__(self, service: str, operation: str, parameters: Mapping[str, Any], /) -> Any:  # noqa: ANN401 - as AWS answers
            if service == "logs":
                return Failure(kind=FailureKind.NOT_FOUND, code="ResourceNotFoundException", what="It is not there.")
            return recorded(service, operation, parameters)

    facts = read(WithoutLog(), tmp_path)
    assert facts.log == ()
    assert facts.unread == ()


@pytest.mark.parametrize(
    ("operation", "code", "told"),
    [
        ("get_layer_version_by_arn", "ResourceNotFoundException", "the layer arn:aws:lambda:eu-west-1:1:layer:tools:7"),
        ("get_role_policy", "NoSuchEntity", "the inline policy 'work'"),
        ("list_role_policies", "NoSuchEntity", f"the inline policies of the role '{ROLE}'"),
    ],
)
def test_what_is_gone_when_it_is_read_is_a_doubt(operation: str, code: str, told: str) -> None:
    """A function keeps a layer that was deleted; a policy may be taken away between two questions."""
    recorded = Recorded()
    if operation == "get_layer_version_by_arn":
        recorded.configuration["Layers"] = [{"Arn": "arn:aws:lambda:eu-west-1:1:layer:tools:7"}]
    recorded.failures[operation] = code
    diagnosis = examine(recorded, NAME)
    assert not diagnosis.is_healthy
    assert any(f"{told} could not be read ({code})" in doubt.what for doubt in diagnosis.doubts)


def test_a_trust_policy_that_nobody_can_judge_is_a_doubt() -> None:
    """Unknown is never a pass."""
    recorded = Recorded()
    assert recorded.trust is not None
    recorded.trust["Statement"][0]["Condition"] = {"StringEquals": {"aws:SourceOrgID": "o-1"}}
    diagnosis = examine(recorded, NAME)
    assert diagnosis.causes == ()
    assert any("may assume the role" in doubt.what and "aws:SourceOrgID" in doubt.what for doubt in diagnosis.doubts)


def test_a_read_that_was_throttled_lacks_no_permission(tmp_path: Path) -> None:
    """Asking for a permission would not help; asking again would."""
    recorded = Recorded()

    class Throttled:
        archive = recorded.archive

        def __call__(self, service: str, operation: str, parameters: Mapping[str, Any], /) -> Any:  # noqa: ANN401 - as AWS answers
            if operation == "describe_subnets":
                return Failure(
                    kind=FailureKind.OTHER, code="RequestLimitExceeded", what="AWS answered RequestLimitExceeded."
                )
            return recorded(service, operation, parameters)

    facts = read(Throttled(), tmp_path)
    (unread,) = facts.unread
    assert (unread.code, unread.is_denied) == ("RequestLimitExceeded", False)
    assert facts.network is not None
    assert not facts.network.is_known


@pytest.mark.parametrize(
    "content",
    [b"", b"not an archive", b"PK\x03\x04" + b"\0" * 40],
    ids=["empty", "text", "cut"],
)
def test_an_archive_that_is_none_is_named_and_not_judged(content: bytes, tmp_path: Path) -> None:
    """Then who signs cannot be told."""
    recorded = Recorded()
    facts = gather(recorded, lambda _: content, NAME, tmp_path)
    assert isinstance(facts, Facts)
    assert facts.code is None
    assert [unread.what for unread in facts.unread] == ["the code"]


def test_an_archive_that_is_larger_than_lambda_takes_is_not_unpacked(tmp_path: Path) -> None:
    """Whoever made it did not make it for Lambda."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number in range(50_001):
            archive.writestr(f"{number}.py", b"")
    facts = gather(Recorded(), lambda _: content.getvalue(), NAME, tmp_path)
    assert isinstance(facts, Facts)
    assert facts.code is None
    assert [unread.code for unread in facts.unread] == ["TooLarge"]


def test_an_archive_stays_in_its_folder(tmp_path: Path) -> None:
    """Names that lead out of it are names within it."""
    recorded = Recorded()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in ("../../outside.py", "/absolute.py", "app/index.py", "data.bin", "big.txt"):
            archive.writestr(name, "x = 1\n")
    inside = tmp_path / "scratch"
    facts = gather(recorded, lambda _: content.getvalue(), NAME, inside)
    assert isinstance(facts, Facts)
    assert {path.name for path in tmp_path.iterdir()} == {"scratch"}
    assert {path.name for path in inside.rglob("*") if path.is_file()} == {"outside.py", "absolute.py", "index.py"}


@pytest.mark.parametrize("written", [DOCUMENT, json.dumps(DOCUMENT), urllib.parse.quote(json.dumps(DOCUMENT))])
def test_a_policy_is_read_in_all_its_spellings(written: object) -> None:
    """As a mapping, as JSON, and as IAM's API encodes it."""
    assert document_of(written) == DOCUMENT


@given(st.one_of(st.text(), st.none(), st.integers(), st.lists(st.text())))
def test_what_is_no_policy_is_an_empty_one(written: object) -> None:
    """It allows nothing."""
    document = document_of(written)
    assert isinstance(document, dict)


def test_the_policy_of_one_function_names_that_function() -> None:
    """What it reads of it is narrowed; what has no resource in IAM cannot be."""
    policy = permissions(NAME)
    resources = json.dumps([statement["Resource"] for statement in policy["Statement"][:2]])
    assert NAME in resources
    assert '"*"' not in resources
    assert permissions(ARN) == policy
    assert permissions("arn:aws-cn:lambda:cn-north-1:123456789012:function:x")["Statement"][0]["Resource"].startswith(
        "arn:aws-cn:"
    )


@pytest.mark.parametrize(
    ("function", "name", "qualifier"),
    [
        (NAME, NAME, ""),
        (f"{NAME}:live", NAME, "live"),
        (f"{NAME}:7", NAME, "7"),
        ("my-function:live", "my-function", "live"),
        (ARN, NAME, ""),
        (f"{ARN}:live", NAME, "live"),
        (f"123456789012:function:{NAME}", NAME, ""),
        (f"123456789012:function:{NAME}:$LATEST", NAME, "$LATEST"),
        (f"123456789012:{NAME}", NAME, ""),
        ("*", "*", ""),
    ],
)
def test_a_function_is_known_by_each_of_its_names(function: str, name: str, qualifier: str) -> None:
    """With a version or an alias, or without; the permissions name that version, and the one log of all."""
    assert named(function)[:2] == (name, qualifier)
    of_function, of_log, _ = permissions(function)["Statement"]
    assert of_function["Resource"] == f"arn:aws:lambda:*:*:function:{name}{f':{qualifier}' if qualifier else ''}"
    assert f"arn:aws:logs:*:*:log-group:/aws/lambda/{name}" in of_log["Resource"]


def test_the_log_of_a_version_is_that_of_its_streams(tmp_path: Path) -> None:
    """All versions write to one group; what another one failed with is not this one's."""
    recorded = Recorded()
    recorded.configuration |= {"FunctionArn": f"{ARN}:live", "Version": "7"}
    recorded.streams = ["2026/09/21/[$LATEST]1", "2026/09/21/[7]2", "2026/09/21/[17]3"]
    recorded.logs("An error occurred (ExpiredToken) when calling the PutItem operation")
    facts = gather(recorded, recorded.archive, f"{NAME}:live", tmp_path)
    assert isinstance(facts, Facts)
    assert (facts.arn, facts.qualifier) == (ARN, "live")
    assert recorded.read_streams == ["2026/09/21/[7]2"]
    assert recorded.polled == [f"{NAME}:live"]


def test_every_permission_only_reads() -> None:
    """No name among them changes anything."""
    actions = {action for statement in permissions()["Statement"] for action in statement["Action"]}
    assert actions == {one.permission for one in READS}
    assert all(action.split(":")[1].startswith(("Get", "List", "Describe")) for action in actions)
