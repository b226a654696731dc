"""The report of `make incident`, from what the two functions say."""

from __future__ import annotations

from dataclasses import replace

from local_aws.incident.report import Call, Observation, differences, render

INVALID = "The security token included in the request is invalid."
STS_OK = Call("STS", "GetCallerIdentity", None, "arn:aws:sts::123456789012:assumed-role/rolebound-incident-seed/f")
SEED = Observation(
    calls=(
        *(STS_OK, Call("DynamoDB", "PutItem", "UnrecognizedClientException", INVALID)) * 3,
        Call("SQS", "SendMessage", "InvalidClientTokenId", INVALID),
        *(STS_OK, Call("SQS", "SendMessage", "InvalidClientTokenId", INVALID)) * 2,
    ),
    key_id_ends="1234",
    session_token="absent",
)
ROLE_ONLY = Observation(
    calls=(
        STS_OK,
        Call("DynamoDB", "PutItem", None, "ok"),
        Call("SQS", "SendMessage", None, "ok"),
        Call("SQS", "PurgeQueue", "AccessDenied", "User: arn:…:assumed-role/the-role/f is not authorized"),
    ),
    key_id_ends="5678",
    session_token="present",
)


def test_the_incident_and_its_cure_differ_in_nothing_from_what_is_told() -> None:
    """What the README tells is what is checked."""
    assert differences(SEED, ROLE_ONLY, role_only_role="the-role") == []


def test_a_success_of_the_seed_is_noticed() -> None:
    """An emulator that did not check tokens would prove nothing."""
    calls = tuple(replace(call, error=None) for call in SEED.calls)
    assert any("DynamoDB" in line for line in differences(replace(SEED, calls=calls), ROLE_ONLY, role_only_role="x"))


def test_a_failure_of_the_factory_is_noticed() -> None:
    """The cure is checked as strictly as the fault."""
    calls = tuple(replace(call, error="AccessDenied") for call in ROLE_ONLY.calls)
    found = differences(SEED, replace(ROLE_ONLY, calls=calls), role_only_role="the-role")
    assert [line.partition(":")[0] for line in found] == [
        "the factory's STS call",
        "the factory's DynamoDB call",
        "the factory's SQS call",
    ]


def test_a_grant_too_many_is_noticed() -> None:
    """If PurgeQueue succeeded, IAM would not be enforced."""
    calls = tuple(replace(call, error=None) for call in ROLE_ONLY.calls)
    found = differences(SEED, replace(ROLE_ONLY, calls=calls), role_only_role="the-role")
    assert [line.partition(":")[0] for line in found] == ["the ungranted call"]


def test_the_report_numbers_the_attempts_and_shows_no_more_of_a_key_than_its_end() -> None:
    """A person sees each attempt and its error; of credentials, four characters and whether there is a token."""
    text = render(SEED, ROLE_ONLY)
    assert "attempt 3  UnrecognizedClientException" in text
    assert "attempt 3  InvalidClientTokenId" in text
    assert "key …1234, session token absent" in text
    assert "key …5678, session token present" in text
    assert "AccessDenied: User: arn:…:assumed-role/the-role/f" in text
