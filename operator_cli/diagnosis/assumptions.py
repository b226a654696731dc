"""Policies in the best and in the worst case: with conditions on what cannot be known taken to hold, or not to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

_OF_ANY_CALL: Final = frozenset(
    {
        *(
            "aws:principalarn",
            "aws:principalaccount",
            "aws:resourceaccount",
            "aws:requestedregion",
            "aws:securetransport",
        ),
        *("aws:multifactorauthage", "aws:multifactorauthpresent", "aws:username", "ec2:sourceinstancearn"),
        # The evaluator knows that it does not know them.
        *("aws:currenttime", "aws:epochtime", "aws:useragent", "aws:userid", "aws:principaltype"),
        *("aws:viaawsservice", "aws:sourceip", "aws:principalisawsservice", "aws:principalservicename"),
        *("aws:federatedprovider",),
    }
)
OF_CODE: Final = _OF_ANY_CALL | {
    # Stated.
    *("aws:sourcevpc", "aws:sourceaccount", "aws:sourcearn", "lambda:sourcefunctionarn"),
    # In no call that a function's code makes as its role.
    *("aws:calledvia", "aws:calledviafirst", "aws:calledvialast"),
}
"""The keys whose values are known of a call that a function's code makes, or that it surely has not."""
OF_SERVICE: Final = _OF_ANY_CALL | {"kms:viaservice", "kms:calleraccount"}
"""Likewise of a call that a service makes with the function's role; through what network it goes nobody documents."""


def in_best_case(document: Mapping[str, Any], known: AbstractSet[str] = OF_CODE) -> dict[str, Any]:
    """Give the policy as it allows most: whatever is not known about a call speaks for it."""
    return _assuming(document, known, favoured="Allow")


def in_worst_case(document: Mapping[str, Any], known: AbstractSet[str] = OF_CODE) -> dict[str, Any]:
    """Give the policy as it allows least: whatever is not known about a call speaks against it."""
    return _assuming(document, known, favoured="Deny")


def unknown_keys(document: Mapping[str, Any], known: AbstractSet[str] = OF_CODE) -> set[str]:
    """Give the condition keys whose values nobody can know from here: the organisation, tags of a resource, its keys."""
    return {key for statement in _statements(document) for key in _unknown(statement, known)}


def _assuming(document: Mapping[str, Any], known: AbstractSet[str], *, favoured: str) -> dict[str, Any]:
    statements = []
    for statement in _statements(document):
        unknown = _unknown(statement, known)
        if not unknown or statement.get("Effect") not in ("Allow", "Deny"):
            # Of what is neither, and may be no text at all, the evaluator says so.
            statements.append(statement)
        elif statement.get("Effect") == favoured:
            # Taken to hold. A condition that was all there was leaves a statement without any.
            kept = {
                operator: {key: value for key, value in keys.items() if key not in unknown}
                for operator, keys in statement["Condition"].items()
            }
            statements.append({**statement, "Condition": {operator: keys for operator, keys in kept.items() if keys}})
    return {**document, "Statement": statements}


def _statements(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    written = document.get("Statement")
    for statement in written if isinstance(written, list) else [written]:
        if isinstance(statement, dict):
            yield statement


def _unknown(statement: Mapping[str, Any], known: AbstractSet[str]) -> set[str]:
    condition = statement.get("Condition")
    if not isinstance(condition, dict) or not all(isinstance(keys, dict) for keys in condition.values()):
        return set()
    return {key for keys in condition.values() for key in keys if not _is_known(key.lower(), known)}


def _is_known(key: str, known: AbstractSet[str]) -> bool:
    return key in known or key.startswith("aws:principaltag/")
