"""What a call is on, and whether the role allows it there: right grants, wrong ones, and those that are nearly right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credential_rules.arns import glob
from credential_rules.called_arns import may_be_same
from operator_cli.commands.diagnose import examine
from operator_cli.diagnosis.cause import Slug
from tests.operator_cli.diagnosis.recorded import ACCOUNT, NAME, REGION, Recorded, document, statement

if TYPE_CHECKING:
    from operator_cli.diagnosis.cause import Doubt
    from operator_cli.diagnosis.conclusion import Diagnosis

Verdict = Literal["right", "wrong", "cannot tell"]

PUT: Final = "s3.put_object(Bucket='some-bucket', Key='a/b', Body=b'')"
LIST: Final = "s3.list_objects_v2(Bucket='some-bucket')"
PARAMETER: Final = "ssm.get_parameter(Name='/prod/x')"
SECRET: Final = "secretsmanager.get_secret_value(SecretId='prod/db')"
NEW_SECRET: Final = "secretsmanager.create_secret(Name='prod/db')"
WHOLE_SECRET: Final = (
    f"secretsmanager.get_secret_value(SecretId='arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:prod/db-Ab12Cd')"
)
ITEM: Final = "dynamodb.get_item(TableName='events', Key={})"
INDEX: Final = "dynamodb.query(TableName='events', IndexName='by-date')"
SEND: Final = f"sqs.send_message(QueueUrl='https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/work', MessageBody='1')"
PUBLISH: Final = f"sns.publish(TopicArn='arn:aws:sns:{REGION}:{ACCOUNT}:news', Message='1')"
KEY: Final = "kms.encrypt(KeyId='0a1b', Plaintext=b'')"
KEY_ALIAS: Final = "kms.encrypt(KeyId='alias/main', Plaintext=b'')"
INVOKE: Final = "lambda.invoke(FunctionName='worker')"
INVOKE_ALIAS: Final = "lambda.invoke(FunctionName='worker:live')"
INVOKE_ARN: Final = f"lambda.invoke(FunctionName='arn:aws:lambda:{REGION}:{ACCOUNT}:function:worker')"
EVENTS: Final = "events.put_events(Entries=[{'EventBusName': 'orders', 'Detail': '{}'}])"
START: Final = f"stepfunctions.start_execution(stateMachineArn='arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:flow')"
RECORD: Final = "kinesis.put_record(StreamName='clicks', Data=b'', PartitionKey='1')"
LOG: Final = "logs.put_log_events(logGroupName='/app/audit', logStreamName='1', logEvents=[])"
READ_LOG: Final = "logs.filter_log_events(logGroupName='/app/audit')"
BUCKETS: Final = "s3.list_buckets()"
UNNAMED: Final = "sqs.send_message(QueueUrl=event['queue'], MessageBody='1')"


def local(service: str, resource: str) -> str:
    """Give an ARN in the function's region and account."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


