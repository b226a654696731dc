"""Policies in the best and in the worst case: with conditions on what cannot be known taken to hold, or not to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_KNOWN: Final = frozenset(
    {
        # Stated for every call.
        *("aws:principalarn", "aws:principalaccount", "aws:resourceaccount", "aws:requestedregion"),
        *("aws:securetransport", "aws:sourcevpc", "aws:sourceaccount", "aws:sourcearn", "lambda:sourcefunctionarn"),
        # In no call that a function's code makes as its role.
        *("aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:multifactorauthage"),
        *("aws:multifactorauthpresent", "aws:username", "ec2:sourceinstancearn", "aws:federatedprovider"),
        # The evaluator knows that it does not know them.
        *("aws:currenttime", "aws:epochtime", "aws:useragent", "aws:userid", "aws:principaltype"),
        *("aws:viaawsservice", "aws:sourceip", "aws:principalisawsservice", "aws:principalservicename"),
    }
)


def in_best_case(document: Mapping[str, Any]) -> dict[str, Any]:
    """Give the policy as it allows most: whatever is not known about a call speaks for it."""
    return _assuming(document, favoured="Allow")


def in_worst_case(document: Mapping[str, Any]) -> dict[str, Any]:
    """Give the policy as it allows least: whatever is not known about a call speaks against it."""
    return _assuming(document, favoured="Deny")


def unknown_keys(document: Mapping[str, Any]) -> set[str]:
    """Give the condition keys whose values nobody can know from here: the organisation, tags of a resource, its keys."""
    return {key for statement in _statements(document) for key in _unknown(statement)}


def _assuming(document: Mapping[str, Any], *, favoured: str) -> dict[str, Any]:
    statements = []
    for statement in _statements(document):
        unknown = _unknown(statement)
        if not unknown:
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


def _unknown(statement: Mapping[str, Any]) -> set[str]:
    condition = statement.get("Condition")
    if not isinstance(condition, dict) or not all(isinstance(keys, dict) for keys in condition.values()):
        return set()
    return {key for keys in condition.values() for key in keys if not _is_known(key.lower())}


def _is_known(key: str) -> bool:
    return key in _KNOWN or key.startswith("aws:principaltag/")
