"""Handlers in the styles that people write them in, each with what it calls: the corpus that the analysis is measured on.

`expected` has service and operation and, where the code says what the call goes to, the variable or name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Handler:
    """One function's code: one file, or several by name."""

    name: str
    code: str | dict[str, str]
    expected: frozenset[str]
    unknown: tuple[str, ...] = field(default=())
    """What the analysis has to say that it does not understand: a part of each reason."""


def _handler(name: str, code: str | dict[str, str], *expected: str, unknown: tuple[str, ...] = ()) -> Handler:
    return Handler(name, code, frozenset(expected), unknown)


HANDLERS: Final = (
    _handler(
        "module-level-client",
        """
import boto3
s3 = boto3.client("s3")
def handler(event, context):
    s3.put_object(Bucket="reports", Key="k", Body=b"")
""",
        "s3 PutObject reports",
    ),
    _handler(
        "table-by-environment",
        """
import os, boto3
from boto3.dynamodb.conditions import Key
_table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
def save(item): _table.put_item(Item=item)
def find(pk): return _table.query(IndexName="by-day", KeyConditionExpression=Key("pk").eq(pk))["Items"]
def handler(event, context):
    save({}); return find("x")
""",
        "dynamodb PutItem TABLE",
        "dynamodb Query TABLE/by-day",
    ),
    _handler(
        "lazy-global",
        """
import os, boto3
_table = None
def table():
    global _table
    if _table is None:
        _table = boto3.resource("dynamodb").Table(os.getenv("TABLE"))
    return _table
def handler(event, context):
    return table().scan()
""",
        "dynamodb Scan TABLE",
    ),
    _handler(
        "factory-by-name",
        """
import boto3
def get_client(service_name, region=None):
    session = boto3.Session(region_name=region)
    return session.client(service_name, region_name=region or session.region_name)
def handler(event, context):
    get_client("sqs").send_message(QueueUrl=event["q"], MessageBody="")
    get_client("sns").publish(TopicArn=event["t"], Message="")
""",
        "sqs SendMessage",
        "sns Publish",
    ),
    _handler(
        "cached-factory",
        """
import functools, os, boto3
@functools.lru_cache(maxsize=None)
def client(name): return boto3.client(name)
def handler(event, context):
    client("sqs").receive_message(QueueUrl=os.environ["QUEUE"])
    client("kms").decrypt(CiphertextBlob=b"")
""",
        "sqs ReceiveMessage QUEUE",
        "kms Decrypt",
    ),
    _handler(
        "registry-of-clients",
        """
import boto3
CLIENTS = {name: boto3.client(name) for name in ("s3", "sqs", "dynamodb")}
def handler(event, context):
    CLIENTS["s3"].list_objects_v2(Bucket="data")
""",
        "s3 ListObjectsV2 data",
    ),
    _handler(
        "cache-by-service",
        """
import boto3
class Aws:
    _clients = {}
    @classmethod
    def get(cls, service):
        if service not in cls._clients:
            cls._clients[service] = boto3.client(service)
        return cls._clients[service]
def handler(event, context):
    Aws.get("secretsmanager").get_secret_value(SecretId="db")
    Aws.get("ssm").get_parameter(Name="/app/flag")
""",
        "secretsmanager GetSecretValue db",
        "ssm GetParameter /app/flag",
    ),
    _handler(
        "repository-with-injected-table",
        """
import os, boto3
class Repository:
    def __init__(self, table): self.table = table
    def get(self, key): return self.table.get_item(Key=key)
    def purge(self): self.table.delete()
class Service:
    def __init__(self, repository: Repository): self._repository = repository
    def read(self, key): return self._repository.get(key)
def build(): return Service(Repository(boto3.resource("dynamodb").Table(os.environ["ORDERS"])))
service = build()
def handler(event, context): return service.read(event["key"])
""",
        "dynamodb GetItem ORDERS",
    ),
    _handler(
        "two-stores-of-one-class",
        """
import os, boto3
class Store:
    def __init__(self, name): self._table = boto3.resource("dynamodb").Table(name)
    def get(self, key): return self._table.get_item(Key=key)
    def put(self, item): self._table.put_item(Item=item)
users, orders = Store(os.environ["USERS"]), Store(os.environ["ORDERS"])
def handler(event, context):
    users.get(event); orders.put(event)
""",
        "dynamodb GetItem USERS",
        "dynamodb PutItem ORDERS",
    ),
    _handler(
        "inheritance-and-super",
        """
import boto3
class Base:
    service = "s3"
    def __init__(self): self.client = boto3.client(self.service)
    def run(self): self.work()
    def work(self): raise NotImplementedError
class Reader(Base):
    def work(self): self.client.get_object(Bucket="in", Key="k")
class Notifier(Base):
    service = "sns"
    def __init__(self):
        super().__init__()
    def work(self): self.client.publish(TopicArn="arn:aws:sns:eu-west-1:1:t", Message="")
def handler(event, context):
    for one in (Reader(), Notifier()): one.run()
""",
        "s3 GetObject in",
        "sns Publish arn:aws:sns:eu-west-1:1:t",
    ),
    _handler(
        "property-and-dataclass",
        """
import os
from dataclasses import dataclass, field
from functools import cached_property
import boto3
@dataclass(frozen=True)
class Config:
    queue: str = field(default_factory=lambda: os.environ["QUEUE"])
@dataclass
class Sender:
    url: str
    @cached_property
    def sqs(self): return boto3.client("sqs")
    def send(self, body): self.sqs.send_message(QueueUrl=self.url, MessageBody=body)
sender = Sender(os.environ["QUEUE_URL"])
def handler(event, context): sender.send("x")
""",
        "sqs SendMessage QUEUE_URL",
    ),
    _handler(
        "dispatch-table",
        """
import os, boto3
db = boto3.client("dynamodb")
T = os.environ["T"]
def create(e): db.put_item(TableName=T, Item={})
def remove(e): db.delete_item(TableName=T, Key={})
def never(e): db.delete_table(TableName=T)
ROUTES = {"POST": create, "DELETE": remove}
def handler(event, context):
    action = ROUTES.get(event["method"])
    return action(event) if action else None
""",
        "dynamodb PutItem T",
        "dynamodb DeleteItem T",
    ),
    _handler(
        "match-statement",
        """
import boto3
sqs = boto3.client("sqs")
def send(u): sqs.send_message(QueueUrl=u, MessageBody="")
def purge(u): sqs.purge_queue(QueueUrl=u)
def handler(event, context):
    match event:
        case {"op": "send", "url": url}: send(url)
        case {"op": "purge", "url": url}: purge(url)
        case _: return None
""",
        "sqs SendMessage",
        "sqs PurgeQueue",
    ),
    _handler(
        "paginator-and-waiter",
        """
import os, boto3
ddb = boto3.client("dynamodb")
def handler(event, context):
    pages = ddb.get_paginator("scan").paginate(TableName=os.environ["T"])
    for page in pages: print(page)
    ddb.get_waiter("table_exists").wait(TableName=os.environ["T"])
""",
        "dynamodb Scan T",
        "dynamodb DescribeTable T",
    ),
    _handler(
        "s3-transfers",
        """
import boto3
s3 = boto3.client("s3")
def handler(event, context):
    s3.download_file("in", "k", "/tmp/x")
    s3.upload_file("/tmp/x", "out", "k")
    return s3.generate_presigned_url("get_object", Params={"Bucket": "out", "Key": "k"})
""",
        "s3 HeadObject in",
        "s3 GetObject in",
        "s3 PutObject out",
        "s3 AbortMultipartUpload out",
        "s3 GetObject out",
    ),
    _handler(
        "s3-resource",
        """
import os, boto3
bucket = boto3.resource("s3").Bucket(os.environ["BUCKET"])
def handler(event, context):
    for summary in bucket.objects.filter(Prefix="x"):
        summary.delete()
    bucket.Object("k").put(Body=b"")
    bucket.objects.filter(Prefix="y").delete()
""",
        "s3 ListObjects BUCKET",
        "s3 DeleteObject BUCKET",
        "s3 PutObject BUCKET",
        "s3 DeleteObjects BUCKET",
    ),
    _handler(
        "batch-writer",
        """
import os, boto3
table = boto3.resource("dynamodb").Table(os.environ["T"])
def handler(event, context):
    with table.batch_writer() as batch:
        for item in event["items"]: batch.put_item(Item=item)
""",
        "dynamodb BatchWriteItem T",
    ),
    _handler(
        "batch-get-by-table-name",
        """
import os, boto3
db = boto3.resource("dynamodb")
def handler(event, context):
    return db.batch_get_item(RequestItems={os.environ["T"]: {"Keys": []}})
""",
        "dynamodb BatchGetItem T",
    ),
    _handler(
        "transaction",
        """
import os, boto3
db = boto3.client("dynamodb")
def handler(event, context):
    db.transact_write_items(TransactItems=[
        {"Put": {"TableName": os.environ["ORDERS"], "Item": {}}},
        {"Update": {"TableName": os.environ["STOCK"], "Key": {}}},
    ])
""",
        "dynamodb PutItem ORDERS",
        "dynamodb UpdateItem STOCK",
    ),
    _handler(
        "transaction-of-unknown-items",
        """
import boto3
db = boto3.client("dynamodb")
def handler(event, context):
    db.transact_write_items(TransactItems=event["items"])
""",
        "dynamodb TransactWriteItems",
    ),
    _handler(
        "keyword-arguments-spread",
        """
import os, boto3
def handler(event, context):
    kwargs = {"TableName": os.environ["T"], "Limit": 1}
    if event.get("next"):
        kwargs["ExclusiveStartKey"] = event["next"]
    options = dict(service_name="dynamodb", region_name="eu-west-1")
    return boto3.client(**options).scan(**kwargs)
""",
        "dynamodb Scan T",
    ),
    _handler(
        "typed-parameter",
        """
from __future__ import annotations
import os
from typing import TYPE_CHECKING
import boto3
if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_dynamodb.service_resource import Table
def tell(client: "SNSClient", topic: str): client.publish(TopicArn=topic, Message="")
def read(table: Table): return table.get_item(Key={})
def handler(event, context):
    tell(boto3.client("sns"), os.environ["TOPIC"])
    read(boto3.resource("dynamodb").Table("t"))
""",
        "sns Publish TOPIC",
        "dynamodb GetItem t",
    ),
    _handler(
        "threads",
        """
from concurrent.futures import ThreadPoolExecutor, as_completed
import boto3
s3 = boto3.client("s3")
def fetch(key): return s3.get_object(Bucket="b", Key=key)["Body"].read()
def store(key, body): s3.put_object(Bucket="b", Key=key, Body=body)
def handler(event, context):
    with ThreadPoolExecutor() as pool:
        bodies = list(pool.map(fetch, event["keys"]))
        for done in as_completed([pool.submit(store, k, b) for k, b in zip(event["keys"], bodies)]): done.result()
""",
        "s3 GetObject b",
        "s3 PutObject b",
    ),
    _handler(
        "partial",
        """
import functools, boto3
send = functools.partial(boto3.client("sqs").send_message, QueueUrl="https://sqs.eu-west-1.amazonaws.com/1/jobs")
def handler(event, context): send(MessageBody="x")
""",
        "sqs SendMessage https://sqs.eu-west-1.amazonaws.com/1/jobs",
    ),
    _handler(
        "bound-method-in-variable",
        """
import boto3
get = boto3.client("ssm").get_parameters_by_path
def handler(event, context): return get(Path="/app")
""",
        "ssm GetParametersByPath /app",
    ),
    _handler(
        "constant-getattr",
        """
import boto3
def handler(event, context):
    call = getattr(boto3.client("events"), "put_events")
    call(Entries=[{"EventBusName": "orders", "Source": "x"}])
""",
        "events PutEvents orders",
    ),
    _handler(
        "asyncio",
        """
import asyncio, os
import aioboto3
session = aioboto3.Session()
async def read(bucket, key):
    async with session.client("s3") as s3:
        return await s3.get_object(Bucket=bucket, Key=key)
async def main(): return await asyncio.gather(read(os.environ["B"], "1"), read(os.environ["B"], "2"))
def handler(event, context): return asyncio.run(main())
""",
        "s3 GetObject B",
    ),
    _handler(
        "botocore-session",
        """
import botocore.session
session = botocore.session.get_session()
lam = session.create_client("lambda", region_name="eu-west-1")
def handler(event, context):
    lam.invoke(FunctionName="worker")
""",
        "lambda Invoke worker",
    ),
    _handler(
        "decorated-handler",
        """
import functools, boto3
from aws_lambda_powertools import Logger, Tracer, Metrics
logger, tracer, metrics = Logger(), Tracer(), Metrics()
def checked(function):
    @functools.wraps(function)
    def wrapper(event, context):
        audit(event)
        return function(event, context)
    return wrapper
def audit(event): boto3.client("firehose").put_record(DeliveryStreamName="audit", Record={"Data": b""})
@logger.inject_lambda_context
@tracer.capture_lambda_handler
@checked
def handler(event, context): boto3.client("sns").publish(TopicArn="t", Message="m")
""",
        "firehose PutRecord audit",
        "sns Publish t",
    ),
    _handler(
        "powertools-resolver",
        """
import os, boto3
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
app = APIGatewayRestResolver()
table = boto3.resource("dynamodb").Table(os.environ["T"])
@app.get("/orders/<id>")
def get_order(id: str): return table.get_item(Key={"id": id})
@app.post("/orders")
def create(): table.put_item(Item=app.current_event.json_body)
def handler(event, context): return app.resolve(event, context)
""",
        "dynamodb GetItem T",
        "dynamodb PutItem T",
    ),
    _handler(
        "powertools-parameters-and-idempotency",
        """
import os
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, idempotent
layer = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY"])
@idempotent(persistence_store=layer)
def handler(event, context): return parameters.get_secret("db"), parameters.get_parameter("/flag")
""",
        "dynamodb GetItem IDEMPOTENCY",
        "dynamodb PutItem IDEMPOTENCY",
        "dynamodb UpdateItem IDEMPOTENCY",
        "dynamodb DeleteItem IDEMPOTENCY",
        "secretsmanager GetSecretValue db",
        "ssm GetParameter /flag",
    ),
    _handler(
        "fastapi-and-mangum",
        """
import os, boto3
from fastapi import Depends, FastAPI
from mangum import Mangum
app = FastAPI()
def get_table(): return boto3.resource("dynamodb").Table(os.environ["T"])
@app.get("/items/{key}")
def item(key: str, table=Depends(get_table)): return table.get_item(Key={"pk": key})
handler = Mangum(app)
""",
        "dynamodb GetItem T",
    ),
    _handler(
        "packages",
        {
            "app/__init__.py": "",
            "app/main.py": "from .storage import documents\nfrom app import clock\n\ndef handler(event, context):\n    return documents.load(event['id'], clock.now())\n",
            "app/clock.py": "import boto3\n\ndef now(): return 0\n\ndef unused(): boto3.client('ec2').terminate_instances(InstanceIds=[])\n",
            "app/storage/__init__.py": "from .documents import load as _load\n",
            "app/storage/documents.py": "from app.clients import s3\nimport os\n\ndef load(key, at): return s3().get_object(Bucket=os.environ['DOCS'], Key=key)\n",
            "app/clients.py": "import boto3\n\ndef s3(): return boto3.client('s3')\n",
        },
        "s3 GetObject DOCS",
    ),
    _handler(
        "star-import",
        {
            "app.py": "from clients import *\n\ndef handler(event, context):\n    queue.delete_message(QueueUrl='q', ReceiptHandle='r')\n",
            "clients.py": "import boto3\nqueue = boto3.client('sqs')\n",
        },
        "sqs DeleteMessage q",
    ),
    _handler(
        "another-handlers-calls-do-not-count",
        """
import boto3
def other(event, context): boto3.client("iam").create_user(UserName="x")
def handler(event, context): return "ok"
if __name__ == "__main__":
    boto3.client("s3").delete_bucket(Bucket="b")
""",
    ),
    _handler(
        "settings-object",
        """
import boto3
from pydantic_settings import BaseSettings
class Settings(BaseSettings):
    orders_table: str
    region: str = "eu-west-1"
settings = Settings()
def handler(event, context):
    boto3.resource("dynamodb", region_name=settings.region).Table(settings.orders_table).put_item(Item={})
""",
        "dynamodb PutItem ORDERS_TABLE",
    ),
    _handler(
        "required-variable",
        """
import os, boto3
def required(name):
    value = os.environ.get(name)
    if value is None: raise KeyError(name)
    return value.strip()
def handler(event, context):
    boto3.client("kinesis").put_record(StreamName=required("STREAM"), Data=b"", PartitionKey="x")
""",
        "kinesis PutRecord STREAM",
    ),
    _handler(
        "assumed-role-acts-as-another",
        """
import boto3
def handler(event, context):
    answer = boto3.client("sts").assume_role(RoleArn=event["role"], RoleSessionName="x")["Credentials"]
    other = boto3.client("s3", aws_access_key_id=answer["AccessKeyId"], aws_secret_access_key=answer["SecretAccessKey"],
                         aws_session_token=answer["SessionToken"])
    other.put_object(Bucket="theirs", Key="k", Body=b"")
""",
        "sts AssumeRole",
    ),
    _handler(
        "strategy-classes-by-name",
        """
import boto3
class Email:
    def send(self, text): boto3.client("sesv2").send_email(Content={})
class Sms:
    def send(self, text): boto3.client("sns").publish(PhoneNumber="x", Message=text)
CHANNELS = {"email": Email, "sms": Sms}
def handler(event, context): CHANNELS[event["channel"]]().send("x")
""",
        "sesv2 SendEmail",
        "sns Publish",
    ),
    _handler(
        "context-manager-of-ours",
        """
import contextlib, boto3
class Lock:
    def __init__(self, table): self.table = table
    def __enter__(self): self.table.put_item(Item={}); return self
    def __exit__(self, *a): self.table.delete_item(Key={})
@contextlib.contextmanager
def locked(name):
    with Lock(boto3.resource("dynamodb").Table(name)) as lock: yield lock
def handler(event, context):
    with locked("locks"): pass
""",
        "dynamodb PutItem locks",
        "dynamodb DeleteItem locks",
    ),
    _handler(
        "generator-of-pages",
        """
import boto3
logs = boto3.client("logs")
def pages(group):
    token = {}
    while True:
        page = logs.filter_log_events(logGroupName=group, **token)
        yield from page["events"]
        if "nextToken" not in page: return
        token = {"nextToken": page["nextToken"]}
def handler(event, context): return [e for e in pages("/app")]
""",
        "logs FilterLogEvents /app",
    ),
    _handler(
        "protocol-typed-port",
        """
import boto3
from typing import Protocol
class Port(Protocol):
    def save_order(self, order): ...
class Dynamo:
    def save_order(self, order): boto3.resource("dynamodb").Table("orders").put_item(Item=order)
class UseCase:
    def __init__(self, port: Port): self._port = port
    def run(self, order): self._port.save_order(order)
def handler(event, context): UseCase(Dynamo()).run(event)
""",
        "dynamodb PutItem orders",
    ),
    _handler(
        "exceptions-of-the-client",
        """
import boto3
client = boto3.client("cognito-idp")
def handler(event, context):
    try:
        client.admin_get_user(UserPoolId="p", Username="u")
    except client.exceptions.UserNotFoundException:
        client.admin_create_user(UserPoolId="p", Username="u")
    finally:
        client.close()
""",
        "cognito-idp AdminGetUser",
        "cognito-idp AdminCreateUser",
    ),
    _handler(
        "name-decided-at-run-time",
        """
import boto3
def handler(event, context):
    return getattr(boto3.client("s3"), event["method"])(**event["arguments"])
""",
        unknown=("which operation of s3 is called is decided at run time",),
    ),
    _handler(
        "service-decided-at-run-time",
        """
import boto3
def handler(event, context):
    return boto3.client(event["service"]).list_things()
""",
        unknown=("a client is made of a service that the code does not name",),
    ),
    _handler(
        "client-from-outside",
        """
def handler(event, context):
    return context.injected_client.get_object(Bucket="b", Key="k") or run(event)
def run(event, client=None):
    return client.put_item(TableName="t", Item={})
""",
        unknown=("'get_object' is called on something that is handed in from outside",),
    ),
    _handler(
        "client-handed-to-a-package",
        """
import boto3
from some_package import archive
def handler(event, context): archive(boto3.client("s3"), "bucket")
""",
        unknown=("a client of s3 is handed to 'some_package.archive'",),
    ),
    _handler(
        "package-that-calls-by-itself",
        """
from pynamodb.models import Model
def handler(event, context): return Model.get("x")
""",
        unknown=("'pynamodb' calls AWS by itself",),
    ),
    _handler(
        "client-of-a-package-that-is-elsewhere",
        """
import os
from company.clients import Factory, put_item
CLIENTS = Factory(os.environ["AWS_REGION"])
def handler(event, context):
    put_item("x")
    return CLIENTS.client("sqs").send_message(QueueUrl="q", MessageBody="")
""",
        unknown=("'company.clients.put_item' may be a call of AWS", "'send_message' may be a call of AWS: 'company'"),
    ),
    _handler(
        "operation-that-is-none",
        """
import boto3
def handler(event, context): boto3.client("sqs").send_messages(QueueUrl="q")
""",
        unknown=("sqs has no operation that is called as 'send_messages'",),
    ),
    _handler(
        "taught",
        """
import boto3
def handler(event, context):
    getattr(boto3.client("dynamodb"), event["op"])(  # aws: dynamodb:PutItem on TABLE, dynamodb:DeleteItem
        TableName="x")
    boto3.client(event["service"])  # aws: none
""",
        "dynamodb PutItem TABLE",
        "dynamodb DeleteItem",
    ),
)
