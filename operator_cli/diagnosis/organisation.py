"""The organisation that the function's account belongs to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from operator_cli.diagnosis.questions import Question, Read, Reader

if TYPE_CHECKING:
    from operator_cli.diagnosis.questions import Ask, Unread

ORGANISATION_READ: Final = Read("organizations", "describe_organization", "organizations:DescribeOrganization")
ORGANISATION_KEYS: Final = frozenset({"aws:principalorgid", "aws:resourceorgid"})
"""The condition keys that it gives a value to."""


def read_organisation(ask: Ask) -> tuple[str | None, tuple[Unread, ...]]:
    """Give its id, empty for an account that is in none, and what AWS did not tell: then the id is None."""
    in_none = frozenset({"AWSOrganizationsNotInUseException"})
    with ThreadPoolExecutor(1) as pool:
        reader = Reader(ask, pool)
        (answer,) = reader.told([Question(ORGANISATION_READ, {}, "the account's organisation", in_none)])
    return None if answer is None else str(answer.get("Organization", {}).get("Id", "")), tuple(reader.unread)
