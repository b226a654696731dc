"""From a function to its diagnosis, with what is asked only once it is known that the finding needs it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from operator_cli.diagnosis.conclusion import diagnose
from operator_cli.diagnosis.organisation import ORGANISATION_KEYS, read_organisation
from operator_cli.diagnosis.resource_policies import keys_that_refuse, uses, wanted
from operator_cli.diagnosis.stores import read_stores, with_grants

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from operator_cli.diagnosis.conclusion import Diagnosis
    from operator_cli.diagnosis.deployed_function import Facts
    from operator_cli.diagnosis.judgement import Judgement, Layer, Permission
    from operator_cli.diagnosis.permissions import May
    from operator_cli.diagnosis.questions import Ask


def conclude(ask: Ask, facts: Facts, judgement: Judgement, judge: Callable[[Facts], May]) -> Diagnosis:
    """Read what the function calls, and what decides on that; then find the causes.

    The stores that it calls come first, with the keys that the calls use. The account's organisation is asked for only
    if a verdict depends on it, the grants of a key only if nothing else admits the role.

    Args:
        ask: Asks AWS.
        facts: The function.
        judgement: What the rules say of it.
        judge: Gives what says, by some facts, what the role may do.
    """
    used = uses(facts, judgement, judge(facts))
    facts = replace(facts, stores=read_stores(ask, wanted(used), facts.arn))
    noting = _Noting(judge(facts))
    diagnosis = diagnose(facts, judgement, noting)
    if noting.keys & ORGANISATION_KEYS:
        organisation, unread = read_organisation(ask)
        facts = replace(facts, organisation=organisation, unread=(*facts.unread, *unread))
        diagnosis = diagnose(facts, judgement, judge(facts))
    keys = keys_that_refuse(facts, used, judge(facts))
    if keys and facts.role is not None:
        facts = replace(facts, stores=with_grants(ask, facts.stores, keys, facts.role.arn))
        diagnosis = diagnose(facts, judgement, judge(facts))
    return diagnosis


class _Noting:
    """Says what another says, and notes the condition keys that it depended on."""

    def __init__(self, may: May) -> None:
        self._may = may
        self.keys: set[str] = set()

    def __call__(
        self, layer: Layer, action: str, resource: str, policy: Mapping[str, Any] | None = None, service: str = "", /
    ) -> Permission:
        """Say whether a layer of policies lets the role do something."""
        permission = self._may(layer, action, resource, policy, service)
        self.keys |= permission.unknown
        return permission
