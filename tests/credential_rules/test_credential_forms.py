"""One recogniser tells credentials from names, references and numbers."""

from __future__ import annotations

import random
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credential_rules.credential_forms import (
    called_credential_in,
    credential_in,
    is_secret,
    promise_of,
    secret_called,
    secrets_assigned_in,
)

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
LETTERS = string.ascii_letters + string.digits


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (KEY_ID, "access key id …MPLE"),
        ("AKIAI44QH8DHBEXAMPLE", "access key id …MPLE"),
        ("ASIAIOSFODNN7EXAMPLE", "access key id …MPLE"),
        (f"{KEY_ID}:{SECRET_KEY}", "with its secret"),
        (SECRET_KEY, "secret access key"),
        (f"aws_secret_access_key = {SECRET_KEY}", "secret access key"),
        (f"AWS_SECRET_ACCESS_KEY={SECRET_KEY}", "secret access key"),
        ("IQoJb3JpZ2luX2VjE" + "a1B" * 40, "session token"),
        ("FwoGZXIvYXdzE" + "a1B" * 40, "session token"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII", "private key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
        ("-----BEGIN PRIVATE KEY-----", "private key"),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----", "private key"),
        ("ABSKQmVkcm9ja0FQSUtleS1abcdEFGH1234" + "aB3" * 30, "Bedrock API key"),
        ("ghp_aBcdefghijklmnopqrstuvwxyz0123456789", "GitHub token"),
        ("github_pat_11AAAAAAA0aBcdefghijkl_mnopqrstuvwxyz", "GitHub token"),
        ("glpat-aBcdefghijklmnop1234", "GitLab token"),
        ("xoxb-123456789012-123456789012-abcdefghijklmnopqrstuvwx", "Slack token"),
        ("https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX", "Slack webhook"),
        ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "Stripe key"),
        ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "Google API key"),
        ("npm_aBcdefghijklmnopqrstuvwxyz0123456789", "npm token"),
        ("pypi-AgEIcHlwaS5vcmcCJDU3YTM5ZjBhLTk5YzQtNDM", "PyPI token"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P", "JSON web token"),
        ("postgres://app:hunter2@db.example.net:5432/app", "URL with a password"),
        ("redis://:hunter2@cache.example.net", "URL with a password"),
        ("https://x-access-token:abcdef@github.com/a/b.git", "URL with a password"),
        ("Authorization: Basic YWRtaW46aHVudGVyMjEyMw==", "Basic authorization header"),
        ("AccountName=a;AccountKey=" + "aB3/" * 21 + "ab==", "account key"),
    ],
)
def test_credential_gives_itself_away(text: str, what: str) -> None:
    """Well-known forms are found whatever they are called, alone and amid other text; AWS's own examples too."""
    for written in (text, f"first\n{text}\nlast", f"'{text}'"):
        found = credential_in(written) or called_credential_in(written, "secret_key")
        assert found is not None
        assert what in found.what


@pytest.mark.parametrize(
    "text",
    [
        "",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders/db-AbCdEf",
        "arn:aws:lambda:eu-west-1:123456789012:function:EventsApiFunctionServiceRole0A1B2C3D",
        "assets/EventsApi/Release2024/BuildArtifacts1",
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "AROAIOSFODNN7EXAMPLE",
        "AIDAIOSFODNN7EXAMPLE",
        "ASIAPACIFICSOUTHEAST",
        "AKIA",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7 user@host",
        "https://login.example.net/oauth2/token?client_id=abc",
        "https://user@host.example.net/path",
        "https://host.example.net:8080/a@b",
        "postgres://${User}:${Password}@db.example.net/app",
        "postgres://{user}:{password}@{host}/app",
        "postgres://<user>:<password>@host/app",
        "SGVsbG8gd29ybGQsIHRoaXMgaXMgYSB0ZXN0ISEh",
        "com.amazonaws.eu-west-1.dynamodb",
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEvQ==",
        "The bearer must present a token to the service",
        "EventsTableTriggersTableServiceRole0A1B2",
    ],
)
def test_other_text_is_no_credential(text: str) -> None:
    """Digests, ARNs, paths, certificates, ids and addresses are what templates are full of."""
    assert credential_in(text) is None
    assert list(secrets_assigned_in(text)) == []


