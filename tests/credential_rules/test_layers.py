"""The code in a layer of the run is the function's code too: what it calls is compared, and it is checked itself."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any, Final

import pytest

from credential_rules.code_calls import operations_of
from credential_rules.engine import check, read
from credential_rules.index import Index
from credential_rules.registry import all_rules
from credential_rules.role_matches_code import RULE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from credential_rules.code_calls import CodeCalls

HANDLER: Final = """from common import queue
from common.stores import Table
def handler(event, context):
    queue.send(event)
    Table().put(event)
"""
QUEUE: Final = """import boto3, os
def send(body): boto3.client('sqs').send_message(QueueUrl=os.environ['Q'], MessageBody=body)
"""
STORES: Final = """import boto3, os
class Table:
    def __init__(self): self.table = boto3.resource('dynamodb').Table(os.environ['T'])
    def put(self, item): self.table.put_item(Item=item)
"""
LAYER: Final = {
    "layer/python/common/__init__.py": "",
    "layer/python/common/queue.py": QUEUE,
    "layer/python/common/stores.py": STORES,
}
TEMPLATE: Final = """
Resources:
  Common: {{Type: AWS::Serverless::LayerVersion, Properties: {{ContentUri: {content}}}}}
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: app.handler
      CodeUri: src
      Layers: {layers}
"""


@pytest.fixture
def calls(tmp_path: Path) -> Callable[..., CodeCalls]:
    """What a function calls whose code and layer hold these files."""

    def gather(files: dict[str, str], layers: str = "[!Ref Common]", content: str = "layer") -> CodeCalls:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        template = tmp_path / "template.yaml"
        template.write_text(TEMPLATE.format(layers=layers, content=content), encoding="utf-8")
        target = read([template])
        assert target.errors == {}
        index = Index(target.templates, target.sources)
        (function,) = index.functions.values()
        return operations_of(index, function)

    return gather


def told(found: CodeCalls) -> set[str]:
    """Each call with its place and what it is on."""
    return {
        f"{call.path}:{call.line} {call.operation} {' '.join(one.text for one in call.resources)}"
        for call in found.calls
    }


EXPECTED: Final = {"common/queue.py:2 SendMessage Q", "common/stores.py:4 PutItem T"}


def test_calls_in_a_layer_are_the_functions_own(calls: Callable[..., CodeCalls]) -> None:
    """With the file within the layer, the line, and the variable of the function."""
    found = calls({"src/app.py": HANDLER, **LAYER})
    assert told(found) == EXPECTED
    assert found.is_complete


def test_a_layer_in_an_archive_is_read_as_a_folder_is(calls: Callable[..., CodeCalls], tmp_path: Path) -> None:
    """What a build wrote is what is judged."""
    with zipfile.ZipFile(tmp_path / "layer.zip", "w") as archive:
        for name, text in LAYER.items():
            archive.writestr(name.removeprefix("layer/"), text)
    found = calls({"src/app.py": HANDLER}, content="layer.zip")
    assert told(found) == EXPECTED
    assert found.is_complete


def test_sources_that_sam_builds_into_a_layer_lie_at_its_top(tmp_path: Path) -> None:
    """`BuildMethod`: the folder `python` is made by the build."""
    for name, text in {"src/app.py": HANDLER, **LAYER}.items():
        file = tmp_path / name.replace("/python", "")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    template = TEMPLATE.format(layers="[!Ref Common]", content="layer")
    (tmp_path / "template.yaml").write_text(
        template.replace("LayerVersion,", "LayerVersion, Metadata: {BuildMethod: python3.13},")
    )
    target = read([tmp_path / "template.yaml"])
    index = Index(target.templates, target.sources)
    (function,) = index.functions.values()
    assert told(operations_of(index, function)) == EXPECTED


def test_the_functions_own_module_goes_before_the_layers(calls: Callable[..., CodeCalls]) -> None:
    """As in Lambda: the function's folder comes first on the path."""
    own = "def send(body): return body\n"
    code = "import queueing\ndef handler(event, context): queueing.send(event)\n"
    layer = {"layer/python/queueing.py": QUEUE}
    assert told(calls({"src/app.py": code, **layer})) == {"queueing.py:2 SendMessage Q"}
    assert told(calls({"src/app.py": code, "src/queueing.py": own, **layer})) == set()


def test_what_lies_beside_python_in_a_layer_is_no_module(calls: Callable[..., CodeCalls]) -> None:
    """Only `python` is on the path; an import of the rest is told, as before."""
    found = calls({"src/app.py": HANDLER, **{name.replace("/python", ""): text for name, text in LAYER.items()}})
    assert told(found) == set()
    assert {unknown.line for unknown in found.unknown} == {1, 2}


