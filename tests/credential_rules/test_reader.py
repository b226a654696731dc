"""The reader takes every spelling of a template, and answers anything else with what is wrong and what to do."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credential_rules.__main__ import main
from credential_rules.engine import Target, check, judge, read
from credential_rules.reader import MOST_BYTES, Unreadable, parse, read_template
from credential_rules.registry import all_rules
from credential_rules.template import Template

if TYPE_CHECKING:
    from collections.abc import Callable

BOMB = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{('*' + chr(97 + i) + ',') * 10}]\n" for i in range(9)
)


def test_short_and_long_intrinsics_read_the_same() -> None:
    """`!Sub` and `Fn::Sub`, JSON and YAML are one template to a rule."""
    short = parse(
        "Resources: {A: {Type: T, Properties: {X: !GetAtt B.Arn, Y: !Ref C, Z: !If [D, !Sub 'a${E}', !Ref AWS::NoValue]}}}"
    )
    long = parse(
        '{"Resources": {"A": {"Type": "T", "Properties": {"X": {"Fn::GetAtt": ["B", "Arn"]}, "Y": {"Ref": "C"},'
        ' "Z": {"Fn::If": ["D", {"Fn::Sub": "a${E}"}, {"Ref": "AWS::NoValue"}]}}}}}'
    )
    assert short == long


def test_dates_and_account_numbers_stay_text() -> None:
    """YAML 1.1 would turn a policy's version into a date and an account number into an octal one."""
    assert parse("{a: 2012-10-17, b: 012345678901, c: 123456789012, d: 443, e: true, f: 'true', g: ~, h: 0123}") == {
        "a": "2012-10-17",
        "b": "012345678901",
        "c": "123456789012",
        "d": 443,
        "e": True,
        "f": "true",
        "g": None,
        "h": "0123",
    }


def test_merge_keys_and_aliases_are_written_out() -> None:
    """What people share by anchors counts wherever it is used."""
    assert parse("x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: *x") == {
        "x": {"a": 1, "b": 2},
        "y": {"a": 1, "b": 3},
        "z": {"a": 1, "b": 2},
    }


def test_loops_over_resources_are_written_out(template: Callable[..., Template]) -> None:
    """`Fn::ForEach` over a known list gives each resource, so that each is judged."""
    found = template("""
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Users:
    - Name
    - [alice, bob]
    - User${Name}:
        Type: AWS::IAM::User
        Properties: {UserName: !Ref Name}
""")
    assert [(name, resource["UserName"].literals()) for name, resource in found.resources.items()] == [
        ("Useralice", ["alice"]),
        ("Userbob", ["bob"]),
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"Resources: [", "no valid YAML in line 2"),
        (b'{"Resources": {"A" 1}}', "no valid"),
        (b'{"Resources": {"A": {"Type": "T"}, "B": {"Type": "T"}, "B": {}}}', "'B' stands twice"),
        (b"Resources:\n  A: {Type: T}\n  A: {Type: T}", "stands twice in one mapping (line 3)"),
        (b"", "top level is empty"),
        (b"- 1\n- 2", "top level is a list"),
        (b"just words", "top level is a str"),
        (b"Parameters: {}", "no 'Resources'"),
        (b"Resources: []", "no 'Resources'"),
        (b"Resources: [1]", "'Resources' as a list"),
        (b"Resources: {A: {Properties: {}}}", "'A' (line 1) has no 'Type'"),
        (b"Resources: {A: 3}", "'A' (line 1) is a number"),
        (b"Resources: {A: {Type: T, Properties: [1]}}", "not a mapping"),
        (b"\x7fELF\0\0\0", "binary"),
        (b"\x89PNG\r\n\x1a\n\0\0", "binary"),
        (b"\xff\xff\xff", "binary"),
        (b"[" * 100_000, "nests more than"),
        (b"- " * 100_000 + b"x", "nests more than"),
        (b'{"a":' * 100_000, "nests more than"),
        (b'{"Resources":' + b"[" * 500 + b"]" * 500 + b"}", "nests more than"),
        (BOMB.encode(), "aliases"),
        (b"a: &x [*x]", "contains itself"),
        (b"? [a]\n: b", "no text"),
        (b"--- {a: 1}\n--- {b: 2}", "second document"),
        (b"a: %", "no valid YAML"),
        (b" " * (MOST_BYTES + 1), "the limit is 10 MB"),
    ],
    ids=range(26),
)
def test_bad_file_is_named_and_the_others_are_checked(content: bytes, says: str, tmp_path: Path) -> None:
    """Three parts for people, no traceback, and no other file suffers."""
    bad, good = tmp_path / "bad.template", tmp_path / "good.yaml"
    bad.write_bytes(content)
    good.write_text("Resources: {U: {Type: AWS::IAM::User}}", encoding="utf-8")
    report = judge(read([bad, good]), all_rules())
    assert list(report.errors) == [str(bad)]
    assert says in report.errors[str(bad)]
    assert "None of its resources were checked." in report.errors[str(bad)]
    assert [found.file for found in report.findings if found.rule == "no-iam-users"] == [str(good)]


