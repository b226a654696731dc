"""What the rules know of the SDK is what the SDK says of itself, and each operation leads to its permissions."""

from __future__ import annotations

import json

import pytest

from credential_rules.iam_actions import action, actions_of_operation
from credential_rules.sdk_services import (
    is_service,
    kind,
    looks_like_operation,
    operation_of,
    prefix_of,
    service_of_stubs,
    waiter_operation,
)
from credential_rules.taught_calls import Taught, Untaught, taught
from tests.credential_rules import sdk_model


def test_file_is_made_from_the_installed_sdk() -> None:
    """Fresh: `python -m tests.credential_rules.sdk_model` writes it again after an update of boto3."""
    assert sdk_model.FILE.read_text(encoding="utf-8") == sdk_model.text()


@pytest.mark.parametrize(
    ("service", "method", "operation", "actions"),
    [
        ("dynamodb", "put_item", "PutItem", {"dynamodb:PutItem"}),
        ("s3", "list_objects_v2", "ListObjectsV2", {"s3:ListBucket"}),
        ("s3", "head_object", "HeadObject", {"s3:GetObject"}),
        ("lambda", "invoke", "Invoke", {"lambda:InvokeFunction"}),
        ("rds", "describe_db_instances", "DescribeDBInstances", {"rds:DescribeDBInstances"}),
        ("stepfunctions", "start_execution", "StartExecution", {"states:StartExecution"}),
        ("cloudwatch", "put_metric_data", "PutMetricData", {"cloudwatch:PutMetricData"}),
        ("bedrock-runtime", "converse", "Converse", {"bedrock:InvokeModel"}),
        ("apigatewaymanagementapi", "post_to_connection", "PostToConnection", {"execute-api:ManageConnections"}),
        ("apigatewayv2", "get_apis", "GetApis", {"apigateway:GET"}),
        (
            "rds-data",
            "execute_statement",
            "ExecuteStatement",
            {"rds-data:ExecuteStatement", "secretsmanager:GetSecretValue"},
        ),
        ("kms", "re_encrypt", "ReEncrypt", {"kms:ReEncryptFrom", "kms:ReEncryptTo"}),
        ("opensearch", "describe_domain", "DescribeDomain", {"es:DescribeDomain"}),
        ("iot-data", "publish", "Publish", {"iot:Publish"}),
    ],
)
def test_a_method_leads_to_its_operation_and_permissions(
    service: str, method: str, operation: str, actions: set[str]
) -> None:
    """Also where the SDK, the API and IAM each call it otherwise."""
    assert operation_of(service, method) == operation
    assert set(actions_of_operation(prefix_of(service), operation)) == actions
    assert all(action(name) for name in actions)


COMMON = (
    *(
        "athena",
        "bedrock-runtime",
        "cloudwatch",
        "dynamodb",
        "dynamodbstreams",
        "ecs",
        "events",
        "firehose",
        "iot-data",
    ),
    *("kinesis", "kms", "lambda", "rds-data", "s3", "scheduler", "secretsmanager", "ses", "sesv2", "sns", "sqs", "ssm"),
    *("stepfunctions", "sts", "textract", "xray"),
)

NOT_IN_THE_DATABASE = {
    "athena": ("SystemTable",),
    "cloudwatch": ("AlarmContributors", "DatasetKmsKey", "MetricDataQueryDefinition"),
    "dynamodb": ("BulkOperation", "StartBulkPutItems"),
    "kinesis": ("Queue",),
    "lambda": ("DurableExecution",),
    "s3": ("BucketMetadataConfiguration",),
    "secretsmanager": ("CrossAccountReplica", "ListResourcePolicies"),
    "ssm": ("DefaultHostManagementConfiguration",),
}
"""Operations that are newer than the database of actions, by a part of their name: code that calls them is told so."""


@pytest.mark.parametrize("service", COMMON)
def test_every_operation_of_the_common_services_has_a_permission(service: str) -> None:
    """None is passed over in silence: what the database of actions does not know yet is listed here."""
    described = json.loads(sdk_model.FILE.read_text(encoding="utf-8"))[service]
    without = {name for name in described.get("operations", ()) if not actions_of_operation(prefix_of(service), name)}
    assert {name for name in without if not any(part in name for part in NOT_IN_THE_DATABASE.get(service, ()))} == set()


def test_names_that_are_none_are_none() -> None:
    """A typo is not taken for an operation."""
    assert operation_of("dynamodb", "put_items") == ""
    assert not is_service("dynamo")
    assert waiter_operation("dynamodb", "table_gone") == ""
    assert kind("dynamodb", "Bucket") is None
    assert service_of_stubs("numpy") == ""
    assert not looks_like_operation("get")
    assert not looks_like_operation("save_order")


def test_waiters_stubs_and_resources_are_known() -> None:
    """What the SDK derives from its models, the rules do too."""
    assert waiter_operation("dynamodb", "table_exists") == "DescribeTable"
    assert service_of_stubs("mypy_boto3_cognito_idp") == "cognito-idp"
    assert service_of_stubs("types_boto3_lambda") == "lambda"
    bucket = kind("s3", "Bucket")
    assert bucket is not None
    assert bucket.collections["objects"] == ("ListObjects", "ObjectSummary")
    assert looks_like_operation("put_item")


def test_what_people_teach_is_taken_at_its_word() -> None:
    """Operations by the SDK's name or IAM's, with the resource or without, or nothing at all."""
    assert taught("none") == ()
    assert taught("dynamodb:PutItem on ORDERS, states:StartExecution, s3:HeadObject") == (
        Taught("dynamodb", "PutItem", "ORDERS"),
        Taught("states", "StartExecution"),
        Taught("s3", "HeadObject"),
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("dynamodb:PutItems", "no operation or action 'PutItems'"),
        ("dynamo:PutItem", "no service 'dynamo'"),
        ("PutItem", "not of the form service:Operation"),
        ("", "not of the form service:Operation"),
        ("dynamodb:PutItem ORDERS", "not of the form service:Operation"),
    ],
)
def test_a_typo_in_what_is_taught_is_told(text: str, reason: str) -> None:
    """A comment that nobody understands would be believed by whoever wrote it."""
    with pytest.raises(Untaught, match=reason):
        taught(text)
