"""Which operations a function's code can call: exactly those that are reached from its handler, whoever wraps what."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Final

import pytest

from credential_rules.code_calls import CodeCalls, operations_of
from credential_rules.engine import read
from credential_rules.index import Index
from stacks.dependency_layer import ROOT
from tests.credential_rules.handlers import HANDLERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.credential_rules.handlers import Handler

OURS: Final = {
    "api": {
        "dynamodb PutItem EVENTS_TABLE",
        "dynamodb GetItem EVENTS_TABLE",
        "s3 PutObject PAYLOAD_BUCKET",
        "s3 GetObject PAYLOAD_BUCKET",
        "sqs SendMessage EVENT_QUEUE_URL",
        "sqs GetQueueAttributes EVENT_QUEUE_URL",
        "sts GetCallerIdentity",
    },
    "authorizer": {"dynamodb GetItem API_KEYS_TABLE"},
    "worker": {"dynamodb UpdateItem EVENTS_TABLE"},
    "sweeper": {
        "dynamodb Query EVENTS_TABLE/pending",
        "dynamodb UpdateItem EVENTS_TABLE",
        "sqs SendMessage EVENT_QUEUE_URL",
    },
    "prefix_lists": {"ec2 DescribeManagedPrefixLists"},
    "default_group": {
        "ec2 DescribeSecurityGroups",
        "ec2 RevokeSecurityGroupIngress",
        "ec2 RevokeSecurityGroupEgress",
    },
}
"""What each of our functions calls, and on what."""


@pytest.fixture
def calls(tmp_path: Path) -> Callable[..., CodeCalls]:
    """What the code in some files calls, read as the command reads it: a template with the folder of the code."""

    def judge(
        files: dict[str, str] | str, handler: str = "app.handler", more: str = "", folder: Path | None = None
    ) -> CodeCalls:
        source = folder or tmp_path / "src"
        for name, text in ({"app.py": files} if isinstance(files, str) else files).items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_text(text, encoding="utf-8")
        template = tmp_path / "template.yaml"
        template.write_text(
            f"""
Transform: AWS::Serverless-2016-10-31
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: {handler}
      CodeUri: {source}
{more}
""",
            encoding="utf-8",
        )
        target = read([template])
        assert target.errors == {}
        index = Index(target.templates, target.sources)
        (function,) = index.functions.values()
        return operations_of(index, function)

    return judge


def told(found: CodeCalls) -> set[str]:
    """The calls as text: service, operation and, where it is known, what it goes to."""
    return {
        " ".join([call.service, call.operation, *("/".join([one.text, *call.index]) for one in call.resources)])
        for call in found.calls
    }


@pytest.mark.parametrize("entry", OURS)
def test_our_own_functions_come_out_exactly(entry: str, calls: Callable[..., CodeCalls]) -> None:
    """They share one asset and one factory of clients: only what is reached from the entry counts, each on its resource."""
    found = calls({}, f"event_api.{entry}.handler", folder=ROOT / "lambda_src")
    assert told(found) == OURS[entry]
    assert found.unknown == ()
    assert found.is_complete


def test_a_call_has_the_line_of_its_method(calls: Callable[..., CodeCalls]) -> None:
    """Also in a chain over several lines: a person who follows it lands on the operation's name."""
    found = calls({}, "event_api.api.handler", folder=ROOT / "lambda_src")
    for call in found.calls:
        line = (ROOT / "lambda_src" / call.path).read_text(encoding="utf-8").splitlines()[call.line - 1]
        assert call.operation.lower() in line.replace("_", "").lower()


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda one: one.name)
def test_handlers_in_every_style_come_out_exactly(handler: Handler, calls: Callable[..., CodeCalls]) -> None:
    """No call is missed, none is made up, each goes where the code says, and what is not understood is said."""
    entry = "app.main.handler" if isinstance(handler.code, dict) and "app/main.py" in handler.code else "app.handler"
    found = calls(handler.code, entry)
    assert told(found) == handler.expected
    assert found.mistaught == ()
    assert len(found.unknown) == len(handler.unknown), found.unknown
    for reason in handler.unknown:
        assert any(reason in unknown.reason for unknown in found.unknown)
        assert all(unknown.line and unknown.teach for unknown in found.unknown)


def test_an_installed_package_that_uses_the_sdk_is_told_and_another_is_not(calls: Callable[..., CodeCalls]) -> None:
    """What was installed into the asset is not read as code of the function; that it has clients of its own is seen."""
    files = {
        "app.py": "import acme_store\nimport acme_text\ndef handler(event, context): return acme_store.save(acme_text.plain(event))\n",
        "acme_store/__init__.py": "import boto3\ndef save(item): boto3.client('s3').put_object(Bucket='b', Key='k')\n",
        "acme_text/__init__.py": "def plain(text): return text\n",
        "acme-1.0.dist-info/RECORD": "acme_store/__init__.py,,\nacme_text/__init__.py,,\n",
    }
    found = calls(files)
    assert found.calls == ()
    assert [unknown.reason for unknown in found.unknown] == [
        "'acme_store' uses the SDK by itself, and what it calls is not read"
    ]


def test_code_in_an_archive_is_read_as_in_a_folder(calls: Callable[..., CodeCalls], tmp_path: Path) -> None:
    """What a build wrote is what is judged, over all modules in it."""
    archive = tmp_path / "code.zip"
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("app.py", "from shop import queue\ndef handler(event, context): queue.send(event)\n")
        written.writestr("shop/__init__.py", "")
        written.writestr(
            "shop/queue.py",
            "import boto3, os\ndef send(body): boto3.client('sqs').send_message(QueueUrl=os.environ['Q'], MessageBody=body)\n",
        )
    found = calls({}, folder=archive)
    assert told(found) == {"sqs SendMessage Q"}
    assert [(call.path, call.line) for call in found.calls] == [("shop/queue.py", 2)]
