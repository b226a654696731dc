"""The seam to the rules: whatever the command line asks `credential_rules` goes through here."""

from __future__ import annotations


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
