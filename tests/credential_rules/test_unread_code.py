"""Code that nobody read is told: as a "cannot tell" where it was handed over, or an app deploys it, else in the summary."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from credential_rules import formats
from credential_rules.__main__ import main
from credential_rules.engine import check
from credential_rules.role_matches_code import RULE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from credential_rules.engine import Report

ELSEWHERE: Final = {
    "CodeUri: s3://code/app.zip, Runtime: python3.13": "its code is not part of the run",
    "CodeUri: !Ref Somewhere, Runtime: python3.13": "its code is not part of the run",
    "PackageType: Image, ImageUri: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1": "its code is a container image",
    "CodeUri: s3://code/app.zip, Runtime: nodejs24.x": "the runtime is nodejs24.x, and only Python is read",
    "CodeUri: src/, Runtime: nodejs24.x": "the runtime is nodejs24.x, and only Python is read",
}


@pytest.fixture
def judged(tmp_path: Path) -> Callable[..., Report]:
    """What the rule says of functions with these properties, beside a folder with files of these names."""

    def run(*functions: str, files: dict[str, str] | None = None) -> Report:
        for name, text in (files or {}).items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        template = tmp_path / "template.yaml"
        resources = "\n".join(
            f"  Hello{number}: {{Type: AWS::Serverless::Function, Properties: {{{properties}, Handler: app.handler}}}}"
            for number, properties in enumerate(functions)
        )
        template.write_text(f"Parameters: {{Somewhere: {{Type: String}}}}\nResources:\n{resources}\n", encoding="utf-8")
        return check([template], [RULE])

    return run


@pytest.mark.parametrize(
    "files",
    [{"src/handler.js": ""}, {"src/requirements.txt": "boto3\n"}, {"src/.hidden/app.py": ""}],
    ids=["another language", "nothing built", "hidden"],
)
def test_a_folder_without_python_is_no_pass(files: dict[str, str], judged: Callable[..., Report]) -> None:
    """A Python function whose folder holds no Python file: its code is somewhere else, or the path is wrong."""
    report = judged("CodeUri: src/, Runtime: python3.13", files=files)
    (found,) = report.findings
    assert found.severity == "cannot-tell"
    assert "its code, in src, holds no Python file" in found.message
    assert found.resource == "Hello0"
    assert "AwsOperations" in found.fix
    assert report.unread == []


def test_a_module_that_cannot_be_read_is_named_beside_it(judged: Callable[..., Report]) -> None:
    """The error says which file; the role is not compared, and that is said as well."""
    report = judged("CodeUri: src/, Runtime: python3.13", files={"src/app.py": "def f(:\n"})
    assert ["app.py" in file for file in report.errors] == [True]
    assert [found.severity for found in report.findings] == ["cannot-tell"]


@pytest.mark.parametrize("properties", ELSEWHERE)
def test_code_elsewhere_is_no_finding_in_a_template_and_is_told_in_the_summary(
    properties: str, judged: Callable[..., Report]
) -> None:
    """Nobody who hands over a template alone can mend that; nobody should take it for a comparison either."""
    report = judged(properties, files={"src/handler.js": ""})
    assert report.findings == []
    assert [(one.resource, one.reason) for one in report.unread] == [("Hello0", ELSEWHERE[properties])]
    for style in (formats.as_text, formats.as_markdown):
        assert f"The code of 1 function was not read: 'Hello0' ({ELSEWHERE[properties]})" in style(
            report, [RULE]
        ).replace("\\", "")


def test_a_summary_names_a_few_and_counts_the_rest(judged: Callable[..., Report]) -> None:
    """A template of a hundred functions has one line of summary."""
    text = formats.as_text(judged(*["CodeUri: s3://code/app.zip, Runtime: python3.13"] * 9), [RULE])
    assert (
        "The code of 9 functions was not read: 'Hello0', 'Hello1', 'Hello2' (its code is not part of the run) and 6 more"
        in text
    )


def test_what_was_told_of_a_function_is_as_good_as_its_code(tmp_path: Path) -> None:
    """`AwsOperations` in its metadata: nothing is left unread."""
    template = tmp_path / "t.yaml"
    template.write_text(
        "Resources: {Hello: {Type: AWS::Serverless::Function, Metadata: {AwsOperations: ['sts:GetCallerIdentity']},"
        " Properties: {PackageType: Image, ImageUri: app:1}}}"
    )
    report = check([template], [RULE])
    assert report.findings == []
    assert report.unread == []


def test_every_format_tells_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON lists the functions, SARIF notes them, and neither changes the exit status."""
    template = tmp_path / "t.yaml"
    template.write_text(
        "Resources: {Hello: {Type: AWS::Serverless::Function, Properties: {PackageType: Image, ImageUri: app:1}}}"
    )
    assert main(["check", str(template), "--format", "json"]) == 0
    checked = json.loads(capsys.readouterr().out)["checked"]
    assert checked == {
        "files": 1,
        "resources": 1,
        "unread": [{"file": str(template), "resource": "Hello", "reason": "its code is a container image"}],
    }
    assert main(["check", str(template), "--format", "sarif"]) == 0
    (invocation,) = json.loads(capsys.readouterr().out)["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is True
    (note,) = invocation["toolExecutionNotifications"]
    assert note["level"] == "note"
    assert "'Hello'" in note["message"]["text"]
    assert main(["check", str(template), "--format", "junit"]) == 0
    assert "&#x27;Hello&#x27;" in capsys.readouterr().out


def test_an_app_that_deploys_code_from_elsewhere_is_warned_on_its_construct(
    synthesise: Callable[..., dict[str, Any]],
) -> None:
    """Code in a bucket, an image: synth does not fail, and an acknowledgement says why it is fine."""

    def fill(app: Any) -> None:  # noqa: ANN401 (jsii)
        import aws_cdk as cdk  # noqa: PLC0415 (starts Node)
        from aws_cdk import aws_lambda, aws_s3  # noqa: PLC0415 (starts Node)

        stack = cdk.Stack(app, "Main")
        aws_lambda.Function(
            stack,
            "Bucket",
            runtime=aws_lambda.Runtime.PYTHON_3_14,
            handler="app.handler",
            code=aws_lambda.Code.from_bucket(aws_s3.Bucket.from_bucket_name(stack, "Code", "code"), "app.zip"),
        )
        nested = cdk.NestedStack(stack, "Nested")
        aws_lambda.CfnFunction(
            nested,
            "Image",
            code=aws_lambda.CfnFunction.CodeProperty(image_uri="123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1"),
            package_type="Image",
            role="arn:aws:iam::123456789012:role/app",
        )

    report = synthesise(fill, rules=[RULE])
    assert not report["failed"]
    said = {
        construct["constructPath"]: (violation["severity"], violation["description"])
        for violation in report["violations"]
        for construct in violation["violatingConstructs"]
    }
    assert {severity for severity, _ in said.values()} == {"warning"}
    assert "its code is not part of the run" in said["Main/Bucket/Resource"][1]
    assert "its code is a container image" in said["Main/Nested/Image"][1]
