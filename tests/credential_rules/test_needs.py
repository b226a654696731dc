"""What a role has to allow: by the code's calls, on the resources that the template's variables lead to, and by Lambda itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from credential_rules.engine import judge, read
from credential_rules.grants import denying, statement_covers
from credential_rules.index import Index, Role
from credential_rules.needs import Need, needs_of
from credential_rules.policy_evaluation import Decision, Request, evaluate
from credential_rules.role_matches_code import RULE
from credential_rules.template import Resource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from credential_rules.engine import Reported

TRUST: Final = "{Statement: {Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: 'sts:AssumeRole'}}"
LOGS: Final = "{Effect: Allow, Action: [logs:CreateLogStream, logs:PutLogEvents], Resource: !GetAtt Log.Arn}"


def text(
    code: str,
    *statements: str,
    more: str = "",
    function: str = "",
    variables: str = "",
    role: str = "!GetAtt Role.Arn",
    managed: str = "[]",
    trust: str = TRUST,
) -> str:
    """A template with one function, its log and its role."""
    lines = "\n".join(f"          {line}" for line in code.strip("\n").splitlines())
    return f"""
Resources:
  Log: {{Type: AWS::Logs::LogGroup}}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.14
      Handler: index.handler
      Role: {role}
      LoggingConfig: {{LogGroup: !Ref Log}}
      Environment: {{Variables: {{{variables}}}}}
{function}
      Code:
        ZipFile: |
{lines}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {trust}
      ManagedPolicyArns: {managed}
      Policies:
        - PolicyName: work
          PolicyDocument:
            Statement: [{", ".join((LOGS, *statements))}]
{more}
"""


@pytest.fixture
def needs(tmp_path: Path) -> Callable[[str], list[Need]]:
    """What the one function of a template needs."""

    def gather(template: str) -> list[Need]:
        file = tmp_path / "template.yaml"
        file.write_text(template, encoding="utf-8")
        target = read([file])
        assert target.errors == {}
        index = Index(target.templates, target.sources)
        (function,) = index.functions.values()
        return needs_of(index, function)

    return gather


@pytest.fixture
def said(tmp_path: Path) -> Callable[[str], list[Reported]]:
    """What the rule says of a template."""

    def check(template: str) -> list[Reported]:
        file = tmp_path / "template.yaml"
        file.write_text(template, encoding="utf-8")
        report = judge(read([file]), [RULE])
        assert report.errors == {}
        return report.findings

    return check


def pairs(found: list[Need], *, required: bool = True) -> set[tuple[str, str]]:
    """Each action with the name of what it is done to, those that are (not) required, without the log."""
    return {
        (need.action, need.target.logical_id if isinstance(need.target, Resource) else str(need.target))
        for need in found
        if need.is_required is required and not need.action.startswith("logs:")
    }


def call(line: str) -> str:
    """A handler of one line."""
    return f"import boto3, os\ndef handler(event, context):\n    {line}"


QUEUE: Final = "  Queue: {Type: AWS::SQS::Queue, Properties: {KmsMasterKeyId: !Ref Key}}\n  Key: {Type: AWS::KMS::Key}"


@pytest.mark.parametrize(
    ("line", "variables", "more", "expected"),
    [
        (
            "boto3.client('sqs').send_message(QueueUrl=os.environ['Q'])",
            "Q: !Ref Queue",
            QUEUE,
            {("sqs:SendMessage", "Queue"), ("kms:GenerateDataKey", "Key"), ("kms:Decrypt", "Key")},
        ),
        (
            "boto3.client('sqs').receive_message(QueueUrl=os.environ['Q'])",
            "Q: !Ref Queue",
            QUEUE,
            {("sqs:ReceiveMessage", "Queue"), ("kms:Decrypt", "Key")},
        ),
        (
            "boto3.client('s3').get_object(Bucket=os.environ['B'], Key='k')",
            "B: !Ref Bucket",
            (
                "  Bucket: {Type: AWS::S3::Bucket, Properties: {BucketEncryption: {ServerSideEncryptionConfiguration:"
                " [{ServerSideEncryptionByDefault: {SSEAlgorithm: 'aws:kms', KMSMasterKeyID: !GetAtt Key.Arn}}]}}}\n"
                "  Key: {Type: AWS::KMS::Key}"
            ),
            {("s3:GetObject", "Bucket"), ("kms:Decrypt", "Key")},
        ),
        (
            "boto3.client('s3').put_object(Bucket=os.environ['B'], Key='k', Tagging='a=b')",
            "B: !Ref Bucket",
            (
                "  Bucket: {Type: AWS::S3::Bucket, Properties: {BucketEncryption: {ServerSideEncryptionConfiguration:"
                " [{ServerSideEncryptionByDefault: {SSEAlgorithm: 'aws:kms', KMSMasterKeyID: !GetAtt Key.Arn}}]}}}\n"
                "  Key: {Type: AWS::KMS::Key}"
            ),
            {("s3:PutObject", "Bucket"), ("s3:PutObjectTagging", "Bucket"), ("kms:GenerateDataKey", "Key")},
        ),
        (
            "boto3.client('s3').get_object(Bucket='plain', Key='k', VersionId='1')",
            "",
            "",
            {("s3:GetObjectVersion", "plain")},
        ),
        (
            "boto3.resource('dynamodb').Table(os.environ['T']).put_item(Item={})",
            "T: !Ref Table",
            (
                "  Table: {Type: AWS::DynamoDB::Table, Properties: {SSESpecification: {SSEEnabled: true, SSEType: KMS,"
                " KMSMasterKeyId: !Ref Key}}}\n  Key: {Type: AWS::KMS::Key}"
            ),
            {("dynamodb:PutItem", "Table"), ("kms:Decrypt", "Key")},
        ),
        (
            "boto3.client('dynamodb').describe_table(TableName=os.environ['T'])",
            "T: !Ref Table",
            (
                "  Table: {Type: AWS::DynamoDB::Table, Properties: {SSESpecification: {SSEEnabled: true, SSEType: KMS,"
                " KMSMasterKeyId: !Ref Key}}}\n  Key: {Type: AWS::KMS::Key}"
            ),
            {("dynamodb:DescribeTable", "Table")},
        ),
        (
            "boto3.client('sns').publish(TopicArn=os.environ['T'], Message='')",
            "T: !Ref Topic",
            "  Topic: {Type: AWS::SNS::Topic, Properties: {KmsMasterKeyId: alias/aws/sns}}",
            {("sns:Publish", "Topic")},
        ),
        (
            "boto3.client('sqs').send_message_batch(QueueUrl='https://sqs.eu-west-1.amazonaws.com/123456789012/jobs')",
            "",
            "",
            {("sqs:SendMessage", "jobs")},
        ),
        (
            "boto3.client('s3').put_object(Bucket=os.environ.get('B', 'for-tests'), Key='k')",
            "B: uploads",
            "",
            {("s3:PutObject", "uploads")},
        ),
        (
            "boto3.client('s3').put_object(Bucket=os.environ.get('B', 'the-default'), Key='k')",
            "",
            "",
            {("s3:PutObject", "the-default")},
        ),
        (
            "boto3.client('s3').copy_object(Bucket='to', Key='k', CopySource={'Bucket': 'from', 'Key': 'k'})",
            "",
            "",
            {("s3:PutObject", "to"), ("s3:GetObject", "None")},
        ),
        (
            (
                "boto3.client('dynamodb').transact_write_items(TransactItems=[{'Put': {'TableName': os.environ['T']}},"
                " {'ConditionCheck': {'TableName': 'users'}}])"
            ),
            "T: orders",
            "",
            {("dynamodb:PutItem", "orders"), ("dynamodb:ConditionCheckItem", "users")},
        ),
        ("boto3.client('sts').get_caller_identity()", "", "", set()),
        (
            "boto3.client('rds').generate_db_auth_token(DBHostname='h', Port=5432, DBUsername='u')",
            "",
            "",
            {("rds-db:connect", "None")},
        ),
        ("boto3.client('ecs').run_task(cluster='c', taskDefinition='t')", "", "", {("ecs:RunTask", "c")}),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("boto3") else "",
)
def test_a_call_needs_its_action_and_what_that_implies(
    line: str, variables: str, more: str, expected: set[tuple[str, str]], needs: Callable[[str], list[Need]]
) -> None:
    """On the resource that the variable leads to; with a customer's key, on the key too."""
    assert pairs(needs(text(call(line), variables=variables, more=more))) == expected


