"""What is going to be deployed, and where: read from a manifest, by a real synthesis and by any text."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operator_cli.errors import OperatorError
from operator_cli.preflight.cdk_cli import read_arguments
from operator_cli.preflight.cloud_assembly import DEFAULT_PARAMETER, Assembly, Stack, read_assembly, selected

ACCOUNT: Final = "123456789012"


def written(folder: Path, artifacts: dict[str, Any], templates: dict[str, Any] | None = None) -> Path:
    """An assembly on disk."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps({"version": "55.0.0", "artifacts": artifacts}))
    for name, template in (templates or {"t.json": {}}).items():
        (folder / name).write_text(json.dumps(template))
    return folder


def artifact(environment: str = f"aws://{ACCOUNT}/us-east-1", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A stack's artifact."""
    properties = {"templateFile": "t.json", "requiresBootstrapStackVersion": 6, **more.pop("properties", {})}
    return {"type": "aws:cloudformation:stack", "environment": environment, "properties": properties, **more}


def test_a_stack_says_where_it_goes_and_what_it_needs(tmp_path: Path) -> None:
    """Account, region, and the bootstrap of its own qualifier."""
    own = {"bootstrapStackVersionSsmParameter": "/cdk-bootstrap/mine/version", "stackName": "Deployed"}
    read = read_assembly(written(tmp_path, {"App": artifact(properties=own)}))
    assert read is not None
    (stack,) = read.stacks
    assert (stack.name, stack.account, stack.region) == ("Deployed", ACCOUNT, "us-east-1")
    assert (stack.bootstrap_version, stack.bootstrap_parameter) == (6, "/cdk-bootstrap/mine/version")


def test_what_names_no_account_or_region_takes_the_sessions(tmp_path: Path) -> None:
    """As the CDK writes it where the app leaves them open."""
    read = read_assembly(written(tmp_path, {"App": artifact("aws://unknown-account/unknown-region")}))
    assert read is not None
    assert (read.accounts, read.regions) == ((), ())
    assert read.stacks[0].bootstrap_parameter == DEFAULT_PARAMETER


def test_stacks_of_stages_count(tmp_path: Path) -> None:
    """Each stage is an assembly in a folder of its own."""
    written(tmp_path / "assembly-Prod", {"ProdApp": artifact(f"aws://{ACCOUNT}/eu-west-1", displayName="Prod/App")})
    stage = {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}}
    read = read_assembly(written(tmp_path, {"assembly-Prod": stage, "App": artifact()}))
    assert read is not None
    assert read.regions == ("eu-west-1", "us-east-1")
    assert [stack.name for stack in selected(read, ["Prod/*"]).stacks] == ["ProdApp"]


@pytest.mark.parametrize(
    ("name", "tags", "production"),
    [
        ("App", [{"Key": "environment", "Value": "prod"}], True),
        ("App", {"environment": "Production"}, True),
        ("App", [{"Key": "environment", "Value": {"Ref": "Stage"}}], False),
        ("App", [{"Key": "team", "Value": "prod"}], False),
        ("Rolebound-prod-Data", [], True),
        ("Products", [], False),
    ],
)
def test_production_is_known_by_its_tag_or_its_name(tmp_path: Path, name: str, tags: Any, production: bool) -> None:  # noqa: ANN401, FBT001 - a template's own forms; a parameter of the test
    """The tag as either of CloudFormation's forms, the name by its words."""
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"Tags": tags}}}}
    read = read_assembly(written(tmp_path, {name: artifact()}, {"t.json": template}))
    assert read is not None
    assert bool(read.production) is production


def test_no_assembly_is_none_and_a_broken_one_is_an_error(tmp_path: Path) -> None:
    """Absence is a fact; what cannot be understood is not taken for absence."""
    usual = tmp_path / "cdk.out"
    assert read_assembly(usual) is None
    usual.mkdir()
    (usual / "manifest.json").write_text("{")
    with pytest.raises(OperatorError, match="no cloud assembly"):
        read_assembly(usual)


def test_a_folder_that_somebody_named_has_to_be_an_assembly(tmp_path: Path) -> None:
    """Else a check would say that all is well with stacks that it never saw."""
    with pytest.raises(OperatorError, match=r"holds no manifest\.json") as refused:
        read_assembly(tmp_path)
    assert refused.value.status == 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["artifacts", "type", "environment", "properties", "App", "missing"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


@given(manifest=json_values)
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_manifest_is_read_or_refused(tmp_path: Path, manifest: Any) -> None:  # noqa: ANN401 - any JSON
    """Never anything else than an assembly or the one error."""
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with contextlib.suppress(OperatorError):
        assert isinstance(read_assembly(tmp_path), Assembly | None)


def chain() -> Assembly:
    """Three stacks, of which each needs the one before."""
    names = ("Data", "Network", "Api")
    return Assembly(
        Path("cdk.out"),
        tuple(
            Stack(
                name=name,
                account=None,
                region=None,
                bootstrap_version=6,
                bootstrap_parameter=DEFAULT_PARAMETER,
                production=False,
                called=frozenset({name}),
                needs=needs,
            )
            for name, needs in zip(names, ((), ("Data",), ("Network", "Api.assets")), strict=True)
        ),
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "Data Network Api"),
        (["--require-approval", "never"], "Data Network Api"),
        (["Network"], "Data Network"),
        (["Api", "-c", "region=eu-west-1"], "Data Network Api"),
        (["Api", "--exclusively"], "Api"),
        (["Data", "--all"], "Data Network Api"),
        (["N*", "-e"], "Network"),
    ],
)
def test_a_named_stack_counts_with_what_it_depends_on(words: list[str], expected: str) -> None:
    """As the CDK deploys them."""
    assert " ".join(stack.name for stack in selected(chain(), words).stacks) == expected


def test_the_cdks_arguments_are_read_for_what_decides_where_it_goes() -> None:
    """Nothing is lost and nothing is invented."""
    given_words = "Api -c region=eu-west-1 --context=a=b --app out --require-approval never --output=there -v aws://123456789012/eu-west-1"
    read = read_arguments(given_words.split())
    assert (read.app, read.output) == ("out", "there")
    assert read.synthesis == ("-c", "region=eu-west-1", "--context=a=b", "-v")
    assert read.places == ((ACCOUNT, "eu-west-1"),)
    rest = "Api -c region=eu-west-1 --context=a=b --require-approval never -v aws://123456789012/eu-west-1"
    assert read.rest == tuple(rest.split())


@given(
    words=st.lists(
        st.text(min_size=1, max_size=6) | st.sampled_from(["-c", "--app", "-o", "--context=x", "-a=y"]), max_size=8
    )
)
def test_any_arguments_are_passed_on_but_the_two(words: list[str]) -> None:
    """In their order."""
    read = read_arguments(words)
    remaining = iter(words)
    assert all(word in remaining for word in read.rest)
