"""The command keeps its contract: what it prints, in which format, and its exit status."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from credential_rules import formats
from credential_rules.__main__ import _FORMATS, main
from credential_rules.engine import check
from credential_rules.registry import all_rules

BAD = "Resources:\n  Deployer:\n    Type: AWS::IAM::User\n"
GOOD = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
CODE = f'import boto3\nboto3.client("sqs", aws_secret_access_key="{SECRET}")\n'


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a good, a bad and a broken template, and bad source."""
    (tmp_path / "bad.yaml").write_text(BAD)
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "broken.yaml").write_text("Resources: [")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("paths", "status"),
    [
        (["good.yaml"], 0),
        (["bad.yaml"], 1),
        (["good.yaml", "bad.yaml"], 1),
        (["broken.yaml"], 2),
        (["bad.yaml", "broken.yaml"], 2),
        (["missing.yaml"], 2),
        (["src"], 1),
        (["src/app.py"], 1),
    ],
)
def test_exit_status(paths: list[str], status: int) -> None:
    """0 nothing found, 1 findings, 2 something could not be read."""
    assert main(["check", *paths]) == status


def test_wrong_usage_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown format is wrong usage, and says which there are."""
    with pytest.raises(SystemExit) as stopped:
        main(["check", "x", "--format", "csv"])
    assert stopped.value.code == 2
    assert "sarif" in capsys.readouterr().err


@pytest.mark.usefixtures("files")
def test_json_has_the_documented_shape(capsys: pytest.CaptureFixture[str]) -> None:
    """Exactly the keys of the contract; source is `path:line`; an unreadable file is named."""
    main(["check", "bad.yaml", "src", "broken.yaml", "--format", "json"])
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {"findings", "checked", "errors"}
    assert answer["checked"] == {"files": 2, "resources": 1, "unread": []}
    assert [error["file"] for error in answer["errors"]] == ["broken.yaml"]
    assert set(answer["errors"][0]) == {"file", "message"}
    by_rule = {found["rule"]: found for found in answer["findings"]}
    assert set(by_rule["no-iam-users"]) == {"rule", "severity", "file", "resource", "location", "message", "fix"}
    assert by_rule["no-iam-users"]["resource"] == "Deployer"
    assert by_rule["no-iam-users"]["severity"] == "error"
    assert by_rule["code-holds-no-credentials"]["resource"] == str(Path("src/app.py")) + ":2"


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("style", _FORMATS)
def test_no_format_prints_a_secret(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A report goes to logs and pull requests."""
    assert main(["check", "src", "--format", style]) == 1
    answer = capsys.readouterr().out
    assert "code-holds-no-credentials" in answer
    assert SECRET[:8] not in answer


def test_formats_offered_are_those_written() -> None:
    """The list in the parser, which starts quickly, and the writers are the same."""
    assert tuple(formats.FORMATS) == _FORMATS


@pytest.mark.usefixtures("files")
def test_sarif_names_rule_file_and_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What code scanning needs: version 2.1.0, results with region, unreadable files as notifications."""
    main(["check", "bad.yaml", "broken.yaml", "--format", "sarif"])
    answer = json.loads(capsys.readouterr().out)
    (run,) = answer["runs"]
    (result,) = [result for result in run["results"] if result["ruleId"] == "no-iam-users"]
    assert answer["version"] == "2.1.0"
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "no-iam-users"
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "bad.yaml"},
        "region": {"startLine": 2},
    }
    assert run["invocations"][0]["executionSuccessful"] is False


@pytest.mark.usefixtures("files")
def test_junit_counts_failures_and_errors(capsys: pytest.CaptureFixture[str]) -> None:
    """A CI shows a failed test per finding, an error per unreadable file, a passed test when all is well."""
    main(["check", "bad.yaml", "broken.yaml", "--format", "junit"])
    suite = ET.fromstring(capsys.readouterr().out)[0]  # noqa: S314 (our own output)
    assert suite.attrib["errors"] == "1"
    assert int(suite.attrib["failures"]) >= 1
    main(["check", "good.yaml", "--format", "junit"])
    suite = ET.fromstring(capsys.readouterr().out)[0]  # noqa: S314 (as above)
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("1", "0")


def test_names_in_templates_steer_no_output(tmp_path: Path) -> None:
    """A logical id is somebody's text: it neither colours terminals, nor ends table cells, nor breaks XML."""
    file = tmp_path / "t.json"
    file.write_text(json.dumps({"Resources": {"A|<b>\x1b[31m\x01": {"Type": "AWS::IAM::User"}}}))
    report = check([file], all_rules())
    assert "\x1b" not in formats.as_text(report, all_rules())
    assert "\\|\\<b\\>" in formats.as_markdown(report, all_rules())
    ET.fromstring(formats.as_junit(report, all_rules()))  # noqa: S314 (our own output)