MAPPING: Final = "  Mapping: {{Type: AWS::Lambda::EventSourceMapping, Properties: {{FunctionName: !Ref Function, {}}}}}"
INTERFACES: Final = {
    ("ec2:CreateNetworkInterface", "None"),
    ("ec2:DescribeNetworkInterfaces", "None"),
    ("ec2:DescribeSubnets", "None"),
    ("ec2:DeleteNetworkInterface", "None"),
    ("ec2:AssignPrivateIpAddresses", "None"),
    ("ec2:UnassignPrivateIpAddresses", "None"),
}


@pytest.mark.parametrize(
    ("function", "more", "expected"),
    [
        (
            "",
            MAPPING.format("EventSourceArn: !GetAtt Queue.Arn") + "\n" + QUEUE,
            {
                ("sqs:ReceiveMessage", "Queue"),
                ("sqs:DeleteMessage", "Queue"),
                ("sqs:GetQueueAttributes", "Queue"),
                ("kms:Decrypt", "Key"),
            },
        ),
        (
            "",
            MAPPING.format("EventSourceArn: !GetAtt Table.StreamArn") + "\n  Table: {Type: AWS::DynamoDB::Table}",
            {
                ("dynamodb:DescribeStream", "Table"),
                ("dynamodb:GetRecords", "Table"),
                ("dynamodb:GetShardIterator", "Table"),
            },
        ),
        (
            "",
            MAPPING.format(
                "EventSourceArn: 'arn:aws:kinesis:eu-west-1:123456789012:stream/clicks',"
                " DestinationConfig: {OnFailure: {Destination: !Ref Topic}}"
            )
            + "\n  Topic: {Type: AWS::SNS::Topic}",
            {
                ("kinesis:DescribeStream", "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"),
                ("kinesis:GetRecords", "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"),
                ("kinesis:GetShardIterator", "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"),
                ("kinesis:ListShards", "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks"),
                ("sns:Publish", "Topic"),
            },
        ),
        (
            "      DeadLetterConfig: {TargetArn: !GetAtt Dead.Arn}",
            (
                "  Dead: {Type: AWS::SQS::Queue}\n  Later: {Type: AWS::Lambda::EventInvokeConfig, Properties: {FunctionName:"
                " !Ref Function, Qualifier: $LATEST, DestinationConfig: {OnSuccess: {Destination:"
                " 'arn:aws:events:eu-west-1:123456789012:event-bus/done'}}}}"
            ),
            {("sqs:SendMessage", "Dead"), ("events:PutEvents", "arn:aws:events:eu-west-1:123456789012:event-bus/done")},
        ),
        (
            "      TracingConfig: {Mode: Active}",
            "",
            {("xray:PutTraceSegments", "None"), ("xray:PutTelemetryRecords", "None")},
        ),
        ("      VpcConfig: {SubnetIds: [subnet-1], SecurityGroupIds: [sg-1]}", "", INTERFACES),
    ],
    ids=["queue", "stream of a table", "stream and destination", "dead letters and destination", "traces", "network"],
)
def test_lambda_needs_what_the_template_asks_it_to_do(
    function: str, more: str, expected: set[tuple[str, str]], needs: Callable[[str], list[Need]]
) -> None:
    """Event sources, destinations, dead letters, traces, network interfaces: none of them is a call of the code."""
    found = needs(text("def handler(event, context): pass", function=function, more=more))
    assert pairs(found) == expected
    assert not any(need.by_code or need.line for need in found)
    assert all(need.at is not None for need in found)


@pytest.mark.parametrize(
    "name",
    ["orders", "orders:live", "arn:aws:lambda:eu-west-1:123456789012:function:orders", "!Ref Alias", "!Ref Version"],
)
def test_an_event_source_finds_its_function_by_whatever_name(name: str, needs: Callable[[str], list[Need]]) -> None:
    """By name, ARN, alias or version."""
    mapping = MAPPING.format("EventSourceArn: !GetAtt Queue.Arn").replace(
        "!Ref Function", f"'{name}'" if ":" in name else name
    )
    others = (
        "  Queue: {Type: AWS::SQS::Queue}\n  Alias: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref Function}}\n"
        "  Version: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref Function}}"
    )
    found = needs(
        text("def handler(event, context): pass", function="      FunctionName: orders", more=f"{mapping}\n{others}")
    )
    assert ("sqs:ReceiveMessage", "Queue") in pairs(found)


def test_a_function_needs_its_log_and_makes_no_group_that_the_template_makes(
    needs: Callable[[str], list[Need]],
) -> None:
    """Without a group in the template Lambda makes one, by a name that is known if the function's is."""
    own = needs(text("def handler(event, context): pass"))
    assert {(need.action, need.target.logical_id) for need in own if isinstance(need.target, Resource)} == {
        ("logs:CreateLogStream", "Log"),
        ("logs:PutLogEvents", "Log"),
    }
    template = text("def handler(event, context): pass", function="      FunctionName: orders")
    other = needs(template.replace("      LoggingConfig: {LogGroup: !Ref Log}\n", ""))
    assert {(need.action, need.target) for need in other} == {
        ("logs:CreateLogGroup", "/aws/lambda/orders"),
        ("logs:CreateLogStream", "/aws/lambda/orders"),
        ("logs:PutLogEvents", "/aws/lambda/orders"),
    }


READ: Final = "boto3.client('dynamodb').get_item(TableName=os.environ['T'], Key={})"
TABLE: Final = "  Table: {Type: AWS::DynamoDB::Table, Properties: {TableName: orders}}"


