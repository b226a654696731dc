"""Why our rules read rendered templates: a rule that is written the documented way passes what ours refuse.

cdk-nag's documentation shows rules that look at a resource's typed properties. From Python these lie in two ways: raw
overrides are invisible to them, and an L2 function's environment resolves to `{}` (github.com/aws/jsii/issues/4153).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs import Construct

    Synthesise = Callable[..., dict[str, Any]]

KEY_ID: Final = "AKIAIOSFODNN7EXAMPLE"


def documented_pack(scope: Construct) -> Any:  # noqa: ANN401 (a class that exists only once Node has started)
    """A pack of two rules on typed properties: keys in environments, and `service:*`. Its `found` are their findings."""
    import aws_cdk as cdk  # noqa: PLC0415 (starts Node)
    from aws_cdk import aws_iam as iam  # noqa: PLC0415 (starts Node)
    from aws_cdk import aws_lambda  # noqa: PLC0415 (starts Node)
    from cdk_nag import NagPack  # noqa: PLC0415, TID251 (it is what is compared with)

    class DocumentedWay(NagPack):
        def __init__(self) -> None:
            super().__init__(scope)
            self._pack_name = "DocumentedWay"
            self.found: set[str] = set()
            self.asked: set[str] = set()

        @property
        def name(self) -> str:
            return "DocumentedWay"

        def _check_resource(self, node: cdk.CfnResource) -> None:
            self.asked.add(node.cfn_resource_type)
            stack = cdk.Stack.of(node)
            if isinstance(node, aws_lambda.CfnFunction) and KEY_ID in str(stack.resolve(node.environment)):
                self.found.add(node.node.path)
            if isinstance(node, iam.CfnPolicy) and ":*'" in str(stack.resolve(node.policy_document)):
                self.found.add(node.node.path)

    return DocumentedWay()


def typed_environment(scope: Construct) -> None:
    """An L2 function with a key in its environment."""
    from tests.bad_stacks import functions  # noqa: PLC0415 (starts Node)

    functions.function(scope).add_environment("PARTNER_KEY", KEY_ID)


def overridden_policy(scope: Construct) -> None:
    """A good policy, one action of which is replaced in the rendered template."""
    from tests.bad_stacks import no_wildcard_actions  # noqa: PLC0415 (starts Node)

    no_wildcard_actions.raw_override(scope)


@pytest.mark.parametrize(
    ("fill", "kind", "rule"),
    [
        pytest.param(typed_environment, "AWS::Lambda::Function", "no-credentials-in-environment", id="L2 environment"),
        pytest.param(overridden_policy, "AWS::IAM::Policy", "no-wildcard-actions", id="raw override"),
    ],
)
def test_rule_on_typed_properties_passes_what_ours_refuses(
    fill: Callable[[Construct], None], kind: str, rule: str, synthesise: Synthesise
) -> None:
    """Both are asked about the same resource in the same synth: theirs finds nothing, ours fails it."""
    packs: list[Any] = []

    def app_with_both_packs(app: Any) -> None:  # noqa: ANN401 (jsii)
        import aws_cdk as cdk  # noqa: PLC0415 (starts Node)

        fill(cdk.Stack(app, "Main"))
        packs.append(documented_pack(app))
        cdk.Validations.of(app).add_plugins(packs[0])

    report = synthesise(app_with_both_packs)
    assert kind in packs[0].asked
    assert packs[0].found == set()
    assert report["failed"]
    assert rule in {violation["ruleName"] for violation in report["violations"] if violation["severity"] == "error"}


def test_rule_on_typed_properties_is_no_straw_man(synthesise: Synthesise) -> None:
    """It does find the wildcard that an L1 policy was typed with."""
    packs: list[Any] = []

    def fill(app: Any) -> None:  # noqa: ANN401 (jsii)
        import aws_cdk as cdk  # noqa: PLC0415 (starts Node)
        from aws_cdk import aws_iam as iam  # noqa: PLC0415 (starts Node)

        statement = {"Effect": "Allow", "Action": ["dynamodb:*"], "Resource": "*"}
        iam.CfnPolicy(
            cdk.Stack(app, "Main"),
            "Policy",
            policy_name="wide",
            policy_document={"Version": "2012-10-17", "Statement": [statement]},
            roles=["worker"],
        )
        packs.append(documented_pack(app))
        cdk.Validations.of(app).add_plugins(packs[0])

    synthesise(fill)
    assert packs[0].found == {"Main/Policy"}
