"""The seam to the rules: whatever the command line asks `credential_rules` goes through this package.

Here is what a text, a name or an action says; a deployed function and its role are judged in the modules beside it. Each
part of the rules is imported where it is asked for: most commands need none of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class LineRecogniser:
    """The rules' own judgement of what is a credential, for a line of any file."""

    def credential_in(self, line: str, *, is_code: bool) -> str:
        """Name what gives itself away in a line, or a literal given to a name that promises a secret; empty if there is none."""
        from credential_rules import credential_forms as forms  # noqa: PLC0415 - asked only where files are scanned

        found = forms.credential_in(line)
        if found is not None:
            return found.what
        # In code `password = "…"` is a label as often as a secret: there only AWS's own names count.
        names = forms.drawn_secrets_in(line, is_code=is_code)
        name = next((name for name in names if not is_code or forms.promise_of(name) == "aws"), "")
        return f"a literal value for '{name}'" if name else ""

    def assigns_secret(self, line: str, *, is_code: bool) -> bool:
        """Whether a line gives a literal secret to a name that promises one."""
        from credential_rules import credential_forms as forms  # noqa: PLC0415 - as above

        return next(forms.secrets_assigned_in(line, is_code=is_code), None) is not None


def secret_spans(line: str) -> Iterator[tuple[int, int]]:
    """Give where secrets stand in a line of any text, by the same judgement as `LineRecogniser`."""
    from credential_rules.credential_forms import secret_spans as spans  # noqa: PLC0415 - as above

    return spans(line)


def promises_secret(name: str, value: str) -> bool:
    """Whether a name promises a secret, and the value given to it can be one and is no placeholder or reference."""
    from credential_rules import credential_forms as forms  # noqa: PLC0415 - as above

    return forms.promise_of(name) != "none" and forms.is_secret(value, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class IamAction:
    """An IAM action that AWS has.

    Attributes:
        name: As AWS spells it.
        arn_formats: The ARNs that it can be limited to, such as `arn:${Partition}:sqs:${Region}:${Account}:${QueueName}`,
            those that it needs first; empty: only `*` works.
        needed: Those of them that every call is judged on.
    """

    name: str
    arn_formats: tuple[str, ...]
    needed: tuple[str, ...] = ()


def iam_action(name: str) -> IamAction | None:
    """Give the IAM action of that name, in any case; `None` if AWS has none."""
    from credential_rules.iam_actions import action  # noqa: PLC0415 - the database is read when it is asked

    known = action(name)
    if known is None:
        return None
    formats = dict.fromkeys((*known.required_arn_formats, *known.arn_formats))
    return IamAction(name=known.name, arn_formats=tuple(formats), needed=tuple(known.required_arn_formats))


def actions_of_operation(service: str, operation: str) -> tuple[str, ...]:
    """Give the IAM actions that an operation needs; empty where nothing is known of it."""
    from credential_rules import iam_actions  # noqa: PLC0415 - as above

    return iam_actions.actions_of_operation(service, operation)


def arn_of(named: str, action: str, function: str) -> str:
    """Give the ARN of what is named where a function calls an action, with `*` and `?` for what the name does not say.

    Empty if the name does not tell which resource it is.
    """
    from credential_rules.called_arns import arn_of  # noqa: PLC0415 - as above

    return arn_of(named, action, function.rpartition(":function:")[0])


def resources_of_all(action: str, function: str) -> tuple[str, ...]:
    """Give one resource of each kind that an action may be on, with a name that no policy has."""
    from credential_rules.called_arns import arns_of_all, one_of  # noqa: PLC0415 - as above

    return tuple(one_of(pattern) for pattern in arns_of_all(action, function.rpartition(":function:")[0]))


def one_of(pattern: str) -> str:
    """Give a resource that a pattern stands for, whose unknown parts are like no name that a policy has."""
    from credential_rules.called_arns import one_of  # noqa: PLC0415 - as above

    return one_of(pattern)


def may_be_same(first: str, second: str) -> bool:
    """Say whether one resource can be what two patterns stand for."""
    from credential_rules.called_arns import may_be_same  # noqa: PLC0415 - as above

    return may_be_same(first, second)


def is_one_secret(arn: str, pattern: str) -> bool:
    """Say whether an ARN is that of the one secret that a pattern names without its six characters."""
    from credential_rules.called_arns import is_one_secret  # noqa: PLC0415 - as above

    return is_one_secret(arn, pattern)


def with_secret_suffix(arn: str) -> str:
    """Give a secret's ARN as policies match it, with `?` for the six characters that it lacks."""
    from credential_rules.arns import with_secret_suffix  # noqa: PLC0415 - as above

    return with_secret_suffix(arn)


def answers_for(endpoint: str, service: str) -> bool:
    """Say whether the address of an endpoint (`monitoring`) is that of an IAM prefix (`cloudwatch`)."""
    from credential_rules.called_services import answers_for as answers  # noqa: PLC0415 - as above

    return answers(endpoint, service)


def key_actions(action: str) -> tuple[str, ...]:
    """Give what a role needs on the customer's key that encrypts what an action is done to."""
    from credential_rules.needs import actions_on_key  # noqa: PLC0415 - as above

    return actions_on_key(action)
