"""What a deployment may set, and what becomes of everything else."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk.region_info import RegionInfo
from hypothesis import given
from hypothesis import strategies as st

from stacks.settings import Architecture, Encryption, Function, InvalidSetting, Removal, Service, Settings, Target

BOUNDARY = "arn:aws:iam::123456789012:policy/limits/team-boundary"
TOPIC = "arn:aws:sns:us-east-1:123456789012:operators"

GOOD = [
    ("target", "aws", Target.AWS),
    ("target", "local", Target.LOCAL),
    ("environment", "dev", "dev"),
    ("environment", "a", "a"),
    ("environment", "team7staging", "team7staging"),
    ("account", "012345678901", "012345678901"),
    ("account", 123456789012, "123456789012"),
    ("region", "us-east-1", "us-east-1"),
    ("region", "ap-southeast-2", "ap-southeast-2"),
    ("region", "us-gov-west-1", "us-gov-west-1"),
    ("az_count", 1, 1),
    ("az_count", "2", 2),
    ("az_count", "3", 3),
    ("event_retention_days", "1", 1),
    ("event_retention_days", 3650, 3650),
    ("log_retention_days", "1", 1),
    ("log_retention_days", 3653, 3653),
    ("architecture", "arm64", Architecture.ARM64),
    ("architecture", "x86_64", Architecture.X86_64),
    ("removal_policy", "retain", Removal.RETAIN),
    ("removal_policy", "destroy", Removal.DESTROY),
    ("endpoints", "dynamodb, s3, sqs, sts", frozenset(Service)),
    ("endpoints", "sqs,dynamodb,s3", frozenset(Service) - {Service.STS}),
    ("endpoints", ["dynamodb", "s3", "sqs", "sts"], frozenset(Service)),
    ("alarm_topic", TOPIC, TOPIC),
    ("organization", "o-exampleorgid", "o-exampleorgid"),
    ("permissions_boundary", "team-boundary", "team-boundary"),
    ("permissions_boundary", BOUNDARY, BOUNDARY),
    ("encryption", "customer", Encryption.CUSTOMER),
    ("encryption", "aws", Encryption.AWS),
]

BAD = [
    ("target", "gcp", "aws, local"),
    ("target", "AWS", "aws, local"),
    ("environment", "Prod", "a lower-case letter"),
    ("environment", "1dev", "a lower-case letter"),
    ("environment", "dev-eu", "a lower-case letter"),
    ("environment", "dev\n", "a lower-case letter"),
    ("environment", "thirteenchars", "up to 11"),
    ("account", "12345678901", "12 digits"),
    ("account", "1234567890123", "12 digits"),
    ("account", "١٢٣٤٥٦٧٨٩٠١٢", "12 digits"),
    ("account", "my-account", "12 digits"),
    ("region", "Frankfurt", "eu-central-1"),
    ("region", "us-east-1a", "eu-central-1"),
    ("az_count", "0", "whole numbers from 1 to 3"),
    ("az_count", 4, "whole numbers from 1 to 3"),
    ("az_count", "two", "whole numbers from 1 to 3"),
    ("az_count", 1.5, "whole numbers from 1 to 3"),
    ("az_count", True, "whole numbers from 1 to 3"),
    ("az_count", "-1", "whole numbers from 1 to 3"),
    ("event_retention_days", "0", "whole numbers from 1 to 3650"),
    ("event_retention_days", 3651, "whole numbers from 1 to 3650"),
    ("log_retention_days", "2", "1, 3, 5, 7, 14, 30"),
    ("log_retention_days", "030", "1, 3, 5, 7, 14, 30"),
    ("architecture", "amd64", "arm64, x86_64"),
    ("removal_policy", "snapshot", "retain, destroy"),
    ("endpoints", "dynamodb,s3", "only sts may be left out"),
    ("endpoints", "dynamodb,s3,sqs,sns", "dynamodb, s3, sqs, sts"),
    ("endpoints", {"sqs": True}, "dynamodb, s3, sqs, sts"),
    ("endpoints", [["dynamodb"], "s3", "sqs"], "dynamodb, s3, sqs, sts"),
    ("encryption", "kms", "aws, customer"),
    ("permissions_boundary", "team/boundary", "the name of a managed policy"),
    ("permissions_boundary", "arn:aws:iam::aws:policy/ReadOnlyAccess", "the name of a managed policy"),
    ("permissions_boundary", "arn:aws:iam::123456789012:role/team", "the name of a managed policy"),
    ("permissions_boundary", "arn:aws:iam::123456789012:policy/*", "the name of a managed policy"),
    ("encryption", "Customer", "aws, customer"),
    ("organization", "exampleorgid", "the id of an AWS organisation"),
    ("organization", "o-short", "the id of an AWS organisation"),
    ("organization", "o-ExampleOrgId", "the id of an AWS organisation"),
    ("alarm_topic", "operators", "the ARN of an SNS topic"),
    ("alarm_topic", "arn:aws:sqs:us-east-1:123456789012:operators", "the ARN of an SNS topic"),
]


@pytest.mark.parametrize(("name", "given_value", "meant"), GOOD)
def test_a_good_value_is_taken(name: str, given_value: object, meant: object) -> None:
    """A value from `cdk.json` (any JSON type) or from `-c` (text) means the same."""
    context = {name: given_value} | ({"region": "us-east-1"} if name == "alarm_topic" else {})
    assert getattr(Settings.from_context(context), name) == meant


@pytest.mark.parametrize(("name", "value", "allowed"), BAD)
def test_a_bad_value_is_refused_by_name_with_what_is_allowed(name: str, value: object, allowed: str) -> None:
    """Nothing is guessed: the error names the setting, the value, and what would be right."""
    with pytest.raises(InvalidSetting) as refusal:
        Settings.from_context({name: value})
    text = str(refusal.value)
    assert f"setting {name} " in text
    assert repr(value) in text
    assert allowed in text
    assert f"-c {name}=" in text


def test_every_setting_has_good_and_bad_examples_here() -> None:
    """A new setting is not added without a test of what it refuses."""
    settings = set(Settings.__dataclass_fields__)
    assert {name for name, _, _ in GOOD} == settings
    assert {name for name, _, _ in BAD} == settings


def test_a_region_that_aws_does_not_have_is_refused_with_those_it_has() -> None:
    """A region of the right form that does not exist would fail late, in the middle of a deployment."""
    with pytest.raises(InvalidSetting, match=r"setting region cannot be 'eu-central-9'.*eu-central-1"):
        Settings.from_context({"region": "eu-central-9"}, regions=lambda: ["eu-central-1", "us-east-1"])


def test_every_region_of_aws_can_be_set() -> None:
    """The form that a region's name is checked for fits all of them."""
    regions = [region.name for region in RegionInfo.regions]
    assert "us-east-1" in regions
    for region in regions:
        assert Settings.from_context({"region": region}, regions=lambda: regions).region == region


