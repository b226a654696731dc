"""Precision: what a careful engineer writes has no finding at all, neither an error nor a "cannot tell"."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from credential_rules.engine import check
from credential_rules.registry import all_rules

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD: Final = Path(__file__).parents[1] / "good_templates"
TEMPLATES: Final = sorted(path for path in GOOD.iterdir() if path.suffix in {".yaml", ".json"} or path.name == "nested")


@pytest.mark.parametrize("path", TEMPLATES, ids=[path.stem for path in TEMPLATES])
def test_good_template_has_no_finding(path: Path) -> None:
    """Each template is judged by every rule, by itself, as the command judges it; nested ones with their parent."""
    report = check([path], all_rules())
    assert report.errors == {}
    assert report.resources > 0
    assert [(found.rule, found.resource, found.location, found.message) for found in report.findings] == []


def test_good_templates_have_many_shapes() -> None:
    """Ten at least; as YAML and JSON, CloudFormation and SAM, in one file and nested."""
    texts = [path.read_text(encoding="utf-8") for path in TEMPLATES if path.is_file()]
    assert len(TEMPLATES) >= 10
    assert {path.suffix for path in TEMPLATES} == {".yaml", ".json", ""}
    for shape in ("AWS::Serverless-2016-10-31", "Fn::If", "!If", "Fn::Join", "!Sub", "{{resolve:", "Conditions:"):
        assert any(shape in text for text in texts), shape


def test_good_app_synthesises_with_the_pack(synthesise: Callable[..., dict[str, Any]]) -> None:
    """What the CDK renders by itself for ordinary constructs and grants is not held against anybody."""

    def fill(app: Any) -> None:  # noqa: ANN401 (jsii starts only here)
        from tests.good_templates.cdk_app import OrdersStack  # noqa: PLC0415 (as above)

        OrdersStack(app)

    report = synthesise(fill)
    assert [(found["ruleName"], found["description"]) for found in report["violations"]] == []
    assert not report["failed"]
