"""What a person sees of the CDK CLI's output."""

from __future__ import annotations

import pytest

from local_aws.cdk import headline


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Rolebound-dev-Data: deploying... [1/3]\n", "stack 1 of 3: Rolebound-dev-Data"),
        (" ✅  Rolebound-dev-Data\n", "deployed: Rolebound-dev-Data"),
        (" ✅  Rolebound-dev-Data (no changes)\n", "unchanged: Rolebound-dev-Data"),
        (" ❌  Rolebound-dev-Api failed: ValidationError", "Rolebound-dev-Api failed"),
        ("Stack | 3/9 | 8:00:00 PM | CREATE_FAILED | AWS::SQS::Queue | Queue", "CREATE_FAILED"),
    ],
)
def test_progress_and_failures_are_shown(line: str, expected: str) -> None:
    """A person sees each stack begin and end, and whatever failed."""
    shown = headline(line)
    assert shown is not None
    assert expected in shown


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Rolebound-dev-Data: start: Building Rolebound-dev-Data Template",
        "Stack | 3/9 | 8:00:00 PM | CREATE_COMPLETE | AWS::SQS::Queue | Queue",
        "Rolebound-dev-Data.EventsTableName = table",
        "✨  Synthesis time: 4.91s",
    ],
)
def test_the_rest_goes_to_the_log_only(line: str) -> None:
    """Hundreds of lines of events stay out of the way."""
    assert headline(line) is None
