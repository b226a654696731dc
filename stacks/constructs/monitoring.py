"""What tells an operator that events are late, or that the functions are not who they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_apigatewayv2 as apigateway
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_sqs as sqs

_NAMESPACE: Final = "Rolebound"
_PERIOD: Final = Duration.minutes(5)
_OLDEST_SECONDS: Final = 300


class Monitoring(Construct):
    """Alarms and a dashboard.

    Args:
        name: What alarm names and the dashboard's name begin with.
        environment: The dimension ``environment`` of the functions' own metrics.
        functions: By the name that is the dimension ``service`` of their own metrics.
        event_queue: Its oldest message tells how late events are.
        dead_letters: It should be empty.
        http_api: Its traffic and errors go to the dashboard.
        topic_arn: The SNS topic to notify; ``None`` for none.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        environment: str,
        functions: Mapping[str, lambda_.IFunction],
        event_queue: sqs.IQueue,
        dead_letters: sqs.IQueue,
        http_api: apigateway.IHttpApi,
        topic_arn: str | None,
    ) -> None:
        super().__init__(scope, construct_id)
        dead = dead_letters.metric_approximate_number_of_messages_visible(period=_PERIOD, statistic="Maximum")
        age = event_queue.metric_approximate_age_of_oldest_message(period=_PERIOD, statistic="Maximum")
        errors = {key: function.metric_errors(period=_PERIOD, statistic="Sum") for key, function in functions.items()}
        throttles = {
            key: function.metric_throttles(period=_PERIOD, statistic="Sum") for key, function in functions.items()
        }
        credentials = {
            key: cloudwatch.Metric(
                namespace=_NAMESPACE,
                metric_name="CredentialErrors",
                dimensions_map={"environment": environment, "service": key},
                period=_PERIOD,
                statistic="Sum",
            )
            for key in functions
        }

        def alarm(key: str, metric: cloudwatch.IMetric, threshold: float, description: str) -> cloudwatch.Alarm:
            made = cloudwatch.Alarm(
                self,
                key,
                alarm_name=f"{name}-{key}",
                alarm_description=description,
                metric=metric,
                threshold=threshold,
                evaluation_periods=1,
                comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
            if topic is not None:
                made.add_alarm_action(actions.SnsAction(topic))
            return made

        topic = sns.Topic.from_topic_arn(self, "Topic", topic_arn) if topic_arn is not None else None
        # One alarm per function rather than one on their sum: it says where to look.
        alarms = [
            alarm(
                "DeadLetters",
                dead,
                0,
                "The worker failed on an event too often. Read its log, mend the cause, then redrive the queue.",
            ),
            alarm(
                "QueueAge",
                age,
                _OLDEST_SECONDS,
                "Events wait more than five minutes to become available. Look at the worker's errors and throttles.",
            ),
        ]
        for key in functions:
            alarms += [
                alarm(
                    f"{key}-CredentialErrors",
                    credentials[key],
                    0,
                    f"AWS does not know who signed a call of {key}. Retrying cannot help. Its log has a line with "
                    "failure=credentials that says which variable or code is at fault.",
                ),
                alarm(f"{key}-Errors", errors[key], 0, f"{key} failed. Its log group has the same name."),
                alarm(
                    f"{key}-Throttles",
                    throttles[key],
                    0,
                    f"Lambda refused to start {key}: the account's concurrency is used up. Raise the quota.",
                ),
            ]

        # Dashboards are not bound to a region: with the same name in two, the second would overwrite the first.
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=f"{name}-{Stack.of(self).region}")
        dashboard.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=24))
        dashboard.add_widgets(
            _graph(
                "Requests", [http_api.metric_count(), http_api.metric_server_error(), http_api.metric_client_error()]
            ),
            _graph("Oldest event in the queue (s)", [age]),
            _graph("Dead letters", [dead]),
        )
        dashboard.add_widgets(
            _graph("Errors", list(errors.values())),
            _graph("Throttles", list(throttles.values())),
            _graph("Credential errors", list(credentials.values())),
        )


def _graph(title: str, metrics: list[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=metrics, width=8)
