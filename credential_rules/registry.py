"""Finds the rules: every module of this package that is not listed here as machinery is one rule."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path
from typing import Final

from credential_rules.rule import GROUPS, Rule

MACHINERY: Final = frozenset(
    {
        "__main__",
        "assembly",
        "conditions",
        "docs",
        "engine",
        "formats",
        "iam_actions",
        "index",
        "intrinsics",
        "ledger",
        "network_path",
        "pack",
        "policies",
        "reader",
        "registry",
        "rule",
        "sam_policies",
        "sources",
        "template",
        "values",
    }
)
"""The modules that are no rules. A new rule needs no entry here: adding a rule is adding its file."""


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by chapter and then by slug: the same order in every run.

    Raises:
        TypeError: a module neither is machinery nor has a `RULE` of its name; it names the file and what to write.
    """
    folder = str(Path(__file__).parent)
    names = sorted(module.name for module in pkgutil.iter_modules([folder]) if module.name not in MACHINERY)
    return tuple(sorted((_rule(name) for name in names), key=lambda rule: (GROUPS.index(rule.group), rule.slug)))


def _rule(name: str) -> Rule:
    rule = getattr(importlib.import_module(f"{__package__}.{name}"), "RULE", None)
    slug = name.replace("_", "-")
    if not isinstance(rule, Rule) or rule.slug != slug:
        raise TypeError(
            f"credential_rules/{name}.py has no RULE = Rule(slug='{slug}', …), so nothing would run it."
            " Define it, or list the module in registry.MACHINERY."
        )
    return rule