@pytest.mark.parametrize(
    "name",
    [
        *("DB_PASSWORD", "dbPassword", "dbpassword", "MasterUserPassword", "PGPASSWORD", "DB_PASS", "--db-password"),
        *("CLIENT_SECRET", "JWT_SECRET", "SECRET_KEY", "secretKey", "API_KEY", "apikey", "X-Api-Key", "PrivateKey"),
        *("GITHUB_TOKEN", "OAuthToken", "HECToken", "AuthToken", "SECRET_KEY_BASE", "PASSWORD_PROD", "PASSWORD1"),
        *("spring.datasource.password", "PreSharedKey", "KeyPassphrase", "DB_PASSWORD_2"),
    ],
)
def test_name_promises_a_secret(name: str) -> None:
    """In whatever case and style people write names."""
    assert promise_of(name) == "secret"


@pytest.mark.parametrize(
    "name",
    [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_SECRET_KEY",
        "aws_access_key_id",
        "awsSecretAccessKey",
        "MY_AWS_ACCESS_KEY_ID",
        "AccessKeyId",
        "AWS_BEARER_TOKEN_BEDROCK",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    ],
)
def test_name_promises_an_aws_credential(name: str) -> None:
    """These are read by SDKs or meant for them: any value is a fault."""
    assert promise_of(name) == "aws"


@pytest.mark.parametrize(
    "name",
    [
        *("TokenUrl", "KeyId", "KmsKeyId", "TABLE_KEY", "PARTITION_KEY", "PUBLIC_KEY", "SECRET_ARN", "SecretName"),
        *(
            "SECRET_ID",
            "SECRETS_PATH",
            "PASSWORD_MIN_LENGTH",
            "PasswordPolicy",
            "MAX_TOKENS",
            "NEXT_TOKEN",
            "HttpTokens",
        ),
        *("GenerateSecret", "ManageMasterUserPassword", "ApiKeyRequired", "ApiKeySourceType", "TokenValidityUnits"),
        *("AWS_SECRET_ARN", "API_KEY_SECRET_NAME", "PreTokenGeneration", "RESET_PASSWORD_URL", "SecretStringTemplate"),
        *("AWS::IAM::AccessKey", "TOKENIZERS_PARALLELISM", "PASSWORD_FILE", "EncryptedPassword", "monkey", "STAGE"),
        *("TokenKeyId", "KeyName", "AUTHOR", "PASSENGER_COUNT", "COMPASS", "SECRETARY"),
    ],
)
def test_name_promises_nothing(name: str) -> None:
    """Words about secrets are no secrets: addresses, names, lengths, policies, public halves."""
    assert promise_of(name) == "none"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("DB_PASSWORD", "hunter2"),
        ("DB_PASSWORD", "CHANGEME"),
        ("DB_PASSWORD", "12345678"),
        ("TOKEN", "abc"),
        ("JWT_SECRET", "my-jwt-secret"),
        ("ENCRYPTION_KEY", "kJ8sd9f8s7df6g5h4j3k2l1"),
    ],
)
def test_literal_is_a_secret(name: str, text: str) -> None:
    """A default password is one, however obvious: it is what will be deployed."""
    assert is_secret(text, name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("DB_PASSWORD", ""),
        ("DB_PASSWORD", "/prod/db/password"),
        ("DB_PASSWORD", "${DB_PASSWORD}"),
        ("DB_PASSWORD", "<password>"),
        ("DB_PASSWORD", "arn:aws:ssm:eu-west-1:123456789012:parameter/db"),
        ("DB_SECRET", "prod/orders/db"),
        ("TOKEN", "https://login.example.net/token"),
        ("TOKEN", "3600"),
        ("USE_PASSWORD", "true"),
        ("PASSWORD", "true"),
        ("ENCRYPTION_KEY", "alias/orders"),
        ("ENCRYPTION_KEY", "1234abcd-12ab-34cd-56ef-1234567890ab"),
        ("PRIVATE_KEY", "keys/private.pem"),
        ("ApiKey", "$.apiKey"),
        ("SECRET_ARN", "hunter2"),
    ],
)
def test_literal_is_no_secret(name: str, text: str) -> None:
    """Empty text, references, placeholders, addresses and switches."""
    assert not is_secret(text, name)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("export DB_PASSWORD=hunter2", ["DB_PASSWORD"]),
        ("[client]\nuser=app\npassword = hunter2\n", ["password"]),
        ("Server=db;User Id=app;Password=hunter2;", ["Password"]),
        ("jdbc:mysql://db/app?user=app&password=hunter2", ["password"]),
        ('{"username": "app", "password": "hunter2"}', ["password"]),
        ('[{"name": "DB_PASSWORD", "value": "hunter2"}]', ["DB_PASSWORD"]),
        ("start --db-password hunter2", ["db-password"]),
        ("aws configure set aws_secret_access_key abcdef12", ["aws_secret_access_key"]),
        ("mysql -u root -phunter2 app", ["mysql"]),
        ("curl -u app:hunter2 https://example.net", ["curl"]),
        ("echo 'root:hunter2' | chpasswd", ["echo"]),
        ("CREATE USER app IDENTIFIED BY 'hunter2'", ["IDENTIFIED"]),
    ],
)
def test_script_assigns_a_secret(text: str, names: list[str]) -> None:
    """Shell, INI, YAML, JSON, connection strings, flags and the usual commands."""
    assert list(secrets_assigned_in(text)) == names


