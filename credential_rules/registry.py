"""Finds the rules: every module of this package that defines a `RULE`. Adding a rule is adding its file."""

from __future__ import annotations

import importlib
import re
from functools import cache
from pathlib import Path
from typing import Final

from credential_rules.rule import GROUPS, Rule

# Looked for in the text: importing every module to see would start jsii for the pack, and cost a second.
_DEFINES_RULE: Final = re.compile(r"^RULE\b", re.MULTILINE)


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by chapter and then by slug: the same order in every run.

    Raises:
        TypeError: a module's `RULE` is no rule, or not called as its file; it names the file and what to write.
    """
    files = sorted(Path(__file__).parent.glob("*.py"))
    names = [file.stem for file in files if _DEFINES_RULE.search(file.read_text(encoding="utf-8"))]
    return tuple(sorted((_rule(name) for name in names), key=lambda rule: (GROUPS.index(rule.group), rule.slug)))


def _rule(name: str) -> Rule:
    rule = importlib.import_module(f"{__package__}.{name}").RULE
    slug = name.replace("_", "-")
    if not isinstance(rule, Rule) or rule.slug != slug:
        raise TypeError(
            f"RULE in credential_rules/{name}.py is not called as its file, so its documentation and links would lead"
            f" nowhere. Write RULE = Rule(slug='{slug}', …), or rename the file."
        )
    return rule
