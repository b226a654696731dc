"""What each function is for, run end to end on the deployed application, and what is seen of it from outside."""

from __future__ import annotations

import http.server
import json
import re
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from event_api import api_keys, event_store, events
from event_api.role_clients import FailureKind
from local_aws.journey import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from local_aws.cloud import Cloud
    from local_aws.outputs import Outputs

PATIENCE_SECONDS = 30
SMALL = {"type": "proof.small", "data": {"size": "small"}}
LARGE = {"type": "proof.large", "data": {"size": "x" * 20_000}}
"""Larger than what is kept in the table: its payload goes to the bucket."""

_DENIED_ACTION = re.compile(r"is not authorized to perform: (?P<action>[\w-]+:\w+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a scenario came to.

    Attributes:
        seen: Each step, with what its caller saw.
        failed: The steps that did not do what they are for.
        denied: The actions, in lower case, that the function says it was denied: a failure classified as such.
        otherwise: What it says of failures of any other kind.
    """

    seen: Mapping[str, str]
    failed: tuple[str, ...]
    denied: frozenset[str]
    otherwise: tuple[str, ...]


class Application:
    """The deployed application, and the scenario of each of its functions.

    Args:
        cloud: The operator's.
        outputs: How clients reach it.
        data: The outputs of the data stack.
    """

    def __init__(self, cloud: Cloud, outputs: Outputs, data: Mapping[str, str]) -> None:
        self._cloud = cloud
        self._outputs = outputs
        self._client = Client(outputs.api_url, outputs.ca_bundle, outputs.api_key)
        self._events, self._keys, self._queue = (
            data["EventsTableName"],
            data["ApiKeysTableName"],
            data["EventQueueUrl"],
        )
        self._stored = {step: self._accepted(event) for step, event in (("small", SMALL), ("large", LARGE))}
        self.scenarios: Mapping[str, Callable[[], Outcome]] = {
            "api": self._api,
            "authorizer": self._authorizer,
            "worker": self._worker,
            "sweeper": self._sweeper,
            "prefix-lists": self._prefix_lists,
            "default-group": self._default_group,
        }
        """By the function's name."""

    def _api(self) -> Outcome:
        """Send a small and a large event, read both kinds back, ask whether all is ready."""
        begin = _now()
        answers = {
            "POST small": (self._client.request("POST", "/v1/events", SMALL), 202),
            "POST large": (self._client.request("POST", "/v1/events", LARGE), 202),
            "GET small": (self._client.request("GET", f"/v1/events/{self._stored['small']}"), 200),
            "GET large": (self._client.request("GET", f"/v1/events/{self._stored['large']}"), 200),
            "ready": (self._client.request("GET", "/v1/ready"), 200),
        }
        seen = {step: str(answer.status) for step, (answer, _) in answers.items()}
        wrong = tuple(step for step, (answer, expected) in answers.items() if answer.status != expected)
        return self._outcome("api", begin, seen, wrong)

    def _authorizer(self) -> Outcome:
        """Come with a key that nobody has come with before: the API remembers its decision on any other."""
        begin = _now()
        minted = api_keys.mint("proof", datetime.now(UTC))
        self._cloud.put_item(self._keys, minted.item)
        try:
            client = Client(self._outputs.api_url, self._outputs.ca_bundle, minted.api_key)
            answer = client.request("GET", f"/v1/events/{events.new_event_id()}")
        finally:
            self._cloud.call("dynamodb", "DeleteItem", TableName=self._keys, Key={"key_id": minted.item["key_id"]})
        # 404: the key is good, and its tenant has no such event.
        wrong = () if answer.status == 404 else ("GET with a new key",)
        return self._outcome("authorizer", begin, {"GET with a new key": str(answer.status)}, wrong)

    def _worker(self) -> Outcome:
        """Send an event and wait until the worker, told by the queue, has made it available or says why not."""
        begin = _now()
        event_id = self._accepted(SMALL)
        return self._becomes_available("worker", begin, self._outputs.tenant, event_id)

    def _sweeper(self) -> Outcome:
        """Lay an event into the table as if its message had got lost, sweep, and wait until it is available."""
        begin = _now()
        event_id = events.new_event_id()
        self._put_lost(event_id)
        swept = self._cloud.invoke("rolebound-dev-sweeper", {})
        step = "sweep"
        outcome = self._becomes_available("sweeper", begin, self._outputs.tenant, event_id, unless=swept.failed)
        if not swept.failed:
            return outcome
        return Outcome({step: str(swept.payload.get("errorType"))}, (step,), outcome.denied, outcome.otherwise)

    def _prefix_lists(self) -> Outcome:
        """Ask for a prefix list that there is."""
        answer = self._create("prefix-lists", {"Names": [f"com.amazonaws.{self._outputs.region}.s3"]})
        return _told(answer, done=answer["Data"].get("s3", "").startswith("pl-"))

    def _default_group(self) -> Outcome:
        """Open the default group again in both directions, and have it emptied."""
        (vpc,) = self._cloud.call("ec2", "DescribeVpcs", Filters=[{"Name": "tag:project", "Values": ["rolebound"]}])[
            "Vpcs"
        ]
        mine = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
        (group,) = self._cloud.call("ec2", "DescribeSecurityGroups", Filters=mine)["SecurityGroups"]
        rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/20"}]}
        for direction, rules in (("Ingress", group["IpPermissions"]), ("Egress", group["IpPermissionsEgress"])):
            if not rules:
                self._cloud.call(
                    "ec2", f"AuthorizeSecurityGroup{direction}", GroupId=group["GroupId"], IpPermissions=[rule]
                )
        answer = self._create("default-group", {"GroupId": group["GroupId"]})
        (left,) = self._cloud.call("ec2", "DescribeSecurityGroups", Filters=mine)["SecurityGroups"]
        return _told(answer, done=not left["IpPermissions"] and not left["IpPermissionsEgress"])

    def _create(self, function: str, properties: Mapping[str, object]) -> dict[str, Any]:
        """Ask as CloudFormation does, and listen for the answer where the request says."""
        request = {
            "RequestType": "Create",
            "StackId": "proof",
            "RequestId": "proof",
            "LogicalResourceId": "proof",
            "ResourceProperties": properties,
        }
        with _listening() as (url, answers):
            self._cloud.invoke(f"rolebound-dev-{function}", {**request, "ResponseURL": url})
        (answer,) = answers
        return answer

    def _becomes_available(
        self, function: str, begin: int, tenant: str, event_id: str, *, unless: bool = False
    ) -> Outcome:
        """Wait until an event is available, or the function has told of a failure."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            item = self._cloud.get_item(self._events, {"tenant_id": {"S": tenant}, "event_id": {"S": event_id}})
            status = item["status"]["S"] if item else "gone"
            outcome = self._outcome(function, begin, {"event": status}, () if status == "available" else ("event",))
            if status == "available" or unless or outcome.denied or time.monotonic() > deadline:
                return outcome
            time.sleep(0.1)

    def _outcome(self, function: str, begin: int, seen: Mapping[str, str], failed: tuple[str, ...]) -> Outcome:
        denied: list[str] = []
        otherwise: list[str] = []
        for line in self._cloud.log_of(f"/aws/lambda/rolebound-dev-{function}", since=begin):
            told = _json(line.text)
            if told.get("failure") == FailureKind.DENIED:
                denied.append(str(told["message"]))
            elif "failure" in told or told.get("level") in {"ERROR", "CRITICAL"}:
                otherwise.append(line.text)
        return Outcome(seen, failed, _denied_actions(denied), tuple(otherwise))

    def _accepted(self, event: Mapping[str, object]) -> str:
        answer = self._client.request("POST", "/v1/events", event)
        assert answer.status == 202, answer
        return str(answer.body["id"])

    def _put_lost(self, event_id: str) -> None:
        """What the API function had stored when the queue did not get its message, long enough ago."""
        long_ago = datetime.now(UTC) - timedelta(days=1)
        reference = events.EventReference(tenant_id=self._outputs.tenant, event_id=event_id)
        self._cloud.put_item(
            self._events,
            {
                "tenant_id": {"S": reference.tenant_id},
                "event_id": {"S": event_id},
                "type": {"S": "proof.lost"},
                "data": {"B": b"{}"},
                "status": {"S": events.Status.ACCEPTED.value},
                "accepted_at": {"S": events.timestamp(long_ago)},
                "request_id": {"S": "proof"},
                "pending": {"S": event_store._shard(reference)},
                "resend_at": {"S": events.timestamp(long_ago)},
                "resends": {"N": "0"},
                "expires_at": {"N": str(int(time.time()) + 3600)},
            },
        )


def _told(answer: Mapping[str, Any], *, done: bool) -> Outcome:
    """What a custom resource's answer comes to. It has no other log: its reason begins with the error's code."""
    succeeded = answer["Status"] == "SUCCESS" and done
    reason = str(answer.get("Reason", ""))
    denied = reason.startswith("UnauthorizedOperation: ")
    return Outcome(
        seen={"Create": answer["Status"]},
        failed=() if succeeded else ("Create",),
        denied=_denied_actions([reason]) if denied else frozenset(),
        otherwise=() if succeeded or denied else (reason,),
    )


def _now() -> int:
    return int(time.time() * 1000)


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _denied_actions(messages: list[str]) -> frozenset[str]:
    """The actions that these messages name as denied. SQS writes them in lower case, so all are."""
    return frozenset(found["action"].lower() for message in messages for found in _DENIED_ACTION.finditer(message))


@contextmanager
def _listening() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server on this machine that keeps what is PUT there, and its address."""
    answers: list[dict[str, Any]] = []

    class Keep(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            answers.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Keep) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", answers
        finally:
            server.shutdown()
            thread.join()