def test_a_mistyped_setting_is_an_error() -> None:
    """`-c az_cuont=3` would otherwise be ignored in silence and deploy something else."""
    with pytest.raises(InvalidSetting, match=r"no setting az_cuont\b.*\baz_count\b"):
        Settings.from_context({"az_cuont": 3})


@pytest.mark.parametrize(
    "key",
    [
        "@aws-cdk/aws-iam:minimizePolicies",
        "aws:cdk:enable-path-metadata",
        "availability-zones:account=123456789012:region=us-east-1",
        "aws-cdk:enableDiffNoFail",
        # What `cdk acknowledge` and `cdk cli-telemetry` write into cdk.context.json.
        "acknowledged-issue-numbers",
        "cli-telemetry",
    ],
)
def test_what_the_cdk_keeps_in_its_context_is_no_setting(key: str) -> None:
    """Feature flags, look-ups and the CLI's own notes stand in the same context and are the CDK's business."""
    assert Settings.from_context({key: [1]}) == Settings()


def test_an_absent_or_empty_value_gives_the_default() -> None:
    """A setting is switched off with an empty value, as `-c account=` does."""
    assert Settings.from_context({"account": "", "alarm_topic": None, "az_count": ""}) == Settings()


@pytest.mark.parametrize("environment", ["prod", "production"])
def test_production_keeps_its_data(environment: str) -> None:
    """Deleting a production stack by mistake must not delete events, unless somebody has asked for that."""
    settings = Settings.from_context({"environment": environment})
    assert settings.production
    assert settings.removal_policy is Removal.RETAIN
    explicit = Settings.from_context({"environment": environment, "removal_policy": "destroy"})
    assert explicit.removal_policy is Removal.DESTROY


