"""The reader takes every spelling of a template, and answers anything else with what is wrong and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credential_rules.engine import Target, judge, read
from credential_rules.reader import MOST_BYTES, Unreadable, parse, read_template
from credential_rules.registry import all_rules
from credential_rules.template import Template

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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
        (b'{"Resources": {"A": {"Type": "T"}, "A": {"Type": "T"}}}', "stands twice"),
        (b"Resources:\n  A: {Type: T}\n  A: {Type: T}", "stands twice in one mapping (line 3)"),
        (b"", "top level is empty"),
        (b"- 1\n- 2", "top level is a list"),
        (b"just words", "top level is a str"),
        (b"Parameters: {}", "no 'Resources'"),
        (b"Resources: []", "no 'Resources'"),
        (b"Resources: [1]", "'Resources' as a list"),
        (b"Resources: {A: {Properties: {}}}", "'A' has no 'Type'"),
        (b"Resources: {A: 3}", "'A' has no 'Type'"),
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


@settings(max_examples=150, deadline=None)
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


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("abR:[]{}-&*!#|>'\"\n \t%@`?,0\0é"), max_size=60))
def test_arbitrary_text_is_a_mapping_or_unreadable(text: str) -> None:
    """No text gives anything but a mapping or a clear refusal."""
    try:
        answer: object = parse(text)
    except Unreadable as error:
        answer = str(error)
    assert isinstance(answer, dict) or "None of its resources were checked." in str(answer)
