"""The door to `detect-secrets`: its detectors, offline."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from operator_cli.scanning.secret_scan import LibraryFinding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LEFT_OUT: Final = frozenset({"Base64HighEntropyString", "HexHighEntropyString", "IPPublicDetector"})
"""They find digests, ids and addresses: in a repository of CDK code, thousands."""

_BY_NAME: Final = "Secret Keyword"

_FILTERS: Final = (
    "common.is_invalid_file",
    "heuristic.is_sequential_string",
    "heuristic.is_potential_uuid",
    "heuristic.is_likely_id_string",
    "heuristic.is_templated_secret",
    "heuristic.is_prefixed_with_dollar_sign",
    "heuristic.is_indirect_reference",
    "heuristic.is_lock_file",
    "heuristic.is_not_alphanumeric_string",
    "heuristic.is_swagger_file",
)
"""Not among them: verification, which would send what it finds to STS and others, and the comments that accept a line,
which are counted where all findings come together."""


def library_findings(file: Path) -> Iterator[LibraryFinding]:
    """Give each secret that `detect-secrets` finds in a file. Asks nobody."""
    from detect_secrets.core.scan import scan_file  # noqa: PLC0415 - as below
    from detect_secrets.settings import transient_settings  # noqa: PLC0415 - as below

    text = file.read_text(encoding="utf-8", errors="replace")
    # The library asks every detector about every line: most files need one of twenty-five.
    needed = [name for name, patterns in _detectors() if any(one.search(text) for one in patterns)]
    if not needed:
        return
    settings: dict[str, Any] = {
        "plugins_used": [{"name": name} for name in needed],
        "filters_used": [{"path": f"detect_secrets.filters.{name}"} for name in _FILTERS],
    }
    with transient_settings(settings):
        for secret in scan_file(str(file)):
            by_name = secret.type == _BY_NAME
            what = "a secret, as its name says" if by_name else f"a secret of the kind '{secret.type}'"
            yield LibraryFinding(secret.line_number, what, by_name_only=by_name)


@cache
def _detectors() -> tuple[tuple[str, tuple[re.Pattern[str], ...]], ...]:
    """Give the detectors by name, each with the patterns of which it needs one to find anything.

    What matches within a line matches within the text: to every pattern of theirs a line's end is as good as a blank.
    """
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class  # noqa: PLC0415 - costs 0.2 s
    from detect_secrets.plugins.keyword import DENYLIST, KeywordDetector  # noqa: PLC0415 - as above

    names = re.compile("|".join(DENYLIST), re.IGNORECASE)
    classes: list[Any] = list(get_mapping_from_secret_type_to_class().values())
    return tuple(
        (one.__name__, (names,) if one is KeywordDetector else tuple(one().denylist))
        for one in sorted(classes, key=lambda one: str(one.__name__))
        if one.__name__ not in _LEFT_OUT
    )
