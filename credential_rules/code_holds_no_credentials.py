"""A key in the source is in every clone, every archive and every log of a build."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from credential_rules.rule import Example, Finding, Index, Rule, Source, last_four, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEY_ID = re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Z0-9])")
_PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----")
_SECRET_KEY = re.compile(r"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
_SESSION_TOKEN = re.compile(r"(?<![A-Za-z0-9/+=])(?:FwoGZXIvYXdz|IQoJb3JpZ2lu)[A-Za-z0-9/+=]{60,}")
_SECRET_NAME = re.compile(r"aws_?secret|secret_?(?:access_?)?key|secret_?access", re.IGNORECASE)
_LETTER_CASES: Final = (
    3  # AWS draws secrets from upper case, lower case and digits; a hexadecimal digest has no such mix
)


def _literals_that_are_credentials(_index: Index, source: Source) -> Iterator[Finding]:
    for node in source.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            message = _credential(text, source.names.get(node, ""))
            if message:
                yield Finding(source.at(node), message)


def _credential(text: str, name: str) -> str:
    key_id = _KEY_ID.search(text)
    if key_id:
        return f"The access key id {last_four(key_id[0])} stands in the source: whoever reads the code knows whose key to look for."
    if _PRIVATE_KEY.search(text):
        return "A private key stands in the source: whoever can read the code can sign with it."
    token = _SESSION_TOKEN.search(text)
    if token:
        return f"An AWS session token ({shown(token[0])}) stands in the source: it signs requests until it expires."
    secret = _SECRET_KEY.search(text) if _SECRET_NAME.search(name or text) or _KEY_ID.search(name) else None
    if secret and _is_mixed(secret[0]):
        return f"A secret access key ({shown(secret[0])}) stands in the source: whoever can read the code can sign with it."
    return ""


def _is_mixed(text: str) -> bool:
    return (
        sum((any(c.islower() for c in text), any(c.isupper() for c in text), any(c.isdigit() for c in text)))
        >= _LETTER_CASES
    )


RULE = Rule(
    slug="code-holds-no-credentials",
    group="Source of the functions",
    sentence="No access key, secret key, session token or private key stands in the source.",
    reason=(
        "A key in the source is in every clone, archive and build log, stays in the history when it is deleted, and works"
        " until somebody revokes it. AWS's documented example keys count too: they show where a real one will be put."
    ),
    remedy=(
        "Remove the value and revoke the key, for the history keeps it. Create clients without keys, as in"
        ' boto3.client("sqs"): in Lambda they then use the function\'s role.'
    ),
    on_source=_literals_that_are_credentials,
    bad=(
        Example(
            "keys-in-client-call",
            """
import boto3

sqs = boto3.client(
    "sqs",
    aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
    aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
)
""",
            language="python",
            finding="…MPLE",
        ),
        Example(
            "secret-key-in-settings",
            """
class Settings:
    aws_secret_access_key: str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
""",
            language="python",
            finding="40 characters, not shown",
        ),
        Example(
            "private-key",
            '''
SIGNING_KEY = """-----BEGIN RSA PRIVATE KEY-----
not-a-real-key
-----END RSA PRIVATE KEY-----"""
''',
            language="python",
            finding="private key",
        ),
    ),
    good=(
        Example("client-of-the-role", 'import boto3\n\nsqs = boto3.client("sqs")\n', language="python"),
        Example(
            "digest-and-prefix",
            'COMMIT = "da39a3ee5e6b4b0d3255bfef95601890afd80709"\nPREFIXES = ("AKIA", "ASIA")\nsecret_key_name = "app/api-key"\n',
            language="python",
        ),
    ),
)