DAMAGE: Final = {
    "{Properties: {UserName: x}}": "has no 'Type'",
    "{Type: }": "has no 'Type'",
    "{Type: ''}": "has no 'Type'",
    "{Type: 3}": "has a 'Type' that is a number, not a text",
    "{Type: [AWS::IAM::User]}": "has a 'Type' that is a list, not a text",
    "{Type: !Ref Kind}": "has a 'Type' that is a mapping, not a text",
    "[Type, AWS::IAM::User]": "is a list, not a mapping",
    "AWS::IAM::User": "is a text, not a mapping",
    "": "is empty, not a mapping",
    "3": "is a number, not a mapping",
    "{Type: AWS::IAM::User, Properties: [UserName, x]}": "has 'Properties' that are a list, not a mapping",
    "{Type: AWS::IAM::User, Properties: UserName}": "has 'Properties' that are a text, not a mapping",
    "{Type: AWS::IAM::User, Properties: true}": "has 'Properties' that are true or false, not a mapping",
}


@pytest.mark.parametrize("written", DAMAGE)
@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_a_damaged_resource_is_named_with_its_line_and_the_others_are_judged(
    suffix: str, written: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One slip of the indentation hides nothing but its own resource, and that is said: status 2."""
    file = tmp_path / f"template.{suffix}"
    text = f"Resources:\n  User: {{Type: AWS::IAM::User}}\n  Damaged: {written}\n  Too: {{Type: AWS::IAM::User}}\n"
    file.write_text(text if suffix == "yaml" else json.dumps(parse(text), indent=1), encoding="utf-8")
    line = next(n for n, one in enumerate(file.read_text(encoding="utf-8").splitlines(), 1) if "Damaged" in one)
    report = check([file], all_rules())
    assert [found.resource for found in report.findings if found.rule == "no-iam-users"] == ["User", "Too"]
    assert report.resources == 2
    (message,) = report.errors.values()
    assert f"Resource 'Damaged' (line {line}) {DAMAGE[written]}. It was not checked; the others were." in message
    assert "None of its resources" not in message
    assert main(["check", str(file)]) == 2
    assert "1 file not checked in full" in capsys.readouterr().out


@pytest.mark.parametrize(("count", "more"), [(49, ""), (50, ""), (51, "So it is with 1 more.")])
def test_of_very_many_damaged_resources_the_rest_is_counted(count: int, more: str, tmp_path: Path) -> None:
    """What made the file that way is mended once; a wall of names helps nobody."""
    file = tmp_path / "t.json"
    good = {"Type": "AWS::SNS::Topic"}
    file.write_text(
        json.dumps({"Resources": {"Good": good, **{f"Bad{n}": {} for n in range(count)}}}), encoding="utf-8"
    )
    (said,) = read([file]).errors.values()
    assert said.count("has no 'Type'") == min(count, 50)
    assert ("So it is with" in said) is bool(more)
    assert more in said


def test_every_damaged_resource_is_named(tmp_path: Path) -> None:
    """A person mends all of them at once."""
    file = tmp_path / "template.yaml"
    file.write_text("Resources:\n  A: {Type: T}\n  B: 3\n  C: []\n", encoding="utf-8")
    (message,) = check([file], all_rules()).errors.values()
    assert (
        "Resource 'B' (line 3) is a number, not a mapping. Resource 'C' (line 4) is a list, not a mapping." in message
    )
    assert "They were not checked; the others were." in message


@pytest.mark.parametrize(
    "loop",
    [
        "text",
        "[Name, [a, b]]",
        "[[Name], [a, b], {'User${Name}': {Type: AWS::IAM::User}}]",
        "[Name, [a, b], [AWS::IAM::User]]",
    ],
)
def test_a_damaged_loop_is_named_and_the_rest_is_judged(loop: str, tmp_path: Path) -> None:
    """What a loop would make cannot be seen: it is not passed over."""
    file = tmp_path / "template.yaml"
    text = f"Resources:\n  User: {{Type: AWS::IAM::User}}\n  Fn::ForEach::Users: {loop}\n"
    file.write_text(text, encoding="utf-8")
    report = check([file], all_rules())
    assert "Loop 'Fn::ForEach::Users' (line 3)" in report.errors[str(file)]
    assert [found.resource for found in report.findings if found.rule == "no-iam-users"] == ["User"]


def test_a_damaged_resource_in_a_loop_is_named_with_the_loops_line(tmp_path: Path) -> None:
    """The names that a loop makes stand nowhere in the file."""
    file = tmp_path / "template.yaml"
    file.write_text(
        "Resources:\n  User: {Type: AWS::IAM::User}\n  Fn::ForEach::X:\n    - N\n    - [a, b]\n    - {'Made${N}': {Properties: {}}}\n"
    )
    (message,) = check([file], all_rules()).errors.values()
    assert "Resource 'Madea' (line 3) has no 'Type'." in message
    assert "Resource 'Madeb' (line 3) has no 'Type'." in message


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_a_function_that_nobody_knows_is_named_and_everything_else_is_judged(suffix: str, tmp_path: Path) -> None:
    """What it stands for was not seen; the rest of its resource was, and so were the others."""
    text = (
        "Resources:\n  User:\n    Type: AWS::IAM::User\n    Properties:\n      UserName: !Sub '${AWS::Region}-x'\n"
        "      Policies:\n        - !Fetch {From: there}\n  Too: {Type: AWS::IAM::User, Properties: {UserName: '!Fetch it'}}\n"
        "  Fine: {Type: AWS::SQS::Queue, Metadata: {Note: !Other x}, Properties: {QueueName: !Length [a]}}\n"
    )
    file = tmp_path / f"template.{suffix}"
    file.write_text(text if suffix == "yaml" else json.dumps(parse(text), indent=1), encoding="utf-8")
    line = next(n for n, one in enumerate(file.read_text(encoding="utf-8").splitlines(), 1) if "Fetch" in one)
    report = check([file], all_rules())
    (message,) = report.errors.values()
    assert message.startswith(f"Resource 'User' (line {line}) calls 'Fn::Fetch'. CloudFormation has no such function")
    assert "check what that gives" in message
    assert "'Too'" not in message
    assert "'Fine'" not in message
    assert [found.resource for found in report.findings if found.rule == "no-iam-users"] == ["User", "Too"]


@pytest.mark.parametrize("transform", ["Ours", "[AWS::LanguageExtensions, Ours]", "[{Name: Ours}]"])
def test_a_function_of_ones_own_macro_is_no_damage(transform: str, tmp_path: Path) -> None:
    """CloudFormation does not refuse it; the rules take its value for unknown."""
    file = tmp_path / "template.yaml"
    text = "Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Fetch there}}}\n"
    file.write_text(f"Transform: {transform}\n{text}")
    assert check([file], []).errors == {}
    file.write_text(f"Transform: [AWS::Serverless-2016-10-31]\n{text}")
    assert list(check([file], []).errors) == [str(file)]


def test_the_functions_of_cloudformation_are_known(tmp_path: Path) -> None:
    """Every one of them, in both spellings, is no damage."""
    calls = "\n".join(
        f"      P{number}: !{name} x"
        for number, name in enumerate(
            [
                "Base64",
                "Cidr",
                "FindInMap",
                "GetAtt",
                "GetAZs",
                "ImportValue",
                "Join",
                "Length",
                "Select",
                "Split",
                "Sub",
                "ToJsonString",
                "Transform",
                "If",
                "And",
                "Or",
                "Not",
                "Equals",
                "Ref",
                "Condition",
                "GetStackOutput",
            ]
        )
    )
    long = "\n".join(
        f"      L{number}: {{Fn::{name}: x}}" for number, name in enumerate(("Base64", "ForEach::X", "Join"))
    )
    file = tmp_path / "template.yaml"
    file.write_text(f"Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n    Properties:\n{calls}\n{long}\n")
    assert check([file], []).errors == {}


WHOLE: st.SearchStrategy[Any] = st.just({"Type": "AWS::IAM::User"})
BROKEN: st.SearchStrategy[Any] = st.sampled_from(
    [None, 3, True, "x", [], [{"Type": "AWS::IAM::User"}], {}, {"Type": None}, {"Type": 3}]
) | st.sampled_from(
    [{"Type": "AWS::IAM::User", "Properties": properties} for properties in list[Any](("x", [], 3, False, [{}]))]
)


@settings(max_examples=100)
@given(st.dictionaries(st.from_regex(r"[A-Z][a-z0-9]{0,4}", fullmatch=True), WHOLE | BROKEN, min_size=1, max_size=6))
def test_whatever_is_damaged_the_rest_is_judged_and_nothing_is_lost(resources: dict[str, Any]) -> None:
    """Each resource is either judged or named."""
    whole = {name for name, raw in resources.items() if raw == {"Type": "AWS::IAM::User"}}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "template.json")
        file.write_text(json.dumps({"Resources": resources}), encoding="utf-8")
        report = check([file], [rule for rule in all_rules() if rule.slug == "no-iam-users"])
    assert {found.resource for found in report.findings} == whole
    said = "".join(report.errors.values())
    if whole:
        assert set(re.findall(r"Resource '(\w+)' \(line 1\)", said)) == set(resources) - whole
    else:
        assert "None of its resources were checked." in said


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A path that does not exist is an error of that path."""
    with pytest.raises(Unreadable, match="cannot be read: No such file"):
        read_template(tmp_path / "missing.yaml")


def test_an_error_never_repeats_the_line_it_is_about(tmp_path: Path) -> None:
    """YAML's own messages quote the text around an error, which may be a secret."""
    file = tmp_path / "t.yaml"
    file.write_text('Resources:\n  Password: "hunter2-hunter2\n', encoding="utf-8")
    with pytest.raises(Unreadable) as caught:
        read_template(file)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_line_is_that_of_the_property(suffix: str, tmp_path: Path) -> None:
    """People get the line of the property, also inside lists and short forms."""
    texts = {
        "yaml": "Resources:\n  A:\n    Type: T\n    Properties:\n      L:\n        - x\n        - !If\n          - C\n          - K: 1\n          - z\n",
        "json": '{\n"Resources": {\n"A": {\n"Type": "T", "Properties": {\n"L": [\n"x",\n{"Fn::If": [\n"C",\n{"K": 1},\n"z"]}]}}}}',
    }
    file = tmp_path / f"t.{suffix}"
    file.write_text(texts[suffix], encoding="utf-8")
    line_of = read_template(file).line_of
    assert line_of(("Resources", "A", "Properties", "L", 0)) == 6
    assert line_of(("Resources", "A", "Properties", "L", 1, "Fn::If", 1, "K")) == 9
    assert line_of(("Resources", "A", "Properties", "Missing")) == 4
    assert line_of(("Nothing",)) is None


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("Ref", "Fn::If", "Fn::Sub", "Fn::Join", "Fn::GetAtt", "Fn::Select", "Fn::Split", "Fn::FindInMap"),
                    *(
                        "Fn::ImportValue",
                        "Fn::Base64",
                        "Fn::Transform",
                        "Fn::ForEach::X",
                        "Statement",
                        "Effect",
                        "Action",
                    ),
                    *("Resource", "Principal", "Condition", "PolicyDocument", "Policies", "Environment", "Variables"),
                    *("Roles", "Users", "VpcConfig", "Code", "S3Key", "ZipFile", "SecurityGroupIngress", "A", "P", "C"),
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)
TYPES = st.sampled_from(
    sorted(
        {kind for rule in all_rules() for kind in rule.applies_to if kind != "*"}
        | {"AWS::Lambda::Function", "AWS::IAM::Role"}
    )
)
PROPERTIES = st.dictionaries(
    st.sampled_from(
        ["PolicyDocument", "AssumeRolePolicyDocument", "Policies", "Users", "Roles", "Role", "Environment", "Code"]
    ),
    JSON_VALUES,
    max_size=4,
)


