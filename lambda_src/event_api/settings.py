"""What a function reads from its environment, besides its role."""

from __future__ import annotations

import os


class SettingMissing(Exception):
    """A variable that the deployment sets for this function is not there."""


def required(name: str) -> str:
    """Give the value of a variable that the deployment must have set.

    Args:
        name: The variable's name.

    Returns:
        Its value, never empty.

    Raises:
        SettingMissing: It is absent or empty.
    """
    value = os.environ.get(name, "")
    if not value:
        raise SettingMissing(
            f"The variable {name} is not set, so this function does not know what to work on. It is set by the stack "
            "that deploys the function: deploy it again with `make deploy` (or `make up` locally)."
        )
    return value
