"""Credentials that nobody was ever given, and how to look for their traces."""

from __future__ import annotations

import traceback

REGION = "us-east-1"

KEY_ID = "ASIAEXAMPLEEXAMPLE12"
SECRET = "made-up-secret-EXAMPLE-of-no-account-01"
TOKEN = "made-up-token-EXAMPLE-" + "0123456789" * 20

OTHER_KEY_ID = "ASIAEXAMPLEEXAMPLE34"
OTHER_SECRET = "made-up-secret-EXAMPLE-of-no-account-02"
OTHER_TOKEN = "made-up-token-EXAMPLE-other"

LONG_LIVED_KEY_ID = "AKIAEXAMPLEEXAMPLE56"

_SHOWN = 4
"""Characters of a key id that a message may show."""


def told_by(error: BaseException) -> str:
    """All that an exception can tell whoever prints, logs or looks into it."""
    told = "".join(traceback.format_exception(error))
    chain: list[BaseException] = [error]
    while chain:
        one = chain.pop()
        told += f"\n{one}\n{one!r}\n{one.args!r}\n{one.__dict__!r}"
        chain += [next_one for next_one in (one.__cause__, one.__context__) if next_one is not None]
    return told


def traces(told: str, *, key_id: str = "", secrets: tuple[str, ...] = ()) -> list[str]:
    """What a text gives away: a secret or token in whole, or more of a key id than its end."""
    return [secret for secret in secrets if secret and secret in told] + [
        part for start in range(len(key_id) - _SHOWN) if (part := key_id[start : start + _SHOWN + 1]) in told
    ]
