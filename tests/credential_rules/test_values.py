"""A value is everything that the template may make of it, and never a guess."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credential_rules.index import Index
from credential_rules.reader import read_template

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from credential_rules.template import Template, Value

HEAD = """
Parameters:
  Given: {Type: String, Default: given}
  Chosen: {Type: String, AllowedValues: [one, two]}
  Open: {Type: String}
  Listed: {Type: CommaDelimitedList, Default: "a, b"}
  FromStore: {Type: "AWS::SSM::Parameter::Value<String>", Default: /path}
Mappings:
  Regions: {eu-west-1: {Name: ireland}, us-east-1: {Name: virginia}}
Conditions:
  Undecided: !Equals [!Ref Open, x]
  Opposite: !Not [!Condition Undecided]
  Always: !Equals [a, a]
  Never: !And [!Condition Always, !Equals [a, b]]
Resources:
  Queue: {Type: AWS::SQS::Queue}
  X:
    Type: T
    Properties:
      P: """


@pytest.fixture
def value(template: Callable[..., Template]) -> Callable[[str], Value]:
    """The value of a property that is written as given."""
    return lambda text: template(HEAD + text).resources["X"]["P"]


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("plain", ["plain"]),
        ("true", ["true"]),
        ("8080", ["8080"]),
        ("!Ref Given", ["given"]),
        ("!Ref Chosen", ["one", "two"]),
        ("!Ref Open", ["${Open}"]),
        ("!Ref Listed", ["a", "b"]),
        ("!Ref FromStore", ["${FromStore}"]),
        ("!Ref AWS::Region", ["${AWS::Region}"]),
        (
            "!Sub 'a-${Given}-${AWS::AccountId}-${Queue.Arn}-${!Literal}'",
            ["a-given-${AWS::AccountId}-${Queue.Arn}-${Literal}"],
        ),
        ("!Sub ['${A}${Given}', {A: !Ref Chosen}]", ["onegiven", "twogiven"]),
        ("!Join [':', [arn, !Ref AWS::Partition, !Ref Given]]", ["arn:${AWS::Partition}:given"]),
        ("!Join [',', !Ref Listed]", ["a,b"]),
        ("!Join ['', [a, !If [Undecided, b, !Ref AWS::NoValue]]]", ["ab", "a"]),
        ("!Select [1, !Ref Listed]", ["b"]),
        ("!Select [1, !Split [':', !Sub 'a:${AWS::AccountId}:b']]", ["${AWS::AccountId}"]),
        ("!Select [0, !Split [':', !GetAtt Queue.Arn]]", ["${unknown}"]),
        ("!Split [',', 'x,y']", ["x", "y"]),
        ("!FindInMap [Regions, eu-west-1, Name]", ["ireland"]),
        ("!FindInMap [Regions, !Ref AWS::Region, Name]", ["ireland", "virginia"]),
        ("!FindInMap [Regions, nowhere, Name, {DefaultValue: none}]", ["none"]),
        ("!FindInMap [Missing, a, b]", ["${unknown}"]),
        ("!Base64 {'Fn::Sub': 'export A=${Given}'}", ["export A=given"]),
        ("!If [Undecided, a, b]", ["a", "b"]),
        ("!If [Always, a, b]", ["a"]),
        ("!If [Never, a, b]", ["b"]),
        ("!If [Undecided, !If [Opposite, impossible, a], b]", ["a", "b"]),
        ("!If [Undecided, a, !Ref AWS::NoValue]", ["a"]),
        ("[a, !If [Undecided, b, !Ref AWS::NoValue], !If [Always, [c, d], e]]", ["a", "b", "c", "d"]),
        ("!ImportValue elsewhere", ["${elsewhere}"]),
        (
            "'pw-{{resolve:secretsmanager:db:SecretString:password}}'",
            ["pw-${resolve:secretsmanager:db:SecretString:password}"],
        ),
        ("!Transform {Name: AWS::Include}", ["${unknown}"]),
        ("!Cidr [10.0.0.0/16, 4, 8]", ["${unknown}"]),
        ("!Ref Nonsense", ["${Nonsense}"]),
        ("!Sub [1, 2]", ["${unknown}"]),
        ("!If [Undecided]", ["${unknown}"]),
        ("!Select [9, [a]]", ["${unknown}"]),
        ("{a: b}", []),
    ],
)
def test_texts_of_a_property(text: str, patterns: list[str], value: Callable[[str], Value]) -> None:
    """Every branch, with holes where only the deployment decides."""
    assert [found.pattern for found in value(text).texts()] == patterns


def test_reference_leads_to_its_resource(value: Callable[[str], Value]) -> None:
    """Rules follow references: to the queue, by `Ref` or by attribute."""
    found = value("[!Ref Queue, !GetAtt Queue.Arn, !Sub '${Queue}']")
    assert [resource.logical_id for resource in found.resources()] == ["Queue"] * 3
    assert [text.hole.attribute for text in found.texts() if text.hole] == [None, "Arn", None]


def test_default_of_a_parameter_is_remembered(value: Callable[[str], Value]) -> None:
    """A known text that somebody may override says through which parameter."""
    assert [text.parameters for text in value("!Sub 'a${Given}'").texts()] == [frozenset({"Given"})]


def test_absence_in_one_branch_is_seen(value: Callable[[str], Value]) -> None:
    """A property that one branch leaves out is there and may be absent; one that is never there is falsy."""
    found = value("{A: !If [Undecided, 1, !Ref AWS::NoValue]}")
    assert found["A"]
    assert found["A"].may_be_absent
    assert not found["B"]
    assert found["B"]["C"].may_be_absent
    assert not value("{A: 1}")["A"].may_be_absent


def test_location_is_where_the_branch_was_written(value: Callable[[str], Value]) -> None:
    """A finding points at the branch, and at the list's element."""
    found = value("[a, !If [Undecided, {K: 1}, {K: 2}]]")
    assert [element.place.location for element in found.each()] == [
        "Properties.P.0",
        "Properties.P.1.Fn::If.1",
        "Properties.P.1.Fn::If.2",
    ]


