"""A key in the source is in every clone, every archive and every log of a build."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from credential_rules.credential_forms import called_credential_in, is_secret, looks_drawn, promise_of
from credential_rules.rule import Example, Finding, Index, Rule, Source, shown

if TYPE_CHECKING:
    from collections.abc import Iterator


def _literals_that_are_credentials(_index: Index, source: Source) -> Iterator[Finding]:
    prose = {node.value for node in source.nodes if isinstance(node, ast.Expr)}
    for node in source.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            what = _credential(text, source.names.get(node, ""))
            # A docstring's postgres://user:password@host shows a form.
            if what and not (node in prose and what.startswith("a URL")):
                yield Finding(
                    source.at(node),
                    f"The source holds {what}: whoever can read the code can use it until somebody revokes it.",
                )


def _credential(text: str, name: str) -> str:
    found = called_credential_in(text, name)
    if found is not None:
        return found.what
    # Code has many words beside names like `token`: only what nobody would call a word is a secret for its name alone.
    if promise_of(name) != "none" and looks_drawn(text) and is_secret(text, name):
        return f"the secret '{name}' ({shown(text)})"
    return ""


RULE = Rule(
    slug="code-holds-no-credentials",
    group="Source of the functions",
    sentence="No access key, secret key, token, private key or password stands in the source.",
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
        Example(
            "token-and-password",
            """
import os

os.environ.setdefault("SLACK", "xoxb-123456789012-123456789012-abcdefghijklmnopqrstuvwx")
DATABASE = "postgres://app:hunter2@db.example.net/app"
""",
            language="python",
            finding="a URL with a password",
        ),
        Example(
            "password-by-its-name",
            'connect(host="db.example.net", password="P4ssw0rd!")\n',
            language="python",
            finding="the secret 'password'",
        ),
    ),
    good=(
        Example("client-of-the-role", 'import boto3\n\nsqs = boto3.client("sqs")\n', language="python"),
        Example(
            "digest-and-prefix",
            'COMMIT = "da39a3ee5e6b4b0d3255bfef95601890afd80709"\nPREFIXES = ("AKIA", "ASIA")\nsecret_key_name = "app/api-key"\n',
            language="python",
        ),
        Example(
            "names-and-forms",
            '''
"""Connects to postgres://user:password@host/database."""
import os

password = os.environ["DB_PASSWORD"]
url = f"postgres://app:{password}@db.example.net/app"
template = "postgres://{user}:{password}@{host}/app"
fields = {"token": "Token", "password": "password"}
TOKEN_URL = "https://login.example.net/oauth2/v2"
''',
            language="python",
        ),
    ),
)