@pytest.mark.parametrize("at", ["python", "python/lib/python3.13/site-packages"])
def test_packages_that_were_installed_into_a_layer_are_judged_as_those_in_the_code(
    at: str, calls: Callable[..., CodeCalls]
) -> None:
    """Other people's code is not followed: if it uses the SDK, that is told; if it does not, there is nothing to tell."""
    files = {
        "src/app.py": "import acme_store, acme_text\ndef handler(event, context): return acme_text.plain(event)\n",
        f"layer/{at}/acme_store/__init__.py": "import boto3\ndef save(): boto3.client('s3').list_buckets()\n",
        f"layer/{at}/acme_text/__init__.py": "def plain(text): return text\n",
        f"layer/{at}/acme-1.0.dist-info/RECORD": "acme_store/__init__.py,,\nacme_text/__init__.py,,\n",
    }
    found = calls(files)
    assert found.calls == ()
    assert [unknown.reason for unknown in found.unknown] == [
        "'acme_store' uses the SDK by itself, and what it calls is not read"
    ]


@pytest.mark.parametrize(
    "layers",
    [
        "['arn:aws:lambda:eu-west-1:123456789012:layer:other:1']",
        "[!Ref Common, 'arn:aws:lambda:eu-west-1:1:layer:other:1']",
    ],
)
def test_what_no_layer_of_the_run_holds_is_told(layers: str, calls: Callable[..., CodeCalls]) -> None:
    """A layer that is elsewhere may hold anything."""
    found = calls({"src/app.py": "import elsewhere\ndef handler(event, context): elsewhere.do()\n", **LAYER}, layers)
    assert [unknown.reason for unknown in found.unknown] == [
        "'elsewhere' is not among the code: what it calls is not known"
    ]


def test_functions_that_share_code_and_have_different_layers_are_told_apart(tmp_path: Path) -> None:
    """The same module imports one thing here and another there."""
    for name, operation in (("one", "send_message"), ("two", "purge_queue")):
        folder = tmp_path / name / "python"
        folder.mkdir(parents=True)
        (folder / "queueing.py").write_text(f"import boto3\ndef do(): boto3.client('sqs').{operation}(QueueUrl='q')\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text("import queueing\ndef handler(event, context): queueing.do()\n")
    resources = "\n".join(
        f"  Layer{name}: {{Type: AWS::Serverless::LayerVersion, Properties: {{ContentUri: {name}}}}}\n"
        f"  Function{name}: {{Type: AWS::Serverless::Function, Properties: {{Runtime: python3.13, Handler: app.handler,"
        f" CodeUri: src, Layers: [!Ref Layer{name}]}}}}"
        for name in ("one", "two")
    )
    (tmp_path / "template.yaml").write_text(f"Resources:\n{resources}\n")
    target = read([tmp_path / "template.yaml"])
    index = Index(target.templates, target.sources)
    assert [
        [call.operation for call in operations_of(index, function).calls] for function in index.functions.values()
    ] == [["SendMessage"], ["PurgeQueue"]]


def test_a_layers_own_code_is_checked_once_and_found_on_the_layer(tmp_path: Path) -> None:
    """However many functions use it."""
    (tmp_path / "layer" / "python").mkdir(parents=True)
    (tmp_path / "layer" / "python" / "keys.py").write_text("KEY = 'AKIAIOSFODNN7EXAMPLE'\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text("def handler(event, context): pass\n")
    template = TEMPLATE.format(layers="[!Ref Common]", content="layer")
    function = template.partition("  Function:")[2]
    (tmp_path / "template.yaml").write_text(f"{template}  Second:{function}")
    found = [
        one
        for one in check([tmp_path / "template.yaml"], all_rules()).findings
        if one.rule == "code-holds-no-credentials"
    ]
    assert [(one.resource, one.location.rpartition("/")[2]) for one in found] == [("Common", "keys.py:1")]


def test_a_layer_of_an_app_is_found_by_its_asset(synthesise: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    """What the layer's code calls and nobody granted does not synthesise, named by the layer's file."""
    for name, text in LAYER.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text(HANDLER)

    def fill(app: Any) -> None:  # noqa: ANN401 (jsii)
        import aws_cdk as cdk  # noqa: PLC0415 (starts Node)
        from aws_cdk import aws_lambda, aws_sqs  # noqa: PLC0415 (starts Node)

        stack = cdk.Stack(app, "Main")
        queue = aws_sqs.Queue(stack, "Queue")
        layer = aws_lambda.LayerVersion(stack, "Common", code=aws_lambda.Code.from_asset(str(tmp_path / "layer")))
        function = aws_lambda.Function(
            stack,
            "Function",
            runtime=aws_lambda.Runtime.PYTHON_3_14,
            handler="app.handler",
            code=aws_lambda.Code.from_asset(str(tmp_path / "src")),
            layers=[layer],
            environment={"Q": queue.queue_url, "T": "orders"},
        )
        queue.grant_send_messages(function)

    report = synthesise(fill, rules=[RULE])
    (violation,) = report["violations"]
    assert "needs dynamodb:PutItem on 'orders' (common/stores.py:4 PutItem on T)" in violation["description"]
    assert violation["severity"] == "error"
