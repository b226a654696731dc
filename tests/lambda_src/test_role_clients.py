"""What the clients of the factory do with the role's credentials, with time, and with threads."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import botocore.session  # noqa: TID251 - the seed's way, for contrast
import pytest
from botocore.exceptions import ClientError  # noqa: TID251 - what a caller sees
from botocore.exceptions import ConnectionClosedError as Closed  # noqa: TID251

from event_api.role_clients import (
    CONNECT_TIMEOUT_SECONDS,
    MAX_ATTEMPTS,
    READ_TIMEOUT_SECONDS,
    WORST_CALL_SECONDS,
    RoleClients,
)
from tests.lambda_src.made_up import (
    KEY_ID,
    LONG_LIVED_KEY_ID,
    OTHER_SECRET,
    REGION,
    SECRET,
    TOKEN,
)
from tests.lambda_src.recording_server import DROPPED, Answer, RecordingServer, fault, ok

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("runtime")

_QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/events"

_CALLS: dict[str, Callable[[RoleClients], object]] = {
    "PutItem": lambda clients: clients.client("dynamodb").put_item(TableName="events", Item={"a": {"S": "b"}}),
    "SendMessage": lambda clients: clients.client("sqs").send_message(QueueUrl=_QUEUE, MessageBody="{}"),
    "GetCallerIdentity": lambda clients: clients.client("sts").get_caller_identity(),
    "PUT payloads": lambda clients: clients.client("s3").put_object(Bucket="payloads", Key="tenant/id", Body=b"{}"),
    "DescribeManagedPrefixLists": lambda clients: clients.client("ec2").describe_managed_prefix_lists(),
}


@pytest.mark.parametrize("operation", _CALLS)
def test_every_request_is_signed_by_the_role_with_its_session_token(operation: str, aws: RecordingServer) -> None:
    """In Lambda's environment each service gets the token beside the key: without it the incident comes back."""
    _CALLS[operation](RoleClients(REGION))

    (request,) = aws.requests
    assert request.operation == operation
    assert request.access_key == KEY_ID
    assert request.token == TOKEN
    assert "x-amz-security-token" in request.headers["authorization"]


def test_the_credentials_come_from_the_environment() -> None:
    """The SDK's name for the source is Lambda's: neither explicit keys nor a file."""
    client: Any = RoleClients(REGION).client("sqs")

    assert client._request_signer._credentials.method == "env"


def test_the_seeds_way_drops_the_session_token(aws: RecordingServer) -> None:
    """Key and secret handed to a plain client: the request carries no token. This is why the factory exists."""
    explicit: Any = botocore.session.Session().create_client(
        "sqs", region_name=REGION, aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET
    )
    explicit.list_queues()

    (request,) = aws.requests
    assert request.access_key == KEY_ID
    assert request.token is None
    assert explicit._request_signer._credentials.method == "explicit"


_DEVELOPERS_MACHINE = """
import os, sys

opened = []
sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event == "open" else None)
from event_api.role_clients import RoleClients

clients = RoleClients("us-east-1")
try:
    clients.client("sqs").list_queues()
    print("answered")
except Exception as error:
    print(type(error).__name__)
print([path for path in opened if path.startswith(os.environ["HOME"])])
"""