@pytest.mark.parametrize(
    "statement",
    [
        "{Effect: Allow, Action: 'dynamodb:GetItem', Resource: !GetAtt Table.Arn}",
        "{Effect: Allow, Action: 'DynamoDB:getitem', Resource: !Sub 'arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${Table}'}",
        "{Effect: Allow, Action: 'dynamodb:GetItem', Resource: 'arn:aws:dynamodb:*:123456789012:table/orders'}",
        "{Effect: Allow, Action: 'dynamodb:GetItem', Resource: 'arn:aws:dynamodb:*:123456789012:table/ord*'}",
        "{Effect: Allow, Action: 'dynamodb:GetItem', Resource: [!GetAtt Table.Arn, !Sub '${Table.Arn}/index/*']}",
        "{Effect: Allow, Action: 'dynamodb:Get*', Resource: !GetAtt Table.Arn}",
        (
            "{Effect: Allow, Action: ['dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:Scan',"
            " 'dynamodb:ConditionCheckItem', 'dynamodb:DescribeTable'], Resource: !GetAtt Table.Arn}"
        ),
        "{Effect: Allow, NotAction: 'iam:*', Resource: '*'}",
    ],
)
def test_a_grant_is_recognised_however_it_is_written(statement: str, said: Callable[[str], list[Reported]]) -> None:
    """By reference, by name, by pattern, as the CDK's grant; wildcards are another rule's to report."""
    found = said(text(call(READ), statement, variables="T: !Ref Table", more=TABLE))
    assert [one.message for one in found] == []


@pytest.mark.parametrize(
    "statement",
    [
        "{Effect: Allow, Action: 'dynamodb:GetItem', Resource: !Sub '${Table.Arn}/index/*'}",
        "{Effect: Allow, Action: 'dynamodb:GetItem', Resource: !GetAtt Table.StreamArn}",
        "{Effect: Allow, Action: 'dynamodb:GetItem', Resource: 'arn:aws:dynamodb:*:123456789012:table/orders2'}",
        "{Effect: Allow, Action: 'dynamodb:GetItem', Resource: 'arn:aws:sqs:*:123456789012:orders'}",
        "{Effect: Allow, Action: 'dynamodb:GetItem', Resource: !GetAtt Log.Arn}",
    ],
)
def test_a_grant_on_something_else_is_one_fault_with_both_named(
    statement: str, said: Callable[[str], list[Reported]]
) -> None:
    """What is needed and where, what is granted and by which statement, and what to write in its place."""
    found = said(text(call(READ), statement, variables="T: !Ref Table", more=TABLE))
    assert [one.severity for one in found] == ["error"]
    granted = statement.rpartition("Resource: ")[2].rstrip("}").replace("!Sub ", "").strip("'")
    granted = f"${{{granted.removeprefix('!GetAtt ')}}}" if granted.startswith("!GetAtt") else granted
    assert (
        "needs dynamodb:GetItem on 'Table' (index.py:3 GetItem on T), and its role 'Role' allows it only on"
        f" '{granted}' ('Role')" in found[0].message
    )
    assert "Allow dynamodb:GetItem on the ARN of 'Table' in place of" in found[0].fix
    assert (found[0].resource, found[0].location) == (
        "Role",
        "Properties.Policies.0.PolicyDocument.Statement.1.Resource",
    )


def test_another_action_on_the_right_resource_is_two_faults(said: Callable[[str], list[Reported]]) -> None:
    """One is missing, one is there in vain: neither is the other by mistake."""
    statement = "{Effect: Allow, Action: 'dynamodb:Query', Resource: !GetAtt Table.Arn}"
    missing, unused = said(text(call(READ), statement, variables="T: !Ref Table", more=TABLE))
    assert "and no statement of its role 'Role' allows it" in missing.message
    assert "allows dynamodb:Query ('Role'), and neither the code of 'Function' nor Lambda" in unused.message


def test_a_grant_that_is_used_elsewhere_is_named_and_stays(said: Callable[[str], list[Reported]]) -> None:
    """A second table that was forgotten: the first one's grant is right, and the finding shows it."""
    code = call(f"{READ}; boto3.client('dynamodb').get_item(TableName='users', Key={{}})")
    (found,) = said(text(code, GRANT, variables="T: !Ref Table", more=TABLE))
    assert "needs dynamodb:GetItem on 'users'" in found.message
    assert "allows it only on '${Table.Arn}'" in found.message
    assert found.fix.startswith("Allow dynamodb:GetItem on the ARN of 'users' in the role 'Role'")
    assert found.location == "Properties.Role"


def test_one_line_may_call_the_same_of_two_tables(needs: Callable[[str], list[Need]]) -> None:
    """By a variable and by a name: both are needed."""
    code = call(f"{READ}; boto3.client('dynamodb').get_item(TableName='users', Key={{}})")
    found = needs(text(code, variables="T: !Ref Table", more=TABLE))
    assert pairs(found) == {("dynamodb:GetItem", "Table"), ("dynamodb:GetItem", "users")}


def test_a_grant_of_a_library_on_the_wrong_table_is_one_fault(said: Callable[[str], list[Reported]]) -> None:
    """All of its actions are one decision; another action beside it that nobody calls is a fault of its own."""
    actions = (
        "'dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:GetItem', 'dynamodb:Scan',"
        " 'dynamodb:ConditionCheckItem', 'dynamodb:DescribeTable'"
    )
    wrong = "arn:aws:dynamodb:eu-west-1:123456789012:table/users"
    statement = f"{{Effect: Allow, Action: [{actions}], Resource: '{wrong}'}}"
    (found,) = said(text(call(READ), statement, variables="T: !Ref Table", more=TABLE))
    assert (
        f"needs dynamodb:GetItem on 'Table' (index.py:3 GetItem on T), and its role 'Role' allows it only on '{wrong}'"
        in (found.message)
    )
    beside = statement.replace("[", "['dynamodb:DeleteTable', ")
    one, other = said(text(call(READ), beside, variables="T: !Ref Table", more=TABLE))
    assert "needs dynamodb:GetItem" in one.message
    assert "allows dynamodb:DeleteTable (" in other.message


def test_a_second_wrong_grant_of_the_same_action_is_a_second_fault(said: Callable[[str], list[Reported]]) -> None:
    """One of the two is in the place of what is needed; the other is there in vain."""
    wrong = [
        f"{{Sid: {name}, Effect: Allow, Action: 'dynamodb:GetItem', Resource: 'arn:aws:dynamodb:*:123456789012:table/{name}'}}"
        for name in ("One", "Two")
    ]
    first, second = said(text(call(READ), *wrong, variables="T: !Ref Table", more=TABLE))
    assert "(statement 'One' of 'Role')" in first.message
    assert "allows dynamodb:GetItem (statement 'Two' of 'Role'), and neither" in second.message


def test_what_cannot_be_told_of_a_managed_policy_is_not_said_to_fail(said: Callable[[str], list[Reported]]) -> None:
    """The text does not contradict itself, and says what to do."""
    managed = "[arn:aws:iam::aws:policy/AdministratorAccess]"
    (found,) = said(text(call(READ), variables="T: !Ref Table", more=TABLE, managed=managed))
    assert found.severity == "cannot-tell"
    assert found.message.endswith(
        "and whether its role 'Role' allows it cannot be told: AdministratorAccess is not part of this run."
    )
    assert "in place of AdministratorAccess" in found.fix


SAM: Final = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Table: {{Type: AWS::Serverless::SimpleTable}}
  Other: {{Type: AWS::Serverless::SimpleTable}}
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.14
      Handler: index.handler
      Environment: {{Variables: {{T: !Ref Table}}}}
      Policies: [{policies}]
      InlineCode: |
        import boto3, os
        def handler(event, context):
            {line}
