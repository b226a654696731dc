"""Every way in which people write a credential into a file, and everything that only looks like one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

from operator_cli.rule_checks import LineRecogniser
from operator_cli.scanning.detectors import _FILTERS, _detectors, library_findings
from operator_cli.scanning.secret_scan import read_file

if TYPE_CHECKING:
    from pathlib import Path

    from operator_cli.scanning.secret_scan import Leak

KEY: Final = "qT8vLr2Nf0/ZyPw4KdXb" + "E6mUaHs9JcGi1OoR+3tB"
"""A made-up secret access key, which `@KEY@` stands for below."""
PASSWORD: Final = "hunter2horse"
"""A made-up password, which `@PASSWORD@` stands for below: it has no form that gives it away."""

HOLDS: Final = {
    "run.sh": (
        "export AWS_SECRET_ACCESS_KEY=\\\n@KEY@",
        "tool --secret-key @KEY@",
        "tool --secret-key @PASSWORD@",
        "tool --aws-secret-access-key=@KEY@",
        "tool --aws-secret-access-key=@PASSWORD@",
        "tool --aws-secret-access-key '@KEY@'",
        "aws configure set aws_secret_access_key @KEY@",
        "aws configure set aws_secret_access_key @KEY@ --profile x",
        "aws configure set profile.x.aws_secret_access_key @KEY@",
        "aws --profile x configure set aws_secret_access_key @KEY@",
        "docker run -e AWS_SECRET_ACCESS_KEY=@PASSWORD@ image",
        'docker run -e "AWS_SECRET_ACCESS_KEY=@KEY@" image',
        "docker run --env AWS_SECRET_ACCESS_KEY=@KEY@ image",
        "docker run --env=AWS_SECRET_ACCESS_KEY=@KEY@ image",
        "curl -u admin:@PASSWORD@ https://x.example",
        "curl --user 'admin:@PASSWORD@' https://x",
        "curl -uadmin:@PASSWORD@ https://x",
        "curl https://admin:@PASSWORD@@x.example/",
        'curl -s -u "admin:@PASSWORD@" x',
        "curl --user=admin:@PASSWORD@ x",
        "terraform apply -var db_password=@PASSWORD@",
        "terraform apply -var 'db_password=@PASSWORD@'",
        "AWS_SECRET_ACCESS_KEY=@KEY@ aws s3 ls",
        "AWS_SECRET_ACCESS_KEY=@PASSWORD@ AWS_ACCESS_KEY_ID=x aws s3 ls",
        "env AWS_SECRET_ACCESS_KEY=@PASSWORD@ aws s3 ls",
        'declare -x AWS_SECRET_ACCESS_KEY="@PASSWORD@"',
        "read -r AWS_SECRET_ACCESS_KEY <<< @KEY@",
        "kubectl create secret generic x --from-literal=password=@PASSWORD@",
        "kubectl create secret generic x --from-literal=aws_secret_access_key=@KEY@",
        "helm install --set db.password=@PASSWORD@",
        "gh secret set AWS_SECRET_ACCESS_KEY --body @PASSWORD@",
        'gh secret set AWS_SECRET_ACCESS_KEY -b"@PASSWORD@"',
        "heroku config:set AWS_SECRET_ACCESS_KEY=@PASSWORD@",
        "s3cmd --access_key=x --secret_key=@PASSWORD@",
        "rclone config create r s3 secret_access_key @KEY@",
        "mc alias set m https://x minioadmin @KEY@",
        "mysql -uroot -p@PASSWORD@ db",
        "PGPASSWORD=@PASSWORD@ psql",
        "aws secretsmanager create-secret --name x --secret-string @PASSWORD@",
        "aws ssm put-parameter --name /x --type SecureString --value @PASSWORD@",
        "aws rds create-db-instance --master-user-password @PASSWORD@",
    ),
    "README.md": (
        "docker run -e AWS_SECRET_ACCESS_KEY=@KEY@ image",
        "aws_secret_access_key: @KEY@",
        "| AWS_SECRET_ACCESS_KEY | @KEY@ |",
        "`export AWS_SECRET_ACCESS_KEY=@PASSWORD@`",
    ),
    "values.yaml": (
        "AWS_SECRET_ACCESS_KEY: |\n  @KEY@",
        "database:\n  password: >-\n    @PASSWORD@",
        "password:\n  '@PASSWORD@'",
        'SecretString: \'{"username": "app", "password": "@PASSWORD@"}\'',
        "AWS_SECRET_ACCESS_KEY: @KEY@",
        'AWS_SECRET_ACCESS_KEY: "@KEY@"',
        "  - AWS_SECRET_ACCESS_KEY=@KEY@",
        '  - "AWS_SECRET_ACCESS_KEY=@KEY@"',
        "{AWS_SECRET_ACCESS_KEY: @KEY@, A: b}",
        "- name: AWS_SECRET_ACCESS_KEY\n  value: @KEY@\n",
        "- name: DB_PASSWORD\n  value: @PASSWORD@\n",
        '- name: AWS_SECRET_ACCESS_KEY\n  value: "@KEY@"\n',
        "env: [{name: AWS_SECRET_ACCESS_KEY, value: @KEY@}]",
    ),
    "task.json": (
        '{"AWS_SECRET_ACCESS_KEY": "@KEY@"}',
        '{"secretAccessKey":"@KEY@"}',
        '{"name": "AWS_SECRET_ACCESS_KEY", "value": "@KEY@"}',
        '{\n"name": "AWS_SECRET_ACCESS_KEY",\n"value": "@KEY@"\n}',
        '{\n"name": "DB_PASSWORD",\n"value": "@PASSWORD@"\n}',
        '{"Key": "AWS_SECRET_ACCESS_KEY", "Value": "@KEY@"}',
        '{"ParameterKey": "DbPassword", "ParameterValue": "@PASSWORD@"}',
        '["--secret-key", "@KEY@"]',
        '["--secret-key", "@PASSWORD@"]',
    ),
    "settings.toml": (
        'aws_secret_access_key = "@KEY@"',
        "secret_key = '@PASSWORD@'",
        'env = { AWS_SECRET_ACCESS_KEY = "@KEY@" }',
    ),
    ".env": (
        "AWS_SECRET_ACCESS_KEY=@KEY@",
        "AWS_SECRET_ACCESS_KEY = @KEY@",
        "AWS_SECRET_ACCESS_KEY=@PASSWORD@",
        "export AWS_SECRET_ACCESS_KEY='@PASSWORD@'",
    ),
    "set.ps1": (
        '$Env:AWS_SECRET_ACCESS_KEY = "@KEY@"',
        '$Env:AWS_SECRET_ACCESS_KEY="@PASSWORD@"',
        "$env:DB_PASSWORD = '@PASSWORD@'",
        '${env:AWS_SECRET_ACCESS_KEY} = "@KEY@"',
        "[Environment]::SetEnvironmentVariable('AWS_SECRET_ACCESS_KEY', '@PASSWORD@', 'User')",
        "Set-AWSCredential -AccessKey x -SecretKey @PASSWORD@",
        "Set-Item Env:AWS_SECRET_ACCESS_KEY @PASSWORD@",
    ),
    "set.bat": (
        "set AWS_SECRET_ACCESS_KEY=@KEY@",
        'set "AWS_SECRET_ACCESS_KEY=@PASSWORD@"',
        "setx AWS_SECRET_ACCESS_KEY @KEY@",
        'setx AWS_SECRET_ACCESS_KEY "@PASSWORD@"',
        "setx AWS_SECRET_ACCESS_KEY @PASSWORD@ /M",
        "setx /M AWS_SECRET_ACCESS_KEY @PASSWORD@",
    ),
    "Dockerfile": (
        "ENV AWS_SECRET_ACCESS_KEY @KEY@",
        "ENV AWS_SECRET_ACCESS_KEY=@KEY@",
        "ENV AWS_SECRET_ACCESS_KEY @PASSWORD@",
        "ENV A=b AWS_SECRET_ACCESS_KEY=@PASSWORD@",
        "ARG DB_PASSWORD=@PASSWORD@",
    ),
    "config.fish": (
        "set -gx AWS_SECRET_ACCESS_KEY @PASSWORD@",
        "set -x AWS_SECRET_ACCESS_KEY @KEY@",
    ),
    "set.csh": ("setenv AWS_SECRET_ACCESS_KEY @PASSWORD@",),
    "main.tf": (
        '  secret_key = "@KEY@"',
        '  secret_key = "@PASSWORD@"',
    ),
    "prod.tfvars": ('db_password = "@PASSWORD@"',),
    "app.properties": (
        "aws.secretKey=@KEY@",
        "spring.datasource.password=@PASSWORD@",
    ),
    "web.xml": (
        "<secretKey>@KEY@</secretKey>",
        "<password>@PASSWORD@</password>",
        '<add key="AWSSecretKey" value="@KEY@"/>',
        '<add key="DbPassword" value="@PASSWORD@"/>',
    ),
    "app.py": (
        "AWS_SECRET_ACCESS_KEY = (\n    '@KEY@'\n)",
        "client = boto3.client('sqs', aws_secret_access_key=\n    '@KEY@',\n)",
        'boto3.client("s3", aws_secret_access_key="@KEY@")',
        "os.environ['AWS_SECRET_ACCESS_KEY'] = '@KEY@'",
        "os.environ['DB_PASSWORD'] = '@PASSWORD@'",
        "os.environ.setdefault('AWS_SECRET_ACCESS_KEY', '@KEY@')",
        "subprocess.run(['tool', '--secret-key', '@KEY@'])",
    ),
    "app.js": (
        "process.env.AWS_SECRET_ACCESS_KEY = '@KEY@';",
        "const c = { secretAccessKey: '@KEY@' }",
    ),
    "main.go": ('os.Setenv("AWS_SECRET_ACCESS_KEY", "@KEY@")',),
    "app.service": (
        "Environment=AWS_SECRET_ACCESS_KEY=@PASSWORD@",
        'Environment="AWS_SECRET_ACCESS_KEY=@PASSWORD@"',
    ),
    "app.plist": ("<key>AWS_SECRET_ACCESS_KEY</key><string>@KEY@</string>",),
    "credentials": (
        "aws_secret_access_key=@PASSWORD@",
        "aws_secret_access_key      =     @PASSWORD@",
    ),
    "netrc": ("machine x login admin password @PASSWORD@",),
}
HOLDS_NONE: Final = {
    "run.sh": (
        "tool --secret-key <secret>",
        "tool --secret-key ${SECRET}",
        "tool --secret-key $SECRET",
        "tool --secret-key xxxx",
        "tool --secret-key XXXXXXXXXXXX",
        "tool --secret-key ********",
        "tool --secret-key YOUR_SECRET_KEY",
        "tool --secret-key your-secret-key",
        "tool --secret-key {{ secret }}",
        "tool --secret-key %SECRET%",
        'tool --secret-key "$(pass show aws)"',
        "tool --secret-key-file /run/secrets/key",
        "tool --secret-arn arn:aws:secretsmanager:eu-west-1:1:secret:x",
        "aws configure set aws_secret_access_key $SECRET",
        "aws configure set aws_secret_access_key <your secret>",
        "aws configure get aws_secret_access_key",
        'aws configure set aws_session_token "$TOKEN"',
        "docker run -e AWS_SECRET_ACCESS_KEY image",
        "docker run -e AWS_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY image",
        "docker run -e AWS_SECRET_ACCESS_KEY=${AWS_SECRET_ACCESS_KEY} image",
        "curl -u admin:$PASSWORD https://x",
        "curl -u admin https://x",
        "curl -u <user>:<password> https://x",
        "curl -u user:password https://x",
        "curl -H 'Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261125/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024'",
        "unset AWS_SECRET_ACCESS_KEY",
        "tool --secret-key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "kubectl create secret generic x --from-literal=password=$PASSWORD",
        "kubectl create secret generic x --from-file=password=./pw.txt",
        "aws secretsmanager get-secret-value --secret-id prod/db",
        'gh secret set AWS_SECRET_ACCESS_KEY --body "$SECRET"',
        "gh secret set AWS_SECRET_ACCESS_KEY < file",
    ),
    "values.yaml": (
        "password:\n  username:",
        "password: >-\n  {{resolve:secretsmanager:db-password}}",
        "secret:\n  valueFrom:\n    secretKeyRef:",
        "password:\n  ${DB_PASSWORD_REF}",
        "AWS_SECRET_ACCESS_KEY: ${{ secrets.AWS_SECRET_ACCESS_KEY }}",
        "- name: AWS_SECRET_ACCESS_KEY\n  valueFrom:\n    secretKeyRef: {name: aws, key: secret}\n",
        "- name: DB_PASSWORD\n  value: ${DB_PASSWORD}\n",
        "- name: DB_PASSWORD\n  value: !Ref Password\n",
        "- name: DB_PASSWORD\n  value: '{{resolve:secretsmanager:db}}'\n",
        "- name: DB_PASSWORD\n  description: the password of the db\n",
        "- name: password\n  in: query\n  required: true\n",
        "password:\n  type: string\n",
        "- key: password\n  value: changeme\n",
    ),
    "task.json": (
        '{"AWS_SECRET_ACCESS_KEY": "<secret>"}',
        '{"AWS_SECRET_ACCESS_KEY": ""}',
        '{"name": "AWS_SECRET_ACCESS_KEY", "valueFrom": "arn:aws:ssm:x"}',
    ),
    "set.ps1": (
        "$Env:AWS_SECRET_ACCESS_KEY = $secret",
        '$Env:AWS_SECRET_ACCESS_KEY = "<secret>"',
        "Remove-Item Env:AWS_SECRET_ACCESS_KEY",
        "[Environment]::SetEnvironmentVariable('AWS_SECRET_ACCESS_KEY', $null, 'User')",
    ),
    "set.bat": (
        "setx AWS_SECRET_ACCESS_KEY %SECRET%",
        "set AWS_SECRET_ACCESS_KEY=",
        "setx AWS_PROFILE dev",
    ),
    "Dockerfile": (
        "ENV AWS_SECRET_ACCESS_KEY $SECRET",
        "ARG AWS_SECRET_ACCESS_KEY",
        "ENV TOKEN_FILE /run/token",
        "RUN --mount=type=secret,id=aws cat /run/secrets/aws",
    ),
    "config.fish": (
        "set -gx AWS_SECRET_ACCESS_KEY (pass show aws)",
        "set -e AWS_SECRET_ACCESS_KEY",
    ),
    "set.csh": ("unsetenv AWS_SECRET_ACCESS_KEY",),
    "credentials": (
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "aws_access_key_id = AKIAIOSFODNN7EXAMPLE",
    ),
    "README.md": (
        "Set AWS_SECRET_ACCESS_KEY to the secret of your key.",
        "The password is asked for at the prompt.",
        "use --secret-key KEY to give the secret key",
        "--secret-key SECRET  the secret key of the user",
        "  --password PASSWORD   the password to use",
        "  --token TOKEN         an API token",
    ),
    "app.py": (
        "token = (\n    get_token_from_the_store()\n)",
        "AWS_SECRET_ACCESS_KEY = (\n    settings.secret_access_key_of_the_session\n)",
        "parser.add_argument('--secret-key', help='the secret key')",
        "def connect(password: str = None) -> None:",
        "token = request.headers['token']",
        "secret_key: SecretStr",
    ),
    "web.xml": (
        "<password>${db.password}</password>",
        "<password></password>",
        '<add key="DbPassword" value="#{DbPassword}#"/>',
    ),
    "netrc": ("machine x login admin password <password>",),
}


def leaks(folder: Path, file: str, text: str) -> tuple[Leak, ...]:
    """What a scan finds in a file, both readers together."""
    path = folder / file
    path.write_text(text.replace("@KEY@", KEY).replace("@PASSWORD@", PASSWORD), encoding="utf-8")
    return read_file(file, path.read_bytes(), library=library_findings(path), recogniser=LineRecogniser()).leaks


@pytest.mark.parametrize(("file", "text"), [(file, text) for file, texts in HOLDS.items() for text in texts])
def test_a_credential_is_found_however_it_is_written(tmp_path: Path, file: str, text: str) -> None:
    """As an argument, a variable, a pair, an element, in whatever language; its value is said nowhere."""
    found = leaks(tmp_path, file, f"# A file of somebody's.\n{text}\n")
    assert len(found) == 1
    assert "@" in text.splitlines()[found[0].line - 2]
    assert KEY not in found[0].what
    assert PASSWORD not in found[0].what


@pytest.mark.parametrize(("file", "text"), [(file, text) for file, texts in HOLDS_NONE.items() for text in texts])
def test_what_only_looks_like_a_credential_is_left_alone(tmp_path: Path, file: str, text: str) -> None:
    """A placeholder, a reference, a variable, what AWS documents, prose, and help."""
    assert leaks(tmp_path, file, f"# A file of somebody's.\n{text}\n") == ()


def test_the_library_is_spared_no_detector_that_would_find_something(tmp_path: Path) -> None:
    """Which detectors look is told from the text as a whole; all of them together find no more."""
    tokens = (
        f"AKC{'p8' * 20}",
        "://app:hunter2horse@db.example.net",
        f"cl_api_key={'a1' * 32}",
        f"ibm_cloud_iam_key = {'aB3' * 14}ab",
        f"ghp_{'aB3d' * 9}",
        f"glpat-{'aB3d' * 5}",
        f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx{'a' * 10}.x",
        f"{'0a' * 16}-us12",
        f"//registry.example/:_authToken=npm_{'aB3d' * 9}",
        "-----BEGIN EC " + "PRIVATE KEY-----",
        f"SG.{'a1' * 11}.{'b' * 43}",
        "xoxb-12345-12345-" + "abcdef",
        f"sk_live_{'a1' * 12}",
        f"1234567890:{'aB3d5' * 7}",
        f"SK{'0a' * 16}",
        f'password = "{PASSWORD}"',
    )
    path = tmp_path / "settings.txt"
    # At either end of a line, of the first and of the last.
    path.write_text("\n".join([*tokens, *(f" {token} " for token in tokens), *tokens]))
    names = [name for name, _ in _detectors()]
    assert len(names) >= 24
    filters = [{"path": f"detect_secrets.filters.{name}"} for name in _FILTERS]
    with transient_settings({"plugins_used": [{"name": name} for name in names], "filters_used": filters}):
        expected = sorted(secret.line_number for secret in scan_file(str(path)))
    assert len(set(expected)) > 2 * len(tokens)
    assert sorted(found.line for found in library_findings(path)) == expected
