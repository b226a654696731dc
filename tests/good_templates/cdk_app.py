"""An orders service as people write it with the CDK: typed grants, no overrides, whatever the CDK renders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda, aws_s3, aws_sns, aws_sqs
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secrets
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

if TYPE_CHECKING:
    from constructs import Construct

API = """
import os

import boto3

TABLE = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
TOPIC = boto3.client("sns")


def handler(event, context):
    if event["requestContext"]["http"]["method"] == "GET":
        return TABLE.get_item(Key={"pk": event["id"]}).get("Item")
    TABLE.put_item(Item={"pk": event["id"]}, ConditionExpression="attribute_not_exists(pk)")
    TOPIC.publish(TopicArn=os.environ["TOPIC_ARN"], Message=event["id"])
"""

WORKER = """
import os

import boto3

TABLE = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
LABELS = boto3.resource("s3").Bucket(os.environ["LABELS"])


def token():
    return boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["CARRIER_SECRET_ARN"])["SecretString"]


def handler(event, context):
    for record in event["Records"]:
        order = TABLE.get_item(Key={"pk": record["body"]})["Item"]
        label = LABELS.Object(f"labels/{order['pk']}")
        label.put(Body=token())
        label.get()
        label.delete()
"""


class OrdersStack(cdk.Stack):
    """An API, a worker, a nightly workflow."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "Orders")
        table = dynamodb.TableV2(
            self, "Table", partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)
        )
        topic = aws_sns.Topic(self, "Topic", enforce_ssl=True)
        late = aws_sqs.Queue(self, "DeadLetters", enforce_ssl=True)
        dead_letters = aws_sqs.DeadLetterQueue(max_receive_count=3, queue=late)
        queue = aws_sqs.Queue(self, "Queue", enforce_ssl=True, dead_letter_queue=dead_letters)
        topic.add_subscription(subscriptions.SqsSubscription(queue))
        labels = aws_s3.Bucket(
            self,
            "Labels",
            enforce_ssl=True,
            block_public_access=aws_s3.BlockPublicAccess.BLOCK_ALL,
            encryption=aws_s3.BucketEncryption.KMS,
            encryption_key=kms.Key(self, "Key", enable_key_rotation=True),
        )
        token = secrets.Secret(self, "CarrierToken")

        api = self._function("Api", API, TABLE_NAME=table.table_name, TOPIC_ARN=topic.topic_arn)
        table.grant_read_write_data(api)
        topic.grant_publish(api)
        apigateway.HttpApi(self, "HttpApi").add_routes(
            path="/orders",
            methods=[apigateway.HttpMethod.POST],
            integration=integrations.HttpLambdaIntegration("Post", api),
        )

        worker = self._function(
            "Worker",
            WORKER,
            TABLE_NAME=table.table_name,
            CARRIER_SECRET_ARN=token.secret_arn,
            LABELS=labels.bucket_name,
        )
        table.grant_read_data(worker)
        token.grant_read(worker)
        labels.grant_read_write(worker, "labels/*")
        worker.add_event_source(sources.SqsEventSource(queue, report_batch_item_failures=True))

        check = tasks.LambdaInvoke(self, "Check", lambda_function=worker)
        tell = tasks.SqsSendMessage(self, "Tell", queue=late, message_body=sfn.TaskInput.from_json_path_at("$.Payload"))
        refund = sfn.StateMachine(self, "Refund", definition_body=sfn.DefinitionBody.from_chainable(check.next(tell)))
        nightly = events.Schedule.cron(hour="3", minute="0")
        events.Rule(self, "Nightly", schedule=nightly, targets=[targets.SfnStateMachine(refund)])

    def _function(self, name: str, code: str, **environment: str) -> aws_lambda.Function:
        return aws_lambda.Function(
            self,
            name,
            runtime=aws_lambda.Runtime.PYTHON_3_14,
            handler="index.handler",
            code=aws_lambda.Code.from_inline(code),
            environment=environment,
            log_group=logs.LogGroup(self, f"{name}Logs", retention=logs.RetentionDays.ONE_MONTH),
            tracing=aws_lambda.Tracing.ACTIVE,
        )