"""


def test_a_policy_template_that_nobody_needs_is_named_as_one(said: Callable[[str], list[Reported]]) -> None:
    """Nobody can take an action out of SAM's own statements: a narrower one, or a statement, takes its place."""
    (found,) = said(SAM.format(policies="{DynamoDBReadPolicy: {TableName: !Ref Table}}", line="pass"))
    assert "policy template 'DynamoDBReadPolicy' of 'Function'" in found.message
    assert "Take the policy template 'DynamoDBReadPolicy' away" in found.fix
    assert "from the statement" not in found.fix


def test_a_policy_template_with_the_wrong_table_is_one_fault(said: Callable[[str], list[Reported]]) -> None:
    """What to change is its parameter."""
    (found,) = said(SAM.format(policies="{DynamoDBReadPolicy: {TableName: !Ref Other}}", line=READ))
    assert "needs dynamodb:GetItem on 'Table' (index.py:3 GetItem on T)" in found.message
    assert "(policy template 'DynamoDBReadPolicy' of 'Function')" in found.message
    assert "Name 'Table' in the policy template 'DynamoDBReadPolicy'" in found.fix


SECRET: Final = "arn:aws:secretsmanager:*:123456789012:secret:prod/db"
LOG: Final = "arn:aws:logs:*:123456789012:log-group:/app"
READ_SECRET: Final = "boto3.client('secretsmanager').get_secret_value(SecretId={})"
WRITE_LOG: Final = "boto3.client('logs').put_log_events(logGroupName={}, logStreamName='s', logEvents=[])"
READ_OBJECT: Final = "boto3.client('s3').get_object(Bucket=os.environ['N'], Key='k')"
LIST_OBJECTS: Final = "boto3.client('s3').list_objects_v2(Bucket=os.environ['N'])"
MAKE_SECRET: Final = "boto3.client('secretsmanager').create_secret(Name='prod/db')"
QUERY: Final = "boto3.client('dynamodb').query(TableName=os.environ['N'], IndexName='by-day')"
BY_VARIABLE: Final = "os.environ['N']"
MORE: Final = """
  Secret: {Type: AWS::SecretsManager::Secret, Properties: {Name: prod/db}}
  Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /app}}
  Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: b}}
  Table: {Type: AWS::DynamoDB::Table, Properties: {TableName: orders}}
  Queue: {Type: AWS::SQS::Queue}
Parameters:
  Name: {Type: String}
"""
ACTIONS: Final = {
    READ_SECRET: "secretsmanager:GetSecretValue",
    MAKE_SECRET: "secretsmanager:CreateSecret",
    WRITE_LOG: "logs:PutLogEvents",
    READ_OBJECT: "s3:GetObject",
    LIST_OBJECTS: "s3:ListBucket",
    QUERY: "dynamodb:Query",
}


def granted(line: str, name: str, variable: str, resource: str) -> str:
    """A template whose function makes a call on something, and whose role allows that on a resource."""
    written = resource if resource.startswith("!") else f"'{resource}'"
    statement = f"{{Effect: Allow, Action: '{ACTIONS[line]}', Resource: {written}}}"
    return text(call(line.format(name)), statement, variables=f"N: {variable}", more=MORE)


@pytest.mark.parametrize(
    ("line", "name", "variable", "resource"),
    [
        (READ_SECRET, "'prod/db'", "''", f"{SECRET}-??????"),
        (READ_SECRET, "'prod/db'", "''", f"{SECRET}-*"),
        (READ_SECRET, "'prod/db'", "''", f"{SECRET}*"),
        (READ_SECRET, "'prod/db'", "''", f"{SECRET}-x1Y2z3"),
        (READ_SECRET, f"'{SECRET.replace('*', 'eu-west-1')}-x1Y2z3'", "''", f"{SECRET}-x1Y2z3"),
        (READ_SECRET, f"'{SECRET.replace('*', 'eu-west-1')}-x1Y2z3'", "''", f"{SECRET}-??????"),
        (READ_SECRET, f"'{SECRET.replace('*', 'eu-west-1')}'", "''", f"{SECRET}-x1Y2z3"),
        (READ_SECRET, BY_VARIABLE, "!Ref Secret", "!Ref Secret"),
        (READ_SECRET, BY_VARIABLE, "!Ref Secret", "!Sub '${Secret}'"),
        (READ_SECRET, BY_VARIABLE, "!Ref Secret", f"{SECRET}-??????"),
        (READ_SECRET, BY_VARIABLE, "!Ref Name", "!Ref Name"),
        (READ_SECRET, BY_VARIABLE, "!Ref Name", f"!Sub '{SECRET.replace('prod/db', '${Name}')}-??????'"),
        (MAKE_SECRET, "", "''", SECRET),
        (MAKE_SECRET, "", "''", f"{SECRET}-??????"),
        (WRITE_LOG, "'/app'", "''", f"{LOG}:*"),
        (WRITE_LOG, "'/app'", "''", f"{LOG}:log-stream:*"),
        (WRITE_LOG, "'/app'", "''", f"{LOG}*"),
        (WRITE_LOG, BY_VARIABLE, "!Ref Group", "!GetAtt Group.Arn"),
        (WRITE_LOG, BY_VARIABLE, "!Ref Group", f"!Sub '{LOG.replace('/app', '${Group}')}:*'"),
        (READ_OBJECT, "", "!Ref Bucket", "arn:aws:s3:::b/*"),
        (READ_OBJECT, "", "!Ref Bucket", "!Sub '${Bucket.Arn}/*'"),
        (LIST_OBJECTS, "", "!Ref Bucket", "arn:aws:s3:::b"),
        (LIST_OBJECTS, "", "!Ref Bucket", "!GetAtt Bucket.Arn"),
        (QUERY, "", "!Ref Table", "!Sub '${Table.Arn}/index/by-day'"),
        (QUERY, "", "!Ref Table", "arn:aws:dynamodb:*:123456789012:table/orders/index/*"),
    ],
)
def test_an_arn_in_the_form_that_aws_asks_for_is_a_grant(
    line: str, name: str, variable: str, resource: str, said: Callable[[str], list[Reported]]
) -> None:
    """With what follows the name: a secret's six characters, a group's streams, a bucket's objects, a table's index."""
    assert [one.message for one in said(granted(line, name, variable, resource))] == []


