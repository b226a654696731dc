"""The door to `detect-secrets`: its detectors, offline."""

from __future__ import annotations

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
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class  # noqa: PLC0415 - costs 0.2 s
    from detect_secrets.core.scan import scan_file  # noqa: PLC0415 - as above
    from detect_secrets.settings import transient_settings  # noqa: PLC0415 - as above

    classes: list[type] = list(get_mapping_from_secret_type_to_class().values())
    settings: dict[str, Any] = {
        "plugins_used": [{"name": name} for name in sorted(c.__name__ for c in classes) if name not in _LEFT_OUT],
        "filters_used": [{"path": f"detect_secrets.filters.{name}"} for name in _FILTERS],
    }
    with transient_settings(settings):
        for secret in scan_file(str(file)):
            by_name = secret.type == _BY_NAME
            what = "a secret, as its name says" if by_name else f"a secret of the kind '{secret.type}'"
            yield LibraryFinding(secret.line_number, what, by_name_only=by_name)