GRANTS: Final[list[tuple[str, str, str, Verdict]]] = [
    # --- S3: a bucket is not its objects ---
    (PUT, "s3:PutObject", "arn:aws:s3:::some-bucket/*", "right"),
    (PUT, "s3:PutObject", "arn:aws:s3:::some-*", "right"),
    (PUT, "s3:PutObject", "arn:aws:s3:::other/*", "wrong"),
    (PUT, "s3:PutObject", "arn:aws:s3:::some-bucket", "wrong"),
    (PUT, "s3:PutObject", "arn:aws:s3:::some-bucket-2/*", "wrong"),
    (PUT, "s3:PutObject", "arn:aws:s3:::some-bucket/x*", "cannot tell"),
    (LIST, "s3:ListBucket", "arn:aws:s3:::some-bucket", "right"),
    (LIST, "s3:ListBucket", "arn:aws:s3:::some-bucket/*", "wrong"),
    (LIST, "s3:ListBucket", "arn:aws:s3:::other", "wrong"),
    (BUCKETS, "s3:ListAllMyBuckets", "*", "right"),
    (BUCKETS, "s3:ListAllMyBuckets", "arn:aws:s3:::some-bucket", "wrong"),
    # --- Systems Manager: the name's first slash is the one after `parameter` ---
    (PARAMETER, "ssm:GetParameter", local("ssm", "parameter/prod/x"), "right"),
    (PARAMETER, "ssm:GetParameter", local("ssm", "parameter/prod/*"), "right"),
    (PARAMETER, "ssm:GetParameter", local("ssm", "parameter//prod/x"), "wrong"),
    (PARAMETER, "ssm:GetParameter", local("ssm", "parameter/prod/y"), "wrong"),
    ("ssm.get_parameter(Name='plain')", "ssm:GetParameter", local("ssm", "parameter/plain"), "right"),
    ("ssm.get_parameter(Name='/prod/x:3')", "ssm:GetParameter", local("ssm", "parameter/prod/x"), "right"),
    # --- Secrets Manager: six characters after the name ---
    (SECRET, "secretsmanager:GetSecretValue", local("secretsmanager", "secret:prod/db-??????"), "right"),
    (SECRET, "secretsmanager:GetSecretValue", local("secretsmanager", "secret:prod/db-*"), "right"),
    (SECRET, "secretsmanager:GetSecretValue", local("secretsmanager", "secret:prod/db"), "wrong"),
    (SECRET, "secretsmanager:GetSecretValue", local("secretsmanager", "secret:prod/other-??????"), "wrong"),
    (SECRET, "secretsmanager:GetSecretValue", local("secretsmanager", "secret:prod/db-Ab12Cd"), "right"),
    (WHOLE_SECRET, "secretsmanager:GetSecretValue", local("secretsmanager", "secret:prod/db-Ab12Cd"), "right"),
    (WHOLE_SECRET, "secretsmanager:GetSecretValue", local("secretsmanager", "secret:prod/db-??????"), "right"),
    (WHOLE_SECRET, "secretsmanager:GetSecretValue", local("secretsmanager", "secret:prod/db-Zz12Cd"), "wrong"),
    (WHOLE_SECRET, "secretsmanager:GetSecretValue", local("secretsmanager", "secret:prod/db"), "wrong"),
    (SECRET, "secretsmanager:GetSecretValue", local("secretsmanager", "secret:prod/other-Ab12Cd"), "wrong"),
    (NEW_SECRET, "secretsmanager:CreateSecret", "*", "right"),
    (NEW_SECRET, "secretsmanager:CreateSecret", local("secretsmanager", "secret:prod/*"), "cannot tell"),
    # --- DynamoDB: a table is not its indexes ---
    (ITEM, "dynamodb:GetItem", local("dynamodb", "table/events"), "right"),
    (ITEM, "dynamodb:GetItem", local("dynamodb", "table/orders"), "wrong"),
    (ITEM, "dynamodb:GetItem", local("dynamodb", "table/events/index/*"), "wrong"),
    (INDEX, "dynamodb:Query", local("dynamodb", "table/events/index/by-date"), "right"),
    (INDEX, "dynamodb:Query", local("dynamodb", "table/events/index/*"), "right"),
    (INDEX, "dynamodb:Query", local("dynamodb", "table/events"), "wrong"),
    (INDEX, "dynamodb:Query", local("dynamodb", "table/events/index/by-name"), "wrong"),
    # --- SQS and SNS ---
    (SEND, "sqs:SendMessage", local("sqs", "work"), "right"),
    (SEND, "sqs:SendMessage", local("sqs", "other"), "wrong"),
    (SEND, "sqs:SendMessage", local("sqs", "work.fifo"), "wrong"),
    (PUBLISH, "sns:Publish", local("sns", "news"), "right"),
    (PUBLISH, "sns:Publish", local("sns", "olds"), "wrong"),
    (PUBLISH, "sns:Publish", local("sns", "news:1"), "wrong"),
    # --- Lambda: a version or an alias is not the function ---
    (INVOKE, "lambda:InvokeFunction", local("lambda", "function:worker"), "right"),
    (INVOKE, "lambda:InvokeFunction", local("lambda", "function:other"), "wrong"),
    (INVOKE, "lambda:InvokeFunction", local("lambda", "function:worker:*"), "cannot tell"),
    (INVOKE_ALIAS, "lambda:InvokeFunction", local("lambda", "function:worker:live"), "right"),
    (INVOKE_ALIAS, "lambda:InvokeFunction", local("lambda", "function:worker:*"), "right"),
    (INVOKE_ALIAS, "lambda:InvokeFunction", local("lambda", "function:worker"), "wrong"),
    (INVOKE_ALIAS, "lambda:InvokeFunction", local("lambda", "function:worker:test"), "wrong"),
    (INVOKE_ARN, "lambda:InvokeFunction", local("lambda", "function:worker"), "right"),
    (INVOKE_ARN, "lambda:InvokeFunction", local("lambda", "function:workers"), "wrong"),
    # --- EventBridge, Step Functions, Kinesis ---
    (EVENTS, "events:PutEvents", local("events", "event-bus/orders"), "right"),
    (EVENTS, "events:PutEvents", local("events", "event-bus/default"), "wrong"),
    (EVENTS, "events:PutEvents", local("events", "rule/orders"), "wrong"),
    (START, "states:StartExecution", local("states", "stateMachine:flow"), "right"),
    (START, "states:StartExecution", local("states", "stateMachine:other"), "wrong"),
    (START, "states:StartExecution", local("states", "execution:flow:*"), "wrong"),
    (RECORD, "kinesis:PutRecord", local("kinesis", "stream/clicks"), "right"),
    (RECORD, "kinesis:PutRecord", local("kinesis", "stream/views"), "wrong"),
    (RECORD, "kinesis:PutRecord", local("kinesis", "clicks"), "wrong"),
    # --- Logs: a group's ARN goes on ---
    (LOG, "logs:PutLogEvents", local("logs", "log-group:/app/audit:*"), "right"),
    (LOG, "logs:PutLogEvents", local("logs", "log-group:/app/audit:log-stream:*"), "right"),
    (LOG, "logs:PutLogEvents", local("logs", "log-group:/app/audit"), "wrong"),
    (LOG, "logs:PutLogEvents", local("logs", "log-group:/app/other:*"), "wrong"),
    (LOG, "logs:PutLogEvents", local("logs", "log-group:/app/audit:log-stream:1"), "cannot tell"),
    (READ_LOG, "logs:FilterLogEvents", local("logs", "log-group:/app/audit:*"), "right"),
    (READ_LOG, "logs:FilterLogEvents", local("logs", "log-group:/app/other:*"), "wrong"),
    # --- what the code does not name ---
    (UNNAMED, "sqs:SendMessage", "*", "right"),
    (UNNAMED, "sqs:SendMessage", local("sqs", "*"), "right"),
    (UNNAMED, "sqs:SendMessage", local("sqs", "work"), "cannot tell"),
    (UNNAMED, "sqs:SendMessage", local("sqs", "work-*"), "cannot tell"),
]