@pytest.mark.parametrize(
    ("line", "name", "variable", "resource", "right"),
    [
        (READ_SECRET, "'prod/db'", "''", SECRET, f"{SECRET}-??????"),
        (READ_SECRET, f"'{SECRET.replace('*', 'eu-west-1')}'", "''", SECRET, f"{SECRET}-??????"),
        (READ_SECRET, f"'{SECRET.replace('*', 'eu-west-1')}-x1Y2z3'", "''", SECRET, f"{SECRET}-??????"),
        # It ends as a secret's ARN does, by chance.
        (READ_SECRET, "'my-secret'", "''", SECRET.replace("prod/db", "my-secret"), "secret:my-secret-??????"),
        (READ_SECRET, BY_VARIABLE, "!Ref Secret", SECRET, f"{SECRET}-??????"),
        (READ_SECRET, BY_VARIABLE, "prod/db", SECRET, f"{SECRET}-??????"),
        (READ_SECRET, BY_VARIABLE, "!Ref Name", f"!Sub '{SECRET.replace('prod/db', '${Name}')}'", "${Name}-??????"),
        (WRITE_LOG, "'/app'", "''", LOG, f"{LOG}:*"),
        (WRITE_LOG, BY_VARIABLE, "!Ref Group", LOG, f"{LOG}:*"),
        (WRITE_LOG, BY_VARIABLE, "!Ref Group", f"!Sub '{LOG.replace('/app', '${Group}')}'", "${Group}:*"),
        (READ_OBJECT, "", "!Ref Bucket", "arn:aws:s3:::b", "arn:aws:s3:::b/*"),
        (READ_OBJECT, "", "!Ref Bucket", "!GetAtt Bucket.Arn", "${Bucket.Arn}/*"),
        (LIST_OBJECTS, "", "!Ref Bucket", "arn:aws:s3:::b/*", "'arn:aws:s3:::b'"),
        (LIST_OBJECTS, "", "!Ref Bucket", "!Sub '${Bucket.Arn}/*'", "'${Bucket.Arn}'"),
        (QUERY, "", "!Ref Table", "!GetAtt Table.Arn", "${Table.Arn}/index/by-day"),
        (QUERY, "", "!Ref Table", "arn:aws:dynamodb:*:123456789012:table/orders", "table/orders/index/by-day"),
    ],
)
def test_an_arn_in_a_form_that_never_matches_is_one_finding_that_says_what_to_write(  # noqa: PLR0917 (one per part)
    line: str, name: str, variable: str, resource: str, right: str, said: Callable[[str], list[Reported]]
) -> None:
    """AWS refuses the call, however right the name is."""
    (found,) = said(granted(line, name, variable, resource))
    assert found.severity == "error"
    assert f"needs {ACTIONS[line]} on " in found.message
    assert right in found.fix


@pytest.mark.parametrize("more", ["-??????", "-*", "/x"])
def test_nothing_follows_the_whole_arn_of_a_secret(more: str, said: Callable[[str], list[Reported]]) -> None:
    """`Ref` gives it with its six characters."""
    found = said(granted(READ_SECRET, BY_VARIABLE, "!Ref Secret", f"!Sub '${{Secret}}{more}'"))
    assert "needs secretsmanager:GetSecretValue on 'Secret'" in found[0].message


def test_a_table_that_is_not_read_beside_its_index_is_still_unused(said: Callable[[str], list[Reported]]) -> None:
    """The index is allowed: the table was not meant for it."""
    statement = (
        "{Effect: Allow, Action: 'dynamodb:Query', Resource: [!GetAtt Table.Arn, !Sub '${Table.Arn}/index/by-day']}"
    )
    (found,) = said(text(call(QUERY), statement, variables="N: !Ref Table", more=MORE))
    assert "allows dynamodb:Query on '${Table.Arn}'" in found.message


@pytest.mark.parametrize("bundled", [True, False])
def test_describing_a_secret_is_unused_unless_a_library_granted_it_with_the_reading(
    bundled: bool,  # noqa: FBT001 (a case)
    said: Callable[[str], list[Reported]],
) -> None:
    """`grant_read` of the CDK writes both, as one decision; alone, or in a statement of its own, it is too much."""
    statements = (
        [
            "{Effect: Allow, Action: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'], Resource: !Ref Secret}"
        ]
        if bundled
        else [
            "{Effect: Allow, Action: 'secretsmanager:GetSecretValue', Resource: !Ref Secret}",
            "{Effect: Allow, Action: 'secretsmanager:DescribeSecret', Resource: !Ref Secret}",
        ]
    )
    found = said(text(call(READ_SECRET.format(BY_VARIABLE)), *statements, variables="N: !Ref Secret", more=MORE))
    assert ["allows secretsmanager:DescribeSecret" in one.message for one in found] == ([] if bundled else [True])


GRANT: Final = "{Effect: Allow, Action: 'dynamodb:GetItem', Resource: !GetAtt Table.Arn}"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {
                "managed": "[arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess]",
                "code": call("boto3.client('sqs').list_queues()"),
            },
            "AmazonSQSReadOnlyAccess is not part of this run",
        ),
        (
            {"role": "arn:aws:iam::123456789012:role/worker", "code": call(READ)},
            "role of 'Function' is not part of this run",
        ),
        (
            {"code": call("boto3.client(event['x']).do_it()")},
            "a client is made of a service that the code does not name",
        ),
        (
            {"code": call("import subprocess; subprocess.run(['aws', 's3', 'sync', '.', 's3://b'])")},
            "the code runs AWS's command line",
        ),
        (
            {"code": call("from botocore.auth import SigV4Auth; SigV4Auth(None, 'execute-api', 'x').add_auth(event)")},
            "signs requests to AWS by itself",
        ),
        (
            {
                "code": "import company_clients\ndef handler(e, c): company_clients.queue.send_message(QueueUrl='q')",
                "function": "      Layers: [arn:aws:lambda:eu-west-1:1:layer:company:1]",
            },
            "'company_clients' is not among the code",
        ),
        (
            {"code": "exports.handler = async () => {}", "node": "yes"},
            "the runtime is nodejs24.x, and only Python is read",
        ),
    ],
    ids=["managed policy", "role elsewhere", "service", "command line", "signing", "layer", "runtime"],
)
def test_what_cannot_be_told_is_said_and_nothing_is_called_unused(
    options: dict[str, str], expected: str, said: Callable[[str], list[Reported]]
) -> None:
    """Unknown is never a pass, and never an accusation: with how to teach it."""
    given = {"code": call("pass"), **options}
    node = given.pop("node", "")
    template = text(given.pop("code"), GRANT, more=TABLE, **given)
    found = said(template.replace("python3.14", "nodejs24.x") if node else template)
    told = [one for one in found if one.severity == "cannot-tell"]
    assert any(expected in one.message for one in told)
    assert all(one.fix for one in told)
    if "managed" not in options:
        assert [one for one in found if one.severity == "error"] == []


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("import company_tables", "cannot-tell"),
        ("from company_tables.orders import table", "cannot-tell"),
        ("import company_tables  # aws: none", "error"),
        ("import json, requests", "error"),
    ],
)
def test_what_only_a_package_that_is_not_there_could_need_is_not_called_unused(
    line: str, severity: str, said: Callable[[str], list[Reported]]
) -> None:
    """Before a build, what requirements.txt names is not among the code: of those not known nobody can say what they call."""
    found = said(text(f"{line}\ndef handler(event, context): pass", GRANT, more=TABLE))
    assert [one.severity for one in found] == [severity]
    assert "'Role' allows dynamodb:GetItem" in found[0].message
    assert ("'company_tables'" in found[0].message) is (severity == "cannot-tell")
    granted = said(text(f"{line}\n{call(READ)}", GRANT, more=TABLE, variables="T: !Ref Table"))
    assert [one.message for one in granted] == []


EXTENSIONS: Final = {
    "arn:aws:lambda:eu-west-1:015030872274:layer:AWS-Parameters-and-Secrets-Lambda-Extension-Arm64:18": (
        "[secretsmanager:GetSecretValue, secretsmanager:DescribeSecret]",
        "!Ref Secret",
    ),
    "arn:aws:lambda:eu-west-1:434848589818:layer:AWS-AppConfig-Extension:207": (
        "[appconfig:StartConfigurationSession, appconfig:GetLatestConfiguration]",
        "'arn:aws:appconfig:eu-west-1:123456789012:application/a/environment/e/configuration/c'",
    ),
    "arn:aws:lambda:eu-west-1:580247275435:layer:LambdaInsightsExtension:60": (
        "[logs:CreateLogGroup, logs:CreateLogStream, logs:PutLogEvents]",
        "'arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda-insights:*'",
    ),
    "arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Extension-ARM:85": (
        "secretsmanager:GetSecretValue",
        "!Ref Secret",
    ),
    "arn:aws:lambda:eu-west-1:615299751070:layer:AWSOpenTelemetryDistroPython:16": (
        "[xray:PutTraceSegments, xray:PutTelemetryRecords]",
        "'*'",
    ),
}


