"""An operator is told when events are late, and when functions are not who they should be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from event_api.role_clients import NoRoleCredentials
from event_api.telemetry import report
from stacks.settings import Function
from tests.stacks.deployments import PROD
from tests.stacks.permissions import functions

if TYPE_CHECKING:
    from tests.stacks.cloud_assembly import Assembly, Json, Resource


def _metric(assembly: Assembly, alarm: Resource) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """Give an alarm's metric as namespace, name and dimensions."""
    dimensions = sorted(
        (dimension["Name"], assembly.api.text(dimension["Value"]))
        for dimension in alarm.properties.get("Dimensions", [])
    )
    return alarm.properties["Namespace"], alarm.properties["MetricName"], tuple(dimensions)


def _alarms(assembly: Assembly) -> dict[tuple[str, str, tuple[tuple[str, str], ...]], Resource]:
    return {_metric(assembly, alarm): alarm for alarm in assembly.api.of_type("AWS::CloudWatch::Alarm")}


def test_a_single_dead_letter_raises_an_alarm(deployment: Assembly) -> None:
    """An event that could not be made available waits for a human."""
    dead = _alarms(deployment)[
        "AWS/SQS", "ApproximateNumberOfMessagesVisible", (("QueueName", "<Data/DeadLetters.QueueName>"),)
    ]
    assert dead.properties["Threshold"] == 0
    assert dead.properties["ComparisonOperator"] == "GreaterThanThreshold"
    assert dead.properties["Statistic"] == "Maximum"


def test_events_that_wait_raise_an_alarm(deployment: Assembly) -> None:
    """By the age of the oldest message, before the queue would give it up."""
    late = _alarms(deployment)[
        "AWS/SQS", "ApproximateAgeOfOldestMessage", (("QueueName", "<Data/EventQueue.QueueName>"),)
    ]
    assert late.properties["Statistic"] == "Maximum"
    assert 0 < late.properties["Threshold"] <= 15 * 60


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
@pytest.mark.parametrize("name", list(Function))
def test_a_function_that_fails_or_cannot_start_raises_an_alarm(
    deployment: Assembly, name: Function, metric: str
) -> None:
    """One alarm for each function, so that its name says where to look."""
    function = functions(deployment.api)[name]
    alarm = _alarms(deployment)["AWS/Lambda", metric, (("FunctionName", f"<{function.path}>"),)]
    assert name in alarm.properties["AlarmName"]
    assert alarm.properties["Threshold"] == 0
    assert alarm.properties["Statistic"] == "Sum"


@pytest.mark.parametrize("name", list(Function))
def test_the_credential_alarm_watches_the_metric_that_a_credential_fault_writes(
    deployment: Assembly, name: Function, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Telemetry is run with the variables that the stack sets, and its log line read as CloudWatch reads it.

    An alarm whose namespace, name or dimensions differ by a letter stays green for ever.
    """
    variables = functions(deployment.api)[name].properties["Environment"]["Variables"]
    for variable in ("ROLEBOUND_ENVIRONMENT", "POWERTOOLS_SERVICE_NAME"):
        monkeypatch.setenv(variable, variables[variable])
    report(NoRoleCredentials("made up"))
    published = [
        json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{") and '"_aws"' in line
    ]
    (written,) = published
    (directive,) = written["_aws"]["CloudWatchMetrics"]
    (metric,) = directive["Metrics"]
    assert written[metric["Name"]] in (1, [1.0])
    alarms = _alarms(deployment)
    watched = {
        (directive["Namespace"], metric["Name"], tuple(sorted((key, written[key]) for key in keys)))
        for keys in directive["Dimensions"]
    }
    (alarm,) = (alarms[each] for each in watched if each in alarms)
    assert name in alarm.properties["AlarmName"]
    assert alarm.properties["Threshold"] == 0
    assert alarm.properties["ComparisonOperator"] == "GreaterThanThreshold"


def test_an_alarm_without_data_is_no_alarm(deployment: Assembly) -> None:
    """Nobody is woken because nothing happened."""
    for alarm in _alarms(deployment).values():
        assert alarm.properties["TreatMissingData"] == "notBreaching"


def test_every_alarm_says_what_to_do(deployment: Assembly) -> None:
    """Whoever is woken reads this first."""
    for alarm in _alarms(deployment).values():
        assert len(alarm.properties["AlarmDescription"].split()) >= 5


def test_alarms_notify_the_topic_of_the_setting(prod: Assembly) -> None:
    """All of them."""
    for alarm in _alarms(prod).values():
        assert alarm.properties["AlarmActions"] == [PROD["alarm_topic"]]


def test_without_a_topic_alarms_only_change_colour(dev: Assembly) -> None:
    """There is nobody to notify, and no topic is made in secret."""
    for alarm in _alarms(dev).values():
        assert not alarm.properties.get("AlarmActions")
    assert not dev.api.of_type("AWS::SNS::Topic")


def _shown(value: Json) -> str:
    return json.dumps(value)


def test_the_dashboard_shows_every_alarm_and_the_traffic(deployment: Assembly) -> None:
    """One page to look at first."""
    (dashboard,) = deployment.api.of_type("AWS::CloudWatch::Dashboard")
    body = deployment.api.text(dashboard.properties["DashboardBody"])
    widgets = json.loads(body)["widgets"]
    (status,) = (widget for widget in widgets if widget["type"] == "alarm")
    alarms = deployment.api.of_type("AWS::CloudWatch::Alarm")
    assert set(status["properties"]["alarms"]) == {f"<{alarm.path}.Arn>" for alarm in alarms}
    graphs = _shown([widget for widget in widgets if widget["type"] == "metric"])
    for metric in ("Count", "5xx", "ApproximateAgeOfOldestMessage", "CredentialErrors", "Throttles"):
        assert metric in graphs
