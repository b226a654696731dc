"""The seam to the rules: whatever the command line asks `credential_rules` goes through here."""

from __future__ import annotations

from dataclasses import dataclass


class LineRecogniser:
    """The rules' own judgement of what is a credential, for a line of any file."""

    def credential_in(self, line: str, *, is_code: bool) -> str:
        """Name what gives itself away in a line, or a literal given to one of AWS's own names; empty if there is none."""
        from credential_rules import credential_forms as forms  # noqa: PLC0415 - asked only where files are scanned

        found = forms.credential_in(line)
        if found is not None:
            return found.what
        names = (name for name in forms.secrets_assigned_in(line, is_code=is_code) if forms.promise_of(name) == "aws")
        name = next(names, "")
        return f"a literal value for '{name}'" if name else ""

    def assigns_secret(self, line: str, *, is_code: bool) -> bool:
        """Whether a line gives a literal secret to a name that promises one."""
        from credential_rules import credential_forms as forms  # noqa: PLC0415 - as above

        return next(forms.secrets_assigned_in(line, is_code=is_code), None) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class IamAction:
    """An IAM action that AWS has.

    Attributes:
        name: As AWS spells it.
        arn_formats: The ARNs that it can be limited to, such as `arn:${Partition}:sqs:${Region}:${Account}:${QueueName}`,
            those that it needs first; empty: only `*` works.
    """

    name: str
    arn_formats: tuple[str, ...]


def iam_action(name: str) -> IamAction | None:
    """Give the IAM action of that name, in any case; `None` if AWS has none."""
    from credential_rules.iam_actions import action  # noqa: PLC0415 - the database is read when it is asked

    known = action(name)
    if known is None:
        return None
    formats = dict.fromkeys((*known.required_arn_formats, *known.arn_formats))
    return IamAction(name=known.name, arn_formats=tuple(formats))


def actions_of_operation(service: str, operation: str) -> tuple[str, ...]:
    """Give the IAM actions that an operation needs; empty where nothing is known of it."""
    from credential_rules import iam_actions  # noqa: PLC0415 - as above

    return iam_actions.actions_of_operation(service, operation)