@pytest.mark.parametrize(
    "text",
    [
        "DB_PASSWORD=$(aws secretsmanager get-secret-value --secret-id db --query SecretString --output text)",
        "DB_PASSWORD=`cat /run/secrets/db`",
        "TOKEN=$1",
        "start --password $DB_PASSWORD",
        'start --password "$DB_PASSWORD" --secret-id prod/db',
        "password = os.environ['DB_PASSWORD']",
        "connect(password=password)",
        "token = event['token']",
        "aws ecr get-login-password | docker login --username AWS --password-stdin registry.example.net",
        "Password: must contain at least 8 characters",
        '[{"name": "DB_PASSWORD", "value": "prod/db", "type": "SECRETS_MANAGER"}]',
        "password={{ password }}",
        "mysql -u root -p app",
    ],
)
def test_computed_secret_is_no_literal(text: str) -> None:
    """What a script fetches, is given or hands on does not stand in it."""
    assert list(secrets_assigned_in(text)) == []


@given(st.text(max_size=300), st.text(max_size=60))
def test_any_text_gets_an_answer(text: str, name: str) -> None:
    """No text makes the recogniser raise."""
    assert isinstance(secret_called(text, name), str)
    assert promise_of(name) in {"aws", "secret", "maybe", "none"}
    list(secrets_assigned_in(text, is_code=True))


@given(
    st.text(alphabet=LETTERS + "!#%+-_", min_size=8, max_size=40),
    st.sampled_from(["PASSWORD", "AWS_SECRET_ACCESS_KEY"]),
)
def test_answer_never_holds_the_value(text: str, name: str) -> None:
    """Messages, logs and reports are read by more people than secrets are meant for."""
    for written in (text, f"{name}={text}", f"postgres://app:{text}@db.example.net/app"):
        assert text not in secret_called(written, name).replace("characters, not shown", "")


@given(st.binary(min_size=16, max_size=64))
def test_digest_is_no_credential(raw: bytes) -> None:
    """Hexadecimal text of any length is a digest or an id."""
    assert credential_in(raw.hex()) is None


def test_most_secret_keys_are_found_without_their_name() -> None:
    """40 characters drawn at random are found alone; the few that look like words need their name."""
    draw = random.Random(20261120)  # noqa: S311 (a test's draw)
    keys = ["".join(draw.choices(LETTERS + "+/", k=40)) for _ in range(2000)]
    assert sum(credential_in(key) is not None for key in keys) > 1600
    assert all(called_credential_in(key, "SECRET_KEY") for key in keys if any(c.isdigit() for c in key))


@pytest.mark.parametrize("unit", ["a", "A1", "password", "a.b-", "key=", "x:y@", "eyJa.", "AKIA", '\\"name', "--pass "])
def test_long_text_takes_linear_time(unit: str) -> None:
    """A long run of one pattern must not be read again from each of its characters."""
    started = time.process_time()
    secret_called(unit * (200_000 // len(unit)), "CONTENT")
    assert time.process_time() - started < 2
