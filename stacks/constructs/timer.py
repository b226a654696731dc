"""Starts a function again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

if TYPE_CHECKING:
    from aws_cdk import Duration


class Timer(Construct):
    """A schedule and its role, which may invoke the one function.

    An invocation that fails is not repeated: the next one comes by itself.

    Args:
        every: The time between two starts, in whole minutes.
        target: The function.
        description: What it is for, for the console.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, every: Duration, target: lambda_.IFunction, description: str
    ) -> None:
        super().__init__(scope, construct_id)
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            ),
        )
        # The scheduler only hands the start over: Lambda would run a start that failed twice more.
        lambda_.EventInvokeConfig(self, "OnceOnly", function=target, retry_attempts=0)
        # The construct's own target would also grant every version and alias of the function.
        role.add_to_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[target.function_arn]))
        schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            description=description,
            schedule_expression=f"rate({every.to_minutes():g} minute{'s' if every.to_minutes() > 1 else ''})",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=target.function_arn,
                role_arn=role.role_arn,
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(maximum_retry_attempts=0),
            ),
        )
        schedule.node.add_dependency(role)