def _developers_files(home: Path, elsewhere: RecordingServer) -> dict[str, str]:
    """Fill a home with all that the SDK usually reads, each line of which would change what is sent or where."""
    witness = home / "credential-process-ran"
    files = {
        ".aws/credentials": (
            f"[default]\naws_access_key_id = {LONG_LIVED_KEY_ID}\naws_secret_access_key = {OTHER_SECRET}\n"
        ),
        ".aws/config": (
            f"[default]\nregion = eu-west-1\nendpoint_url = {elsewhere.url}\nretry_mode = adaptive\nmax_attempts = 9\n"
            f"credential_process = touch {witness}\nservices = theirs\n"
            f"[services theirs]\nsqs =\n  endpoint_url = {elsewhere.url}\n"
        ),
        ".aws/models/sqs/2012-11-05/service-2.json": "{}",
        ".aws/models/endpoints.json": "{}",
    }
    for name, text in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return {
        "HOME": str(home),
        "AWS_CONFIG_FILE": str(home / ".aws/config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / ".aws/credentials"),
        "AWS_DATA_PATH": str(home / ".aws/models"),
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": elsewhere.url,
        "PYTHONPATH": ":".join(sys.path),
    }


def test_files_and_settings_of_a_developers_machine_are_not_read(tmp_path: Path, aws: RecordingServer) -> None:
    """Shared files, their endpoint, retry and process settings, and custom service models change nothing."""
    aws.script("ListQueues", fault("InternalError", status=500))
    with RecordingServer() as elsewhere:
        environ = {
            **_developers_files(tmp_path, elsewhere),
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_SESSION_TOKEN": TOKEN,
        }
        done = subprocess.run(
            [sys.executable, "-c", _DEVELOPERS_MACHINE], env=environ, capture_output=True, text=True, check=False
        )

        assert done.stdout.splitlines() == ["ClientError", "[]"], done.stderr[-500:]
        assert {request.access_key for request in aws.requests} == {KEY_ID}
        assert aws.operations == ["ListQueues"] * MAX_ATTEMPTS
        assert elsewhere.requests == []
        assert not (tmp_path / "credential-process-ran").exists()


def test_neither_files_nor_instance_metadata_stand_in_for_a_missing_role(tmp_path: Path, aws: RecordingServer) -> None:
    """Without the role's credentials there is no client, whatever else this machine could offer."""
    with RecordingServer() as elsewhere:
        environ = {**_developers_files(tmp_path, elsewhere), "AWS_ENDPOINT_URL": aws.url}
        done = subprocess.run(
            [sys.executable, "-c", _DEVELOPERS_MACHINE], env=environ, capture_output=True, text=True, check=False
        )

        assert done.stdout.splitlines() == ["NoRoleCredentials", "[]"], done.stderr[-500:]
        assert aws.requests == []
        assert elsewhere.requests == []


def test_client_side_monitoring_is_never_told_who_signs(aws: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's monitoring would send key id and session token, in clear, to any host that a variable names."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.setblocking(False)  # noqa: FBT003 - the only way to say it
        monkeypatch.setenv("AWS_CSM_ENABLED", "true")
        monkeypatch.setenv("AWS_CSM_HOST", "127.0.0.1")
        monkeypatch.setenv("AWS_CSM_PORT", str(listener.getsockname()[1]))

        RoleClients(REGION).client("sqs").list_queues()

        assert aws.operations == ["ListQueues"]
        with pytest.raises(BlockingIOError):
            listener.recv(1)


class _CountingClients(RoleClients):
    """Notes every client that is made."""

    def __init__(self, region: str) -> None:
        super().__init__(region)
        self.made: list[str] = []

    def _create(self, service: str) -> Any:  # noqa: ANN401 - as the method it counts
        self.made.append(service)
        time.sleep(0.02)
        return super()._create(service)


def test_all_threads_share_one_client_per_service() -> None:
    """Thirty-two threads that ask at the same moment get the same object, which was made once."""
    clients = _CountingClients(REGION)
    barrier = threading.Barrier(32)
    given: list[tuple[str, object]] = []

    def ask(service: str) -> None:
        barrier.wait()
        given.append((service, clients.client(service)))

    threads = [threading.Thread(target=ask, args=(("sqs", "sts")[number % 2],)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(clients.made) == ["sqs", "sts"]
    assert len(given) == 32
    assert len({(service, id(client)) for service, client in given}) == 2


def test_two_factories_share_nothing() -> None:
    """The cache belongs to its factory: there is no global to clear."""
    assert RoleClients(REGION).client("sqs") is not RoleClients(REGION).client("sqs")


class _Sent(Exception):
    """Where a request would have gone."""


def _destination(client: Any, call: Callable[[], object]) -> str:  # noqa: ANN401 - clients are made at run time
    def stop(request: Any, **_: object) -> None:  # noqa: ANN401 - the SDK's own type
        raise _Sent(request.url)

    client.meta.events.register("before-send", stop)
    with pytest.raises(_Sent) as sent:
        call()
    return str(sent.value.args[0])


@pytest.mark.parametrize("region", [REGION, "eu-west-1"])
@pytest.mark.parametrize("legacy", [False, True], ids=["defaults", "legacy endpoints asked for"])
def test_every_service_is_called_in_the_functions_own_region(
    region: str, monkeypatch: pytest.MonkeyPatch, *, legacy: bool
) -> None:
    """An isolated VPC has a way to the region's endpoints only; a leftover variable must not lead to a global one."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
    if legacy:
        monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
        monkeypatch.setenv("AWS_S3_US_EAST_1_REGIONAL_ENDPOINT", "legacy")
        monkeypatch.setenv("AWS_DEFAULTS_MODE", "legacy")
    clients = RoleClients(region)
    dynamodb, sqs = clients.client("dynamodb"), clients.client("sqs")
    sts, s3 = clients.client("sts"), clients.client("s3")

    assert dynamodb.meta.endpoint_url == f"https://dynamodb.{region}.amazonaws.com"
    assert sqs.meta.endpoint_url == f"https://sqs.{region}.amazonaws.com"
    assert sts.meta.endpoint_url == f"https://sts.{region}.amazonaws.com"
    assert s3.meta.endpoint_url == f"https://s3.{region}.amazonaws.com"
    assert _destination(dynamodb, lambda: dynamodb.describe_table(TableName="events")) == (
        f"https://dynamodb.{region}.amazonaws.com/"
    )
    assert _destination(sqs, lambda: sqs.send_message(QueueUrl=_QUEUE, MessageBody="{}")).startswith(
        f"https://sqs.{region}.amazonaws.com/"
    )
    assert _destination(sts, sts.get_caller_identity) == f"https://sts.{region}.amazonaws.com/"
    assert _destination(s3, lambda: s3.get_object(Bucket="payloads", Key="tenant/id")) == (
        f"https://payloads.s3.{region}.amazonaws.com/tenant/id"
    )


def test_a_foreign_queue_url_does_not_lead_a_request_astray(aws: RecordingServer) -> None:
    """The queue's URL names the queue; where the request goes is the client's endpoint."""
    RoleClients(REGION).client("sqs").send_message(QueueUrl="https://evil.example/1/events", MessageBody="{}")

    assert aws.operations == ["SendMessage"]


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_a_bucket_of_the_local_aws_is_addressed_by_path(
    variable: str, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The local AWS has one host name and no subdomains for buckets."""
    monkeypatch.setenv(variable, server.url.replace("127.0.0.1", "localhost"))
    client = RoleClients(REGION).client("s3")

    url = _destination(client, lambda: client.get_object(Bucket="payloads", Key="tenant/id"))

    assert url == f"{server.url.replace('127.0.0.1', 'localhost')}/payloads/tenant/id"


def test_time_outs_and_attempts_bound_every_call() -> None:
    """What the promised bound is made of is what the clients are told; variables do not change it."""
    config: Any = RoleClients(REGION).client("dynamodb").meta.config

    assert config.connect_timeout == CONNECT_TIMEOUT_SECONDS
    assert config.read_timeout == READ_TIMEOUT_SECONDS
    assert config.retries == {"mode": "standard", "total_max_attempts": MAX_ATTEMPTS}
    # Two waits of at most 1 and 2 s, each up to 5 s longer where the service asks for it.
    assert MAX_ATTEMPTS * (CONNECT_TIMEOUT_SECONDS + READ_TIMEOUT_SECONDS) + 1 + 2 + 2 * 5 == WORST_CALL_SECONDS


def test_a_service_that_does_not_answer_is_given_up_on_in_time(aws: RecordingServer) -> None:
    """A black hole costs one read time-out per attempt, measured; the next attempt may succeed."""
    aws.script("ListQueues", Answer(delay=60), ok())
    client = RoleClients(REGION).client("sqs")
    start = time.monotonic()

    client.list_queues()

    assert READ_TIMEOUT_SECONDS <= time.monotonic() - start < 2 * READ_TIMEOUT_SECONDS
    assert len(aws.requests) == 2


def test_a_closed_path_is_given_up_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection is no reason to wait: all attempts end within the back-off of some milliseconds."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    client = RoleClients(REGION).client("sqs")
    start = time.monotonic()

    with pytest.raises(Exception, match="Could not connect to the endpoint URL"):
        client.list_queues()

    assert time.monotonic() - start < READ_TIMEOUT_SECONDS


@pytest.mark.parametrize(
    ("operation", "code", "status"),
    [
        ("PutItem", "UnrecognizedClientException", 400),
        ("PutItem", "ExpiredTokenException", 400),
        ("PutItem", "AccessDeniedException", 400),
        ("SendMessage", "InvalidClientTokenId", 403),
        ("SendMessage", "ExpiredToken", 403),
        ("SendMessage", "AccessDenied", 403),
        ("GetCallerIdentity", "InvalidClientTokenId", 403),
        ("GetCallerIdentity", "SignatureDoesNotMatch", 403),
        ("PUT payloads", "InvalidAccessKeyId", 403),
        ("PUT payloads", "ExpiredToken", 400),
        ("PUT payloads", "AccessDenied", 403),
    ],
)
def test_a_refused_signer_asks_once(operation: str, code: str, status: int, aws: RecordingServer) -> None:
    """The same bytes would sign the second request: it could only fail again, later."""
    aws.script(operation, fault(code, status=status))

    with pytest.raises(ClientError) as refusal:
        _CALLS[operation](RoleClients(REGION))

    assert refusal.value.response["Error"]["Code"] == code
    assert aws.operations == [operation]


@pytest.mark.parametrize(
    ("operation", "code", "status"),
    [
        ("PutItem", "ProvisionedThroughputExceededException", 400),
        ("PutItem", "InternalServerError", 500),
        ("SendMessage", "ServiceUnavailable", 503),
    ],
)
def test_a_passing_fault_is_tried_as_often_as_promised(
    operation: str, code: str, status: int, aws: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Throttles and the service's own faults are repeated, and not without end; variables do not change how often."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
    monkeypatch.setenv("AWS_RETRY_MODE", "legacy")
    aws.script(operation, fault(code, status=status))

    with pytest.raises(ClientError):
        _CALLS[operation](RoleClients(REGION))

    assert aws.operations == [operation] * MAX_ATTEMPTS


def test_a_dropped_connection_is_tried_as_often_as_promised(aws: RecordingServer) -> None:
    """An answer that got lost is asked for again."""
    aws.script("PutItem", DROPPED)

    with pytest.raises(Closed):
        _CALLS["PutItem"](RoleClients(REGION))

    assert aws.operations == ["PutItem"] * MAX_ATTEMPTS


def test_calls_share_a_connection(aws: RecordingServer) -> None:
    """Handshakes are paid for once per execution environment, not once per call."""
    clients = RoleClients(REGION)
    for _ in range(3):
        _CALLS["PutItem"](clients)

    assert len({request.connection for request in aws.requests}) == 1


def test_a_connection_that_the_service_closed_is_replaced(aws: RecordingServer) -> None:
    """A function that slept for minutes finds its connection closed, and opens another without failing."""
    aws.script("PutItem", Answer(body=b"{}", headers={"connection": "close"}))
    clients = RoleClients(REGION)
    for _ in range(2):
        _CALLS["PutItem"](clients)

    assert len({request.connection for request in aws.requests}) == 2