def test_undecided_is_not_the_same_as_a_resource_of_the_run(value: Callable[[str], Value]) -> None:
    """Parameters, imports and macros are undecided; pseudo parameters and resources are not."""
    assert [
        text.is_undecided for text in value("[!Ref Open, !ImportValue x, !Ref AWS::Region, !Ref Queue, a]").texts()
    ] == [
        *(True, True),
        *(False, False, False),
    ]


def test_below_a_macro_everything_is_unknown(value: Callable[[str], Value]) -> None:
    """A mapping that a macro completes may hold any key."""
    found = value("{Known: 1, 'Fn::Transform': {Name: M}}")
    assert found["Known"].literals() == ["1"]
    assert found["Other"].is_unknown


def test_cycles_end(template: Callable[..., Template]) -> None:
    """Conditions and loops of references that never end in a real stack end here."""
    found = template("""
Conditions: {A: !Condition B, B: !Not [!Condition A]}
Mappings: {M: {a: {b: !FindInMap [M, a, b]}}}
Resources:
  X: {Type: T, Condition: A, Properties: {P: !If [A, !FindInMap [M, a, b], c]}}
""")
    assert found.resources["X"]["P"].texts()


def test_condition_on_something_that_is_no_parameter_ends(template: Callable[..., Template]) -> None:
    """A misspelt parameter, or a resource, in a condition is undecided: the resources are judged all the same."""
    found = template("""
Conditions: {A: !Equals [!Ref Mispelt, x], B: !Equals [!Sub "${X.Arn}", y], C: !Equals [!If [C, a, b], a]}
Resources:
  X: {Type: T, Condition: A, Properties: {P: !If [B, 1, !If [C, 2, 3]]}}
  Y: {Type: T, Condition: B}
""")
    assert list(found.resources) == ["X", "Y"]
    assert found.resources["X"]["P"].literals() == ["1", "2", "3"]


def test_import_leads_to_the_other_stack(tmp_path: Path) -> None:
    """A reference through an export is a reference to the resource behind it."""
    (tmp_path / "a.yaml").write_text(
        "Resources: {Role: {Type: AWS::IAM::Role}}\nOutputs: {R: {Value: !GetAtt Role.Arn, Export: {Name: the-role}}}"
    )
    (tmp_path / "b.yaml").write_text(
        "Resources: {F: {Type: AWS::Lambda::Function, Properties: {Role: !ImportValue the-role}}}"
    )
    index = Index([read_template(tmp_path / name) for name in ("a.yaml", "b.yaml")])
    (function,) = index.functions.values()
    assert function.role is not None
    assert function.role.resource.logical_id == "Role"
    assert function.resource["Role"].place.location == "Properties.Role"


def test_nested_stack_shares_values_with_its_parent(tmp_path: Path) -> None:
    """Parameters lead up to what the parent gives, outputs lead down to what the child makes."""
    (tmp_path / "parent.yaml").write_text("""
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Child: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: child.yaml, Parameters: {Arn: !GetAtt Queue.Arn, Word: x}}}
  User: {Type: T, Properties: {P: !GetAtt Child.Outputs.Out}}
""")
    (tmp_path / "child.yaml").write_text("""
Parameters: {Arn: {Type: String}, Word: {Type: String, Default: y}}
Resources: {Topic: {Type: AWS::SNS::Topic}, X: {Type: T, Properties: {P: [!Ref Arn, !Ref Word]}}}
Outputs: {Out: {Value: !Ref Topic}}
""")
    parent, child = (read_template(tmp_path / name) for name in ("parent.yaml", "child.yaml"))
    Index([parent, child])
    assert [resource.logical_id for resource in child.resources["X"]["P"].resources()] == ["Queue"]
    assert child.resources["X"]["P"].literals() == ["x"]
    assert [resource.logical_id for resource in parent.resources["User"]["P"].resources()] == ["Topic"]