def diagnose(call: str, *statements: dict[str, object], log: str = "") -> Diagnosis:
    """Diagnose a function outside of a VPC that makes one call."""
    recorded = Recorded()
    del recorded.configuration["VpcConfig"]
    service, _, rest = call.partition(".")
    recorded.files["app/index.py"] = (
        f"import boto3\n\n\ndef handler(event, context):\n    boto3.client('{service}').{rest}\n"
    )
    recorded.inline["work"] = document(*statements)
    if log:
        recorded.logs(log)
    return examine(recorded, NAME)


def doubts_about_the_role(diagnosis: Diagnosis) -> list[Doubt]:
    """Leave out the doubt about the policy of a queue that nobody names."""
    return [doubt for doubt in diagnosis.doubts if "the queue itself" not in doubt.what]


@pytest.mark.parametrize(("call", "action", "resource", "verdict"), GRANTS)
def test_a_grant_is_judged_by_what_the_call_is_on(call: str, action: str, resource: str, verdict: Verdict) -> None:
    """Right: nothing to say. Wrong: a cause. What the code does not say: a doubt that names what is granted."""
    diagnosis = diagnose(call, statement(action, resource))
    assert [cause.slug for cause in diagnosis.causes] == ([Slug.WRONG_RESOURCE] if verdict == "wrong" else [])
    doubts = doubts_about_the_role(diagnosis)
    if verdict == "cannot tell":
        (doubt,) = doubts
        assert f"may {action} (app/index.py:5)" in doubt.what
        assert resource in doubt.what
    else:
        assert doubts == []


@pytest.mark.parametrize(
    ("call", "proposed"),
    [
        (PUT, "arn:aws:s3:::some-bucket/*"),
        (LIST, "arn:aws:s3:::some-bucket"),
        (BUCKETS, "*"),
        (PARAMETER, local("ssm", "parameter/prod/x")),
        (SECRET, local("secretsmanager", "secret:prod/db-??????")),
        (INDEX, local("dynamodb", "table/events/index/by-date")),
        (EVENTS, local("events", "event-bus/orders")),
        (LOG, local("logs", "log-group:/app/audit:log-stream:*")),
        (UNNAMED, "ITS-ARN"),
    ],
)
def test_a_proposed_statement_allows_the_call(call: str, proposed: str) -> None:
    """It names what the code names, and with it nothing is left to say."""
    (cause,) = diagnose(call).causes
    assert cause.slug is Slug.MISSING_ACTION
    assert f'"Resource": "{proposed}"' in cause.fix
    if proposed != "ITS-ARN":
        (action,) = cause.actions
        assert diagnose(call, statement(action, proposed)).is_healthy


