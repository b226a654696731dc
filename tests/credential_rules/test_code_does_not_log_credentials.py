"""What a log line shows is judged: the value, not the word; a part that tells nothing is no secret."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from credential_rules.code_does_not_log_credentials import RULE
from credential_rules.engine import Target, check, judge
from credential_rules.sources import parse_source

ROOT = Path(__file__).parents[2]
HEAD = "import logging, os, sys, json, boto3\nlogger = logging.getLogger(__name__)\nsts = boto3.client('sts')\n"


def messages(text: str) -> list[str]:
    """What the rule says about a file."""
    report = judge(Target(sources=[parse_source("app.py", text)]), [RULE])
    assert report.errors == {}
    return [found.message for found in report.findings]


SHOWN = [
    "print(os.environ)",
    "logger.info(os.environ.copy())",
    "logger.info('env %s', {**os.environ})",
    "logger.info(json.dumps(dict(os.environ)))",
    "for k, v in os.environ.items(): print(f'{k}={v}')",
    "print(os.environ['AWS_SECRET_ACCESS_KEY'])",
    "print(os.getenv('AWS_SESSION_TOKEN'))",
    "t = os.environ.get('AWS_SESSION_TOKEN')\nlogger.info('got %s', t)",
    "print(os.environ['DB_PASSWORD'])",
    "logger.info('x', extra={'aws_secret_access_key': s})",
    "logger.info('x', extra=dict(password=pw))",
    "logger.info('x', extra={'k': aws_session_token})",
    "logger.debug('keys: %s %s', settings.aws_access_key_id, settings.aws_secret_access_key)",
    "logger.info('got ' + secret_key)",
    "logger.info('got {}'.format(api_key))",
    "logger.info('got %s' % token)",
    "logger.info(f'{password=}')",
    "logger.error(f'failed for {user}: {password!r}')",
    "logging.warning(f'{credentials.secret_key[:20]}')",
    "self.logger.info(self.client_secret)",
    "log.info('login', password=pw)",
    "sys.stdout.write(secret)",
    "print(str(token))",
    "print(token.strip())",
    "print(event['headers']['Authorization'])",
    "print(event.get('password'))",
    "r = sts.assume_role(RoleArn='x')\nlogger.info(r)",
    "r = sts.assume_role(RoleArn='x')\nc = r['Credentials']\nprint(c)",
    "r = sts.assume_role(RoleArn='x')\nprint(r['Credentials']['SessionToken'])",
    "print(sts.get_session_token())",
    "m = boto3.client('secretsmanager')\nlogger.info(m.get_secret_value(SecretId='x'))",
    "m = boto3.client('secretsmanager')\nv = json.loads(m.get_secret_value(SecretId='x')['SecretString'])\nlogger.info(v['host'])",
    "p = boto3.client('ssm').get_parameter(Name='x', WithDecryption=True)\nprint(p['Parameter']['Value'])",
    "f = boto3.Session().get_credentials().get_frozen_credentials()\nlogger.info(f)",
    "logger.info('token: %s', value)",
    "logger.info('user %s password=%s', user, value)",
    "print('Secret is:', value)",
    "logger.info('api key: {}'.format(value))",
    "print('password: ' + value)",
    "print('password: %s' % value)",
    "import warnings\nwarnings.warn(f'bad token {token}')",
    "from aws_lambda_powertools import Logger\nlog = Logger()\nlog.append_keys(api_key=key)",
    "from aws_lambda_powertools import Tracer\ntracer = Tracer()\ntracer.put_annotation('token', access_token)",
    "import structlog\nstructlog.get_logger().info('x', secret=value)",
    "from logging import info\ninfo(secret_access_key)",
    "logging.getLogger('x').info(privateKey)",
]
HIDDEN = [
    "logger.info('got it')",
    "print('password')",
    "logger.info('token refreshed')",
    "logger.info('Invalid token: %s', error)",
    "logger.info('secret name: %s', name)",
    "logger.info('key %s', secret_name)",
    "logger.info('key %s', secret_arn)",
    "logger.info('%s', next_token)",
    "logger.info('%s', response.get('NextToken'))",
    "logger.info('%d tokens', token_count)",
    "logger.info('usage', extra={'input_tokens': usage.input_tokens})",
    "logger.info('…%s', key_id[-4:])",
    "logger.info('%s', access_key[:4])",
    "logger.info('%s', mask(secret))",
    "logger.info('%s', redact(token))",
    "logger.info('%s', bool(token))",
    "logger.info('%s', token is not None)",
    "logger.info('%s', len(password))",
    "logger.info('set' if password else 'missing')",
    "logger.info('password: %s', '***')",
    "logger.info('password: %s', len(value))",
    "logger.info('password: %s', 'set' if value else 'missing')",
    "print(list(os.environ))",
    "print(sorted(os.environ.keys()))",
    "print(os.environ['AWS_REGION'])",
    "logger.info('AWS_SESSION_TOKEN' in os.environ)",
    "r = sts.get_caller_identity()\nlogger.info(r)",
    "r = sts.assume_role(RoleArn='x')\nlogger.info(r['AssumedRoleUser']['Arn'])",
    "r = sts.assume_role(RoleArn='x')\nlogger.info('until %s', r['Credentials']['Expiration'])",
    "m = boto3.client('secretsmanager')\nr = m.get_secret_value(SecretId='x')\nlogger.info(r['ARN'])",
    "p = boto3.client('ssm').get_parameter(Name='x')\nprint(p['Parameter']['Value'])",
    "c = boto3.Session().get_credentials()\nlogger.info('method %s', c.method)",
    "token = None\nlogger.info(token)",
    "import secrets\nprint(secrets)",
    "def print(x): pass\nprint(password)",
    "hashlib.sha256(password)\nmath.log(token)",
    "file.write(secret)",
    "store.put(password)\nform.error(password)",
    "import tokenize\nlogger.info(tokenize)",
]


@pytest.mark.parametrize("text", SHOWN)
def test_secret_in_a_log_line_is_found(text: str) -> None:
    """Through formats, wrappers, variables and AWS's answers."""
    assert messages(HEAD + text)


@pytest.mark.parametrize("text", HIDDEN)
def test_line_that_shows_no_secret_is_left_alone(text: str) -> None:
    """Facts about a secret, words that only sound like one, masks and short ends."""
    assert messages(HEAD + text) == []


def test_finding_repeats_nothing_of_a_literal() -> None:
    """A secret that stands in the source is not repeated in the finding."""
    assert "hunter2" not in "".join(messages(HEAD + "print(f'password=hunter2-hunter2 token={value}')"))
    found = messages(HEAD + "password = 'hunter2-hunter2'\nlogger.info('x', extra={'password': 'hunter2' + password})")
    assert found
    assert "hunter2" not in "".join(found)


def test_our_own_code_is_clean() -> None:
    """The functions, the operator's tools and the incident's specimen log no secret."""
    report = check([ROOT / "lambda_src", ROOT / "local_aws"], [RULE])
    assert [(found.resource, found.message) for found in report.findings] == []


def test_any_python_gets_an_answer() -> None:
    """No shape of code breaks the rule: a part of the standard library goes through."""
    library = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(library.glob("*.py"))[::4]:
        assert isinstance(messages(path.read_text(encoding="utf-8") + "\nprint(1)\n"), list)