def test_other_environments_can_be_cleaned_up() -> None:
    """A developer's stack leaves nothing behind."""
    settings = Settings.from_context({"environment": "dev"})
    assert not settings.production
    assert settings.removal_policy is Removal.DESTROY


@pytest.mark.parametrize("region", ["eu-central-1", ""])
def test_a_topic_in_another_region_is_refused(region: str) -> None:
    """CloudWatch notifies topics of its own region only; the deployment would fail at its first alarm."""
    topic = "arn:aws:sns:eu-west-1:123456789012:operators"
    with pytest.raises(InvalidSetting, match=r"alarm_topic cannot be .*eu-west-1.* in (eu-central-1|us-east-1)"):
        Settings.from_context({"alarm_topic": topic, "region": region})


def test_a_boundary_of_another_account_is_refused() -> None:
    """IAM takes none; the deployment would fail at its first role."""
    with pytest.raises(InvalidSetting, match=r"permissions_boundary cannot be .* of the account 999999999999"):
        Settings.from_context({"permissions_boundary": BOUNDARY, "account": "999999999999"})
    assert Settings.from_context({"permissions_boundary": BOUNDARY, "account": "123456789012"})


def test_physical_names_fit_into_64_characters() -> None:
    """IAM and Lambda take no longer names; the longest environment and region must not fail at deployment."""
    longest = max((region.name for region in RegionInfo.regions), key=len)
    settings = Settings.from_context({"environment": "e" * 12, "region": longest})
    for function in Function:
        assert len(settings.role_name(function)) <= 64
        assert len(settings.function_name(function)) <= 64


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([*Settings.__dataclass_fields__]) | st.text() | st.text().map("aws:cdk:{}".format)


@given(st.dictionaries(NAMES, VALUES, max_size=6))
def test_any_context_gives_settings_or_a_clear_refusal(context: dict[str, Any]) -> None:
    """Whatever JSON stands in the context, nobody sees a traceback of ours."""
    try:
        settings = Settings.from_context(context)
    except InvalidSetting as refusal:
        assert "Correct" in str(refusal) or "correct" in str(refusal)  # noqa: PT017 - either outcome is right
    else:
        assert isinstance(settings, Settings)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "environment": st.from_regex(r"[a-z][a-z0-9]{0,11}", fullmatch=True),
            "account": st.from_regex(r"[0-9]{12}", fullmatch=True),
            "az_count": st.integers(1, 3),
            "event_retention_days": st.integers(1, 3650),
            "architecture": st.sampled_from(Architecture),
            "endpoints": st.sampled_from(["dynamodb,s3,sqs", "dynamodb,s3,sqs,sts"]),
        },
    )
)
def test_good_values_mean_the_same_as_text_and_as_json(context: dict[str, Any]) -> None:
    """The command line gives text, `cdk.json` gives JSON; both must deploy the same."""
    as_text = {name: str(value) for name, value in context.items()}
    assert Settings.from_context(context) == Settings.from_context(as_text)