@pytest.mark.parametrize("granted", ["key/0a1b", "key/0a1c", "key/*", "alias/main"])
@pytest.mark.parametrize(("call", "on"), [(KEY, f" on {local('kms', 'key/0a1b')}"), (KEY_ALIAS, "")])
def test_of_a_key_nobody_can_tell_without_its_own_policy(call: str, on: str, granted: str) -> None:
    """It decides, whatever the role's say; an alias does not tell which key it is."""
    diagnosis = diagnose(call, statement("kms:Encrypt", local("kms", granted)))
    assert diagnosis.causes == ()
    (doubt,) = diagnosis.doubts
    assert doubt.what.startswith(f"Whether the role may kms:Encrypt{on} (app/index.py:5): its own policy decides")


DENIED: Final = (
    f"An error occurred (AccessDeniedException) when calling the GetSecretValue operation: User:"
    f" arn:aws:sts::{ACCOUNT}:assumed-role/events-role/{NAME} is not authorized to perform: secretsmanager:GetSecretValue"
    " on resource: {} because no identity-based policy allows the secretsmanager:GetSecretValue action"
)


@pytest.mark.parametrize("named", ["prod/db", local("secretsmanager", "secret:prod/db")])
def test_a_secret_that_the_log_names_without_its_end_is_judged_by_the_policies(named: str) -> None:
    """With the right grant the denial is unexplained, and so a doubt; with the wrong one the statement has its end."""
    grant = local("secretsmanager", "secret:prod/db-??????")
    diagnosis = diagnose(SECRET, statement("secretsmanager:GetSecretValue", grant), log=DENIED.format(named))
    assert diagnosis.causes == ()
    assert any(f"denied on {grant}: what was read allows it" in doubt.what for doubt in diagnosis.doubts)
    wrong = statement("secretsmanager:GetSecretValue", local("secretsmanager", "secret:prod/db"))
    (cause,) = diagnose(SECRET, wrong, log=DENIED.format(named)).causes
    assert cause.slug is Slug.WRONG_RESOURCE
    assert f'"Resource": "{grant}"' in cause.fix


@pytest.mark.parametrize(
    ("call", "action", "denied", "is_doubt"),
    [
        (PUT, "s3:PutObject", "arn:aws:s3:::some-bucket/private/*", True),
        (PUT, "s3:PutObject", "arn:aws:s3:::other/private/*", False),
        (UNNAMED, "sqs:SendMessage", local("sqs", "audit"), True),
        (SEND, "sqs:SendMessage", local("sqs", "audit"), False),
    ],
)
def test_a_deny_on_a_part_of_what_may_be_called_is_a_doubt(call: str, action: str, denied: str, is_doubt: bool) -> None:  # noqa: FBT001 (what is expected)
    """The role may do it everywhere but there, and the code does not say where it does it."""
    diagnosis = diagnose(call, statement(action, "*"), {**statement(action, denied), "Effect": "Deny"})
    assert diagnosis.causes == ()
    assert [f"denies it on {denied}" in doubt.what for doubt in doubts_about_the_role(diagnosis)] == [True] * is_doubt


def test_a_boundary_on_a_part_of_what_may_be_called_is_a_doubt() -> None:
    """The role may use two queues, its boundary one of them, and the code does not say which it uses."""
    recorded = Recorded()
    del recorded.configuration["VpcConfig"]
    service, _, rest = UNNAMED.partition(".")
    recorded.files["app/index.py"] = (
        f"import boto3\n\n\ndef handler(event, context):\n    boto3.client('{service}').{rest}\n"
    )
    recorded.inline["work"] = document(statement("sqs:SendMessage", [local("sqs", "a"), local("sqs", "b")]))
    recorded.boundary = document(statement("sqs:SendMessage", local("sqs", "a")))
    diagnosis = examine(recorded, NAME)
    assert diagnosis.causes == ()
    assert any("the role's boundary lets sqs:SendMessage through" in doubt.what for doubt in diagnosis.doubts)


PATTERNS: Final = st.text(alphabet="ab*?", max_size=6)


@given(name=st.text(alphabet="ab", max_size=6), first=PATTERNS, second=PATTERNS)
def test_patterns_that_one_name_matches_may_be_the_same(name: str, first: str, second: str) -> None:
    """And the order of the two does not count."""
    if glob(first).fullmatch(name) and glob(second).fullmatch(name):
        assert may_be_same(first, second)
    assert may_be_same(first, second) == may_be_same(second, first)
    assert may_be_same(first, name) == (glob(first).fullmatch(name) is not None)