@pytest.mark.parametrize("layer", EXTENSIONS, ids=lambda arn: arn.split(":")[-2])
def test_what_an_extension_does_with_the_role_is_not_called_unused(
    layer: str, said: Callable[[str], list[Reported]]
) -> None:
    """It runs beside the code, with the code's role; without it, the same permission is one that nobody needs."""
    actions, resources = EXTENSIONS[layer]
    grant = f"{{Effect: Allow, Action: {actions}, Resource: {resources}}}"
    secret = "  Secret: {Type: AWS::SecretsManager::Secret}"
    code = call("__import__('urllib.request').urlopen('http://localhost:2773/')")
    assert said(text(code, grant, more=secret, function=f"      Layers: [{layer}]")) == []
    found = said(text(code, grant, more=secret))
    assert {one.severity for one in found} == {"error"}


def test_an_extension_needs_nothing_of_another_service(said: Callable[[str], list[Reported]]) -> None:
    """It excuses what it does, not what anybody granted."""
    (layer, *_) = EXTENSIONS
    (found,) = said(text(call("pass"), GRANT, more=TABLE, function=f"      Layers: [{layer}]"))
    assert "allows dynamodb:GetItem" in found.message


def test_an_unknown_of_one_service_leaves_the_others_judged(said: Callable[[str], list[Reported]]) -> None:
    """A dynamic call on S3 says nothing of a table."""
    code = call("getattr(boto3.client('s3'), event['op'])(Bucket='b')")
    found = said(text(code, GRANT, "{Effect: Allow, Action: 's3:PutObject', Resource: 'arn:aws:s3:::b/*'}", more=TABLE))
    assert [(one.severity, "dynamodb:GetItem" in one.message) for one in found] == [
        ("cannot-tell", False),
        ("error", True),
    ]


def test_code_without_any_call_and_a_role_for_lambda_only_is_fine(said: Callable[[str], list[Reported]]) -> None:
    """Nothing to compare is no fault."""
    managed = "[arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]"
    assert said(text("def handler(event, context): return event", managed=managed)) == []


def test_what_a_shared_role_allows_may_be_needed_by_either_function(said: Callable[[str], list[Reported]]) -> None:
    """That they share it is another rule's finding."""
    other = (
        text("")
        .split("  Function:")[1]
        .split("\n  Role:\n")[0]
        .replace(
            "ZipFile: |\n",
            "ZipFile: |\n"
            + "".join(
                f"          {line}\n" for line in call("boto3.client('sqs').purge_queue(QueueUrl='q')").splitlines()
            ),
        )
    )
    grants = (GRANT, "{Effect: Allow, Action: 'sqs:PurgeQueue', Resource: 'arn:aws:sqs:eu-west-1:123456789012:q'}")
    template = text(call(READ), *grants, variables="T: !Ref Table", more=f"{TABLE}\n  Second:{other}")
    assert [one.message for one in said(template)] == []


def test_what_others_do_with_the_role_is_not_called_unused(said: Callable[[str], list[Reported]]) -> None:
    """A role that a state machine takes on too: its actions are not the code's alone."""
    trust = TRUST.replace("lambda.amazonaws.com", "[lambda.amazonaws.com, states.amazonaws.com]")
    assert said(text(call("pass"), GRANT, more=TABLE, trust=trust)) == []


def test_the_resources_own_policy_may_allow_what_the_role_does_not(said: Callable[[str], list[Reported]]) -> None:
    """Within one account either is enough."""
    policy = (
        "  Policy: {Type: AWS::SQS::QueuePolicy, Properties: {Queues: [!Ref Queue], PolicyDocument: {Statement: [{Effect:"
        " Allow, Principal: {AWS: !GetAtt Role.Arn}, Action: 'sqs:SendMessage', Resource: !GetAtt Queue.Arn}]}}}"
    )
    code = call("boto3.client('sqs').send_message(QueueUrl=os.environ['Q'])")
    queue = "  Queue: {Type: AWS::SQS::Queue}"
    assert said(text(code, variables="Q: !Ref Queue", more=f"{queue}\n{policy}")) == []
    assert len(said(text(code, variables="Q: !Ref Queue", more=queue))) == 1


@pytest.mark.parametrize(
    ("statement", "is_enough"),
    [
        ("Effect: Allow, Principal: '*', Condition: {ArnEquals: {'aws:SourceArn': !Ref Topic}}", False),
        ("Effect: Allow, Principal: {AWS: '*'}, Condition: {StringEquals: {'AWS:SourceAccount': '1'}}", False),
        ("Effect: Allow, Principal: '*', Condition: {StringEqualsIfExists: {'aws:SourceAccount': '1'}}", True),
        ("Effect: Allow, Principal: '*', Condition: {ArnEquals: {'aws:PrincipalArn': !GetAtt Role.Arn}}", True),
        ("Effect: Allow, Principal: {Service: sns.amazonaws.com}", False),
        ("Effect: Allow, Principal: {AWS: 'arn:aws:iam::123456789012:role/other'}", False),
        ("Effect: Deny, Principal: '*', Condition: {Bool: {'aws:SecureTransport': false}}", False),
    ],
)
def test_a_policy_that_lets_others_send_lets_no_role_send(
    statement: str, said: Callable[[str], list[Reported]], *, is_enough: bool
) -> None:
    """`Principal: '*'` with aws:SourceArn, as many write it for a subscription: a role's call states no such key."""
    policy = (
        "  Topic: {Type: AWS::SNS::Topic}\n  Queue: {Type: AWS::SQS::Queue}\n"
        "  Policy: {Type: AWS::SQS::QueuePolicy, Properties: {Queues: [!Ref Queue], PolicyDocument: {Statement: [{"
        f"Action: 'sqs:SendMessage', Resource: !GetAtt Queue.Arn, {statement}}}]}}}}}}"
    )
    code = call("boto3.client('sqs').send_message(QueueUrl=os.environ['Q'])")
    found = said(text(code, variables="Q: !Ref Queue", more=policy))
    assert (found == []) is is_enough
    assert all("needs sqs:SendMessage on 'Queue'" in one.message for one in found)


def test_findings_point_at_the_statement_and_at_the_functions_role(said: Callable[[str], list[Reported]]) -> None:
    """The place in the template is where a person mends it."""
    unused, missing = sorted(
        said(text(call("boto3.client('sqs').list_queues()"), GRANT, more=TABLE)),
        key=lambda one: one.resource,
        reverse=True,
    )
    assert (missing.resource, missing.location) == ("Function", "Properties.Role")
    assert (unused.resource, unused.location) == ("Role", "Properties.Policies.0.PolicyDocument.Statement.1.Action")
    assert unused.line