@pytest.mark.usefixtures("files")
def test_text_has_rule_place_and_remedy_and_no_colour_in_a_pipe() -> None:
    """People see what, where and what to do; logs hold no escape codes."""
    run = subprocess.run(
        [sys.executable, "-m", "credential_rules", "check", "bad.yaml"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": ""},
    )
    assert run.returncode == 1
    assert "error no-iam-users Deployer (line 2)" in run.stdout
    assert "→" in run.stdout
    assert "\x1b" not in run.stdout
    assert run.stderr == ""


@pytest.mark.usefixtures("files")
def test_commit_hook_passes_over_other_files(tmp_path: Path) -> None:
    """A hook hands over every YAML file of a commit; only templates are judged."""
    (tmp_path / "compose.yaml").write_text("services: {web: {image: nginx}}")
    assert main(["check", "--skip-other-files", "compose.yaml", "good.yaml"]) == 0
    assert main(["check", "compose.yaml"]) == 2


def test_folder_gives_source_and_templates_but_not_what_was_installed(tmp_path: Path) -> None:
    """A project's folder: its code and templates; not its environments, hidden folders or vendored packages."""
    for folder in (".venv", "venv", "node_modules", "boto3", "vendored", "vendored-1.dist-info"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.py").write_text(CODE)
    (tmp_path / "vendored-1.dist-info" / "RECORD").write_text("vendored/x.py,sha256=x,1\n")
    (tmp_path / "app.py").write_text(CODE)
    (tmp_path / "template.yaml").write_text(BAD)
    (tmp_path / "compose.yaml").write_text("services: {}")
    report = check([tmp_path], all_rules())
    assert report.errors == {}
    assert {Path(found.file).name for found in report.findings} == {"app.py", "template.yaml"}


def test_folder_with_nothing_to_check_is_an_error(tmp_path: Path) -> None:
    """A wrong path must not look like a pass."""
    report = check([tmp_path], all_rules())
    assert "Nothing in it was checked" in report.errors[str(tmp_path)]


def test_source_of_a_sam_function_is_found_beside_its_template(tmp_path: Path) -> None:
    """`CodeUri` is relative to the template; a zip archive works too; the finding is on the function."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text(CODE)
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        archive.writestr("inner.py", CODE)
    (tmp_path / "t.yaml").write_text("""
Transform: AWS::Serverless-2016-10-31
Resources:
  A: {Type: AWS::Serverless::Function, Properties: {CodeUri: src/, Runtime: python3.13, Handler: app.h}}
  B: {Type: AWS::Serverless::Function, Properties: {CodeUri: code.zip, Runtime: python3.13, Handler: inner.h}}
  C: {Type: AWS::Lambda::Function, Properties: {Runtime: python3.13, Handler: index.h, Code: {ZipFile: "KEY = 'AKIAIOSFODNN7EXAMPLE'"}}}
""")
    found = [f for f in check([tmp_path / "t.yaml"], all_rules()).findings if f.rule == "code-holds-no-credentials"]
    assert [(f.resource, Path(f.location).name) for f in found] == [
        ("A", "app.py:2"),
        ("B", "inner.py:2"),
        ("C", "t.yaml#C:1"),
    ]
    assert {Path(f.file).name for f in found} == {"t.yaml"}


FUNCTION = (
    "Resources:\n  Hello:\n    Type: AWS::Serverless::Function\n    Properties:\n      {{{}, Handler: app.handler}}\n"
)


@pytest.mark.parametrize(
    "properties",
    [
        "CodeUri: nocode/, Runtime: python3.13",
        "CodeUri: ./nocode.zip, Runtime: python3.13",
        "Code: nocode, Runtime: python3.13",
        "CodeUri: nocode.py, Runtime: python3.13",
        "CodeUri: template.yaml, Runtime: python3.13",
    ],
)
def test_code_that_is_not_there_is_named_and_no_pass(
    properties: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A path that leads nowhere, or to what is no code, was not checked: status 2, with the function and what to do."""
    monkeypatch.chdir(tmp_path)
    Path("template.yaml").write_text(FUNCTION.format(properties))
    assert main(["check", "template.yaml", "--format", "json"]) == 2
    (error,) = json.loads(capsys.readouterr().out)["errors"]
    assert error["file"] == properties.partition(",")[0].partition(": ")[2].removeprefix("./").rstrip("/")
    assert "The code of 'Hello' (template.yaml) should be here" in error["message"]
    assert "Build it first" in error["message"]


@pytest.mark.parametrize(
    "properties",
    [
        "CodeUri: nocode/, Runtime: nodejs24.x",
        "CodeUri: nocode/, Runtime: provided.al2023",
        "CodeUri: s3://code/app.zip, Runtime: python3.13",
        "CodeUri: {Bucket: code, Key: app.zip}, Runtime: python3.13",
        "CodeUri: !Ref Somewhere, Runtime: python3.13",
        "PackageType: Image, CodeUri: nocode/",
        "InlineCode: 'def handler(e, c): pass', Runtime: python3.13",
    ],
)
def test_code_that_is_not_to_be_there_is_not_asked_for(properties: str, tmp_path: Path) -> None:
    """Another language, another place, a place that the deployment decides."""
    template = tmp_path / "template.yaml"
    template.write_text(FUNCTION.format(properties) + "Parameters: {Somewhere: {Type: String}}\n")
    assert check([template], all_rules()).errors == {}


def test_a_commit_hook_does_not_ask_for_what_is_not_built_yet(tmp_path: Path) -> None:
    """Build output is not committed; the check of the whole app asks for it."""
    template = tmp_path / "template.yaml"
    template.write_text(FUNCTION.format("CodeUri: build/, Runtime: python3.13"))
    assert check([template], all_rules(), skip_other_files=True).errors == {}
    assert list(check([template], all_rules()).errors) == [str(tmp_path / "build")]


def test_a_single_file_is_code_too(tmp_path: Path) -> None:
    """`CodeUri` may name one module: it is packed, so it is read."""
    (tmp_path / "app.py").write_text(CODE)
    template = tmp_path / "template.yaml"
    template.write_text(FUNCTION.format("CodeUri: app.py, Runtime: python3.13"))
    report = check([template], all_rules())
    assert report.errors == {}
    assert "code-holds-no-credentials" in {found.rule for found in report.findings}


def test_broken_source_is_named_and_the_rest_is_checked(tmp_path: Path) -> None:
    """A syntax error is that file's error."""
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / "app.py").write_text(CODE)
    report = check([tmp_path], all_rules())
    assert "no valid Python in line 1" in report.errors[str(tmp_path / "broken.py")]
    assert "code-holds-no-credentials" in {found.rule for found in report.findings}


def test_help_is_quick() -> None:
    """Nobody waits for help: rules and YAML are read only when they are needed."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "credential_rules", "--help"], check=True, capture_output=True
    )
    assert time.perf_counter() - start < 2


def test_docs_are_written_and_checked(tmp_path: Path) -> None:
    """Every rule is documented with its heading, and a stale copy is noticed."""
    file = tmp_path / "rules.md"
    assert main(["docs", "--check", "--file", str(file)]) == 1
    assert main(["docs", "--file", str(file)]) == 0
    assert main(["docs", "--check", "--file", str(file)]) == 0
    text = file.read_text()
    assert all(f"### {rule.slug}\n" in text for rule in all_rules())
    file.write_text(text + "x")
    assert main(["docs", "--check", "--file", str(file)]) == 1


def test_sarif_of_a_functions_source_names_the_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A viewer opens the file and line that are at fault, not the template that deploys them."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text('import boto3\nboto3.client("sqs", aws_access_key_id=key())\n')
    template = tmp_path / "template.yaml"
    template.write_text(
        "Resources:\n  Hello:\n    Type: AWS::Serverless::Function\n    Properties:\n"
        "      {CodeUri: src, Handler: app.handler, Runtime: python3.13}\n"
    )
    main(["check", str(template), "--format", "sarif"])
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    (where,) = [
        result["locations"][0]["physicalLocation"] for result in results if result["ruleId"] == "code-uses-its-role"
    ]
    assert where["artifactLocation"]["uri"].endswith("src/app.py")
    assert where["region"]["startLine"] == 2