@settings(max_examples=150)
@given(
    resources=st.dictionaries(
        st.sampled_from(["A", "B", "C"]), st.fixed_dictionaries({"Type": TYPES, "Properties": PROPERTIES}), min_size=1
    ),
    parameters=JSON_VALUES,
    conditions=JSON_VALUES,
    mappings=JSON_VALUES,
    outputs=JSON_VALUES,
)
def test_arbitrary_templates_always_get_an_answer(
    resources: dict[str, object], parameters: object, conditions: object, mappings: object, outputs: object
) -> None:
    """No structure breaks a rule or the index."""
    raw = {
        "Resources": resources,
        "Parameters": {"P": parameters},
        "Conditions": {"C": conditions},
        "Mappings": mappings,
        "Outputs": {"O": outputs},
    }
    target = Target(templates=[Template("t.json", raw)])  # type: ignore[arg-type]
    report = judge(target, all_rules())
    assert report.errors == {}


@settings(max_examples=200)
@given(st.text(alphabet=st.sampled_from("abR:[]{}-&*!#|>'\"\n \t%@`?,0\0é"), max_size=60))
def test_arbitrary_text_is_a_mapping_or_unreadable(text: str) -> None:
    """No text gives anything but a mapping or a clear refusal."""
    try:
        answer: object = parse(text)
    except Unreadable as error:
        answer = str(error)
    assert isinstance(answer, dict) or "None of its resources were checked." in str(answer)
