"""The CDK application of `make incident`: two functions, the same calls, a role of its own for each.

Run by the CDK CLI with `LOCAL_AWS_INCIDENT_CODE` naming the folder that holds the functions' code.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from aws_cdk import App, Duration, Environment, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from local_aws.environment import ACCOUNT, REGION
from local_aws.incident import CODE_VARIABLE, FUNCTIONS, STACK, function_name

if TYPE_CHECKING:
    from constructs import Construct


class IncidentStack(Stack):
    """A table, a queue, and each of the functions with a role that may write to both and do nothing else.

    Args:
        code: The folder that holds one folder of code for each function, by name.
    """

    def __init__(self, scope: Construct, construct_id: str, *, code: Path, env: Environment) -> None:
        super().__init__(scope, construct_id, env=env)
        table = dynamodb.TableV2(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            removal_policy=RemovalPolicy.DESTROY,
        )
        queue = sqs.Queue(self, "Queue", enforce_ssl=True, removal_policy=RemovalPolicy.DESTROY)
        for name in FUNCTIONS:
            role = iam.Role(
                self,
                f"{name}-role",
                role_name=function_name(name),
                assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            )
            lambda_.Function(
                self,
                f"{name}-function",
                function_name=function_name(name),
                runtime=lambda_.Runtime.PYTHON_3_14,
                handler="index.handler",
                code=lambda_.Code.from_asset(str(code / name)),
                role=role,
                # The specimen sleeps between its attempts.
                timeout=Duration.seconds(60),
                environment={"SQS_EVENT_QUEUE_URL": queue.queue_url, "DYNAMODB_TABLE_NAME": table.table_name},
            )
            role.add_to_policy(iam.PolicyStatement(actions=["dynamodb:PutItem"], resources=[table.table_arn]))
            role.add_to_policy(iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[queue.queue_arn]))


if __name__ == "__main__":
    app = App(analytics_reporting=False)
    where = Environment(account=ACCOUNT, region=REGION)
    IncidentStack(app, STACK, code=Path(os.environ[CODE_VARIABLE]), env=where)
    app.synth()
