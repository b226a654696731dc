"""The incident that this project exists for, reproduced and cured on local AWS."""

from __future__ import annotations

STACK = "Rolebound-incident"
CODE_VARIABLE = "LOCAL_AWS_INCIDENT_CODE"
"""Names the folder with the functions' code to the CDK application."""

SEED = "seed"
ROLE_ONLY = "role-only"
FUNCTIONS = (SEED, ROLE_ONLY)
"""The two functions: the one built as in the seed, and the same on the role-only factory."""


def function_name(name: str) -> str:
    """The physical name of a function and of its role."""
    return f"rolebound-incident-{name}"