def test_functions_that_the_cdk_brings_along_are_not_ours_to_judge(said: Callable[[str], list[Reported]]) -> None:
    """Neither their code nor their role can be changed; a function of ours with such a name is judged."""
    template = text("exports.handler = async () => {}", GRANT, more=TABLE).replace("python3.14", "nodejs24.x")
    for path, is_ours in (("Stack/Custom::S3AutoDelete/Handler", False), ("Stack/LogRetentionCleaner/Resource", True)):
        with_path = template.replace(
            "    Type: AWS::Lambda::Function\n",
            f"    Type: AWS::Lambda::Function\n    Metadata: {{'aws:cdk:path': '{path}'}}\n",
        )
        assert bool(said(with_path)) is is_ours


def test_a_statement_that_nobody_needs_is_one_finding(said: Callable[[str], list[Reported]]) -> None:
    """Whatever it lists: actions that work on the table only and actions that work on its indexes too."""
    unused = "{Sid: Reads, Effect: Allow, Action: ['dynamodb:GetItem', 'dynamodb:Query'], Resource: [!GetAtt Table.Arn, !Sub '${Table.Arn}/index/*']}"
    (found,) = said(text(call("pass"), unused, more=TABLE))
    assert "allows dynamodb:GetItem, dynamodb:Query (statement 'Reads' of 'Role')" in found.message


POLLED: Final = (
    "{Effect: Allow, Action: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],"
    " Resource: !GetAtt Q.Arn}"
)
MAPPED: Final = """\
  Q: {Type: AWS::SQS::Queue}
  Mapping: {Type: AWS::Lambda::EventSourceMapping, Properties: {FunctionName: !Ref Function, EventSourceArn: !GetAtt Q.Arn}}"""
OWN: Final = "!Sub 'arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:worker'"
RECEIVES: Final = call("boto3.client('sqs').receive_message(QueueUrl=os.environ['Q'])")


def kept_from_code(condition: str, actions: str = "'sqs:*'") -> str:
    """A Deny with a condition."""
    return f"{{Sid: NotFromCode, Effect: Deny, Action: [{actions}], Resource: '*', Condition: {condition}}}"


@pytest.mark.parametrize(
    ("condition", "hits_code", "hits_poller"),
    [
        (f"{{ArnEquals: {{'lambda:SourceFunctionArn': {OWN}}}}}", True, False),
        (f"{{ArnLike: {{'lambda:sourceFunctionArn': {OWN}}}}}", True, False),
        ("{ArnLike: {'lambda:SourceFunctionArn': 'arn:aws:lambda:*:*:function:*'}}", True, False),
        ("{'Null': {'lambda:SourceFunctionArn': 'false'}}", True, False),
        (
            f"{{ArnEquals: {{'lambda:SourceFunctionArn': ['arn:aws:lambda:eu-west-1:1:function:o', {OWN}]}}}}",
            True,
            False,
        ),
        # Of another function's code, which does not act as this role.
        ("{ArnEquals: {'lambda:SourceFunctionArn': 'arn:aws:lambda:eu-west-1:1:function:other'}}", False, False),
        ("{StringEquals: {'lambda:SourceFunctionArn': 'arn:aws:lambda:*:*:function:*'}}", False, False),
        # Whoever has no such key is Lambda itself.
        (f"{{ArnEqualsIfExists: {{'lambda:SourceFunctionArn': {OWN}}}}}", True, True),
        (f"{{'ForAllValues:ArnEquals': {{'lambda:SourceFunctionArn': {OWN}}}}}", True, True),
        (f"{{ArnNotEquals: {{'lambda:SourceFunctionArn': {OWN}}}}}", False, True),
        ("{ArnNotLike: {'lambda:SourceFunctionArn': 'arn:aws:lambda:*:*:function:other'}}", True, True),
        (f"{{'ForAnyValue:ArnNotEquals': {{'lambda:SourceFunctionArn': {OWN}}}}}", False, False),
        ("{'Null': {'lambda:SourceFunctionArn': 'true'}}", False, True),
        # Two conditions have to hold together, and this one nobody can tell.
        (
            f"{{ArnEquals: {{'lambda:SourceFunctionArn': {OWN}}}, StringEquals: {{'aws:SourceVpc': vpc-1}}}}",
            False,
            False,
        ),
    ],
)
def test_a_deny_hits_whom_its_condition_is_about(
    condition: str, said: Callable[[str], list[Reported]], *, hits_code: bool, hits_poller: bool
) -> None:
    """The code's calls state the function, the poller's do not: each is told only of the Deny that stops it."""
    for code, polls, hit in ((RECEIVES, False, hits_code), (call("pass"), True, hits_poller)):
        grant = POLLED if polls else "{Effect: Allow, Action: 'sqs:ReceiveMessage', Resource: !GetAtt Q.Arn}"
        found = said(
            text(
                code,
                grant,
                kept_from_code(condition),
                more=MAPPED if polls else MAPPED.partition("\n")[0],
                variables="Q: !Ref Q",
                function="      FunctionName: worker",
            )
        )
        denied = [one.message for one in found if "denies it (statement 'NotFromCode' of 'Role')" in one.message]
        assert bool(denied) is hit, (condition, polls, [one.message for one in found])
        who = "Lambda, for 'Function', needs" if polls else "'Function' needs sqs:ReceiveMessage"
        assert all(message.startswith(who) for message in denied)
        assert {one.severity for one in found} <= {"error"}
        assert bool(found) is hit


READ_ANY: Final = "boto3.client('dynamodb').get_item(TableName=event['table'], Key={})"
MAY_READ: Final = "{Effect: Allow, Action: 'dynamodb:GetItem', Resource: !GetAtt Table.Arn}"


@pytest.mark.parametrize(
    ("line", "denied", "severity"),
    [
        (READ, "Resource: 'arn:aws:dynamodb:*:*:table/secret'", None),
        (READ, "NotResource: !GetAtt Table.Arn", None),
        (READ, "NotResource: ['arn:aws:s3:::b/*', 'arn:aws:dynamodb:*:*:table/orders']", None),
        (READ, "NotResource: 'arn:aws:dynamodb:*:*:table/secret'", "error"),
        (READ, "NotResource: !ImportValue Kept", "cannot-tell"),
        (READ, "Resource: !ImportValue Refused", "cannot-tell"),
        (READ, "Resource: !GetAtt Table.Arn", "error"),
        (READ_ANY, "Resource: 'arn:aws:dynamodb:*:*:table/secret'", "cannot-tell"),
        (READ_ANY, "NotResource: !GetAtt Table.Arn", "cannot-tell"),
        (READ_ANY, "Resource: 'arn:aws:sqs:*:*:secret'", None),
        (READ_ANY, "Resource: 'arn:aws:dynamodb:*:*:table/*'", "error"),
        (READ_ANY, "Resource: '*'", "error"),
        (READ, "Resource: '*', Action: !ImportValue Refused", "cannot-tell"),
    ],
)
def test_a_deny_counts_on_what_it_is_about(
    line: str, denied: str, severity: str | None, said: Callable[[str], list[Reported]]
) -> None:
    """All but what NotResource lists; where nobody knows what it is about, or what the call goes to, nobody can tell."""
    action = "" if "Action:" in denied else "Action: 'dynamodb:*', "
    deny = f"{{Sid: Kept, Effect: Deny, {action}{denied}}}"
    found = said(text(call(line), MAY_READ, deny, variables="T: !Ref Table", more=TABLE))
    wrong = [one for one in found if "'Function' needs dynamodb:GetItem" in one.message]
    assert [one.severity for one in wrong] == ([severity] if severity else []), [one.message for one in found]
    assert all("statement 'Kept' of 'Role'" in one.message for one in wrong)
    assert bool(found) is bool(wrong)


@pytest.mark.parametrize("actions", ["Action: !ImportValue Some", "NotAction: ['iam:*', !ImportValue Some]"])
def test_an_allow_of_actions_that_nobody_knows_is_no_sure_one(
    actions: str, said: Callable[[str], list[Reported]]
) -> None:
    """Which actions it allows only the deployment decides."""
    allow = f"{{Sid: Imported, Effect: Allow, {actions}, Resource: !GetAtt Table.Arn}}"
    (found,) = said(text(call(READ), allow, variables="T: !Ref Table", more=TABLE))
    assert found.severity == "cannot-tell"
    assert "needs dynamodb:GetItem on 'Table'" in found.message


@pytest.mark.parametrize(
    ("condition", "is_enough"),
    [
        (f"{{ArnEquals: {{'lambda:SourceFunctionArn': {OWN}}}}}", (True, False)),
        ("{ArnLike: {'lambda:SourceFunctionArn': 'arn:aws:lambda:*:*:function:other'}}", (False, False)),
        (f"{{ArnNotEquals: {{'lambda:SourceFunctionArn': {OWN}}}}}", (False, True)),
        ("{ArnEquals: {'lambda:SourceFunctionArn': !ImportValue Some}}", (True, False)),
    ],
)
def test_an_allow_serves_whom_its_condition_is_about(
    condition: str, said: Callable[[str], list[Reported]], *, is_enough: tuple[bool, bool]
) -> None:
    """A grant to code only does not let Lambda poll, and one to another function lets neither."""
    for code, more, enough in zip(
        (RECEIVES, call("pass")), (MAPPED.partition("\n")[0], MAPPED), is_enough, strict=True
    ):
        allow = POLLED if more == MAPPED else "{Effect: Allow, Action: 'sqs:ReceiveMessage', Resource: !GetAtt Q.Arn}"
        given = f"{allow[:-1]}, Condition: {condition}}}"
        found = said(text(code, given, more=more, variables="Q: !Ref Q", function="      FunctionName: worker"))
        needed = [one for one in found if "needs sqs:ReceiveMessage on 'Q'" in one.message]
        assert (needed == []) is enough, [one.message for one in found]
        assert all("to others only, by the condition on lambda:SourceFunctionArn" in one.message for one in needed)
        assert (found == []) is enough


def test_code_that_polls_beside_the_poller_is_told_of_the_deny(said: Callable[[str], list[Reported]]) -> None:
    """The same grant serves Lambda, so that it is not unused; the call is refused all the same, by the line."""
    deny = kept_from_code(f"{{ArnEquals: {{'lambda:SourceFunctionArn': {OWN}}}}}", "'sqs:ReceiveMessage'")
    (found,) = said(
        text(RECEIVES, POLLED, deny, more=MAPPED, variables="Q: !Ref Q", function="      FunctionName: worker")
    )
    assert found.message.startswith("'Function' needs sqs:ReceiveMessage on 'Q' (index.py:3 ReceiveMessage on Q)")
    assert "denies it (statement 'NotFromCode' of 'Role'): the call is refused with AccessDenied" in found.message
    assert found.fix == "Remove the call, or narrow statement 'NotFromCode' of 'Role': no Allow wins over a Deny."


def test_a_deny_for_code_that_ends_the_log_is_told(said: Callable[[str], list[Reported]]) -> None:
    """Lambda states the function where it writes its log: that Deny hits it like the code."""
    deny = kept_from_code(f"{{ArnEquals: {{'lambda:SourceFunctionArn': {OWN}}}}}", "'logs:PutLogEvents'")
    found = said(text(call("pass"), deny, function="      FunctionName: worker"))
    assert any(
        one.message.startswith("Lambda, for 'Function', needs logs:PutLogEvents") and "denies it" in one.message
        for one in found
    )


_WORKER: Final = "arn:aws:lambda:eu-west-1:123456789012:function:worker"
_OTHER: Final = "arn:aws:lambda:eu-west-1:123456789012:function:other"
_DENIES: Final[list[dict[str, Any]]] = [
    {f"{quantifier}{kind}{comparison}{ending}": {"lambda:SourceFunctionArn": value}}
    for quantifier in ("", "ForAllValues:", "ForAnyValue:")
    for kind in ("Arn", "String")
    for comparison in ("Equals", "Like", "NotEquals", "NotLike")
    for ending in ("", "IfExists")
    for value in (_WORKER, _OTHER, f"{_WORKER[:-2]}*", "arn:aws:lambda:*:*:function:*", [_OTHER, _WORKER])
] + [{"Null": {"lambda:SourceFunctionArn": absent}} for absent in ("true", "false")]


def test_whom_a_condition_on_the_function_hits_is_what_the_evaluator_says(tmp_path: Path) -> None:
    """Every operator with every kind of value: sure of exactly the evaluator's denials, and of no grant that it takes for one."""
    denies = [{"Effect": "Deny", "Action": "sqs:*", "Resource": "*", "Condition": condition} for condition in _DENIES]
    function = {"FunctionName": "worker", "Runtime": "python3.14", "Handler": "index.handler"}
    policies = [{"PolicyName": "denies", "PolicyDocument": {"Statement": denies}}]
    file = tmp_path / "template.json"
    file.write_text(
        json.dumps(
            {
                "Resources": {
                    "Function": {
                        "Type": "AWS::Lambda::Function",
                        "Properties": {**function, "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Code": {"ZipFile": ""}},
                    },
                    "Role": {
                        "Type": "AWS::IAM::Role",
                        "Properties": {"AssumeRolePolicyDocument": {"Statement": []}, "Policies": policies},
                    },
                }
            }
        ),
        encoding="utf-8",
    )
    index = Index(read([file]).templates, [])
    (worker,) = index.functions.values()
    assert worker.role is not None
    hit = set()
    for statement, written in zip(worker.role.statements, denies, strict=True):
        for by_code, context in ((True, {"lambda:SourceFunctionArn": _WORKER}), (False, {})):
            need = Need("sqs:ReceiveMessage", "q", "", by_code=by_code, function=worker.resource)
            is_sure = denying(Role(worker.role.resource, statements=[statement]), need) is not None
            request = Request(
                "sqs:ReceiveMessage",
                "arn:aws:sqs:eu-west-1:123456789012:q",
                "arn:aws:iam::123456789012:role/r",
                "123456789012",
                context,
            )
            said = evaluate({"Version": "2012-10-17", "Statement": [written]}, request).decision
            assert is_sure == (said is Decision.EXPLICIT_DENY), (written["Condition"], by_code, said)
            allow = replace(statement, effect="Allow")
            is_useless = statement_covers(allow, need) is False
            granted = evaluate(
                {"Version": "2012-10-17", "Statement": [{**written, "Effect": "Allow"}]}, request
            ).decision
            assert not is_useless or granted is Decision.IMPLICIT_DENY, (written["Condition"], by_code, granted)
            hit.add((by_code, is_sure, is_useless))
    assert hit == {
        (by_code, *said) for by_code in (True, False) for said in ((True, False), (False, True), (False, False))
    }
