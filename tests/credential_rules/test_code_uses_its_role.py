"""Every spelling by which code hands keys to an SDK is found, at its line; what is no such thing is left alone."""

from __future__ import annotations

import ast
import sysconfig
from pathlib import Path

import pytest

from credential_rules.code_uses_its_role import RULE
from credential_rules.engine import Target, check, judge
from credential_rules.sources import parse_source

ROOT = Path(__file__).parents[2]


def lines(text: str) -> list[int]:
    """The lines that the rule names."""
    report = judge(Target(sources=[parse_source("app.py", text)]), [RULE])
    assert report.errors == {}
    assert {found.severity for found in report.findings} <= {"error"}
    return sorted({found.line or 0 for found in report.findings})


PASSED_ON = {
    "session-method": "import boto3\nboto3.session.Session().client('s3', aws_access_key_id=k, aws_secret_access_key=s)",
    "session-parameter": "def f(session):\n    return session.client('s3', aws_access_key_id=k, aws_secret_access_key=s)",
    "session-of-self": "class A:\n    def f(self): return self._session.resource('s3', aws_secret_access_key=self.s)",
    "alias": "import boto3 as b\nb.client('s3', aws_access_key_id=k)",
    "function-alias": "from boto3 import resource as r\nr('s3', aws_access_key_id=k)",
    "assigned-alias": "import boto3\nmake = boto3.client\nmake('s3', aws_access_key_id=k)",
    "imported-late": "def f():\n    import boto3\n    return boto3.client('s3', aws_session_token=t)",
    "import-module": "import importlib\nb = importlib.import_module('boto3')\nb.client('s3', aws_access_key_id=k)",
    "getattr": "import boto3\ngetattr(boto3, kind)('s3', aws_access_key_id=k)",
    "botocore-session": "import botocore.session\nbotocore.session.get_session().create_client('s3', aws_access_key_id=k)",
    "set-credentials": "import botocore.session\ns = botocore.session.get_session()\ns.set_credentials(k, x)",
    "set-credentials-of-parameter": "import botocore\ndef f(session): session.set_credentials(k, x)",
    "botocore-profile": "from botocore.session import Session\nSession(profile='dev')",
    "default-session": "import boto3\nboto3.setup_default_session(aws_access_key_id=k)",
    "default-profile": "import boto3\nboto3.setup_default_session(profile_name='dev')",
    "aioboto3": "import aioboto3\nasync def f():\n    async with aioboto3.Session().client('s3', aws_access_key_id=k) as c: pass",
    "aiobotocore": "from aiobotocore.session import get_session\nget_session().create_client('s3', aws_access_key_id=k)",
    "client-by-position": "import boto3\nboto3.client('s3', 'eu-west-1', None, True, None, None, k, s)",
    "session-by-position": "from boto3 import Session\nSession(k, s, t)",
    "starred": "import boto3\npair = (k, s)\nboto3.Session(*pair)",
    "starred-unknown": "import boto3\nboto3.Session(*load())",
    "literal-splat": "import boto3\nboto3.client('s3', **{'aws_access_key_id': k})",
    "constant-key": "import boto3\nNAME = 'aws_access_key_id'\nboto3.client('s3', **{NAME: k})",
    "dict-call": "import boto3\nkw = dict(aws_access_key_id=k)\nboto3.client('s3', **kw)",
    "dict-of-pairs": "import boto3\nkw = dict([('aws_access_key_id', k)])\nboto3.client('s3', **kw)",
    "update": "import boto3\nkw = {}\nkw.update(aws_access_key_id=k)\nboto3.client('s3', **kw)",
    "update-mapping": "import boto3\nkw = {}\nkw.update({'aws_access_key_id': k})\nboto3.client('s3', **kw)",
    "setdefault": "import boto3\nkw = {}\nkw.setdefault('aws_access_key_id', k)\nboto3.client('s3', **kw)",
    "or-update": "import boto3\nkw = {}\nkw |= {'aws_access_key_id': k}\nboto3.client('s3', **kw)",
    "merged": "import boto3\na = {'aws_access_key_id': k}\nboto3.client('s3', **{**a, 'region_name': r})",
    "merged-by-or": "import boto3\na = {'aws_access_key_id': k}\nboto3.client('s3', **(a | b))",
    "copied": "import boto3\na = {'aws_access_key_id': k}\nb = a.copy()\nboto3.client('s3', **b)",
    "either": "import boto3\nkw = {'aws_access_key_id': k} if local else {}\nboto3.client('s3', **kw)",
    "or-empty": "import boto3\nboto3.client('s3', **(local and {'aws_access_key_id': k} or {}))",
    "filtered": "import boto3\nkw = {a: b for a, b in {'aws_access_key_id': k}.items() if b}\nboto3.client('s3', **kw)",
    "nested": "import boto3\nC = {'s3': {'aws_access_key_id': k}}\nboto3.client('s3', **C['s3'])",
    "from-function": "import boto3\ndef keys():\n    return {'aws_access_key_id': k}\nboto3.client('s3', **keys())",
    "from-method": "import boto3\nclass A:\n    def keys(self):\n        kw = {}\n        kw['aws_access_key_id'] = k\n        return kw\n    def f(self): return boto3.client('s3', **self.keys())",
    "attribute": "import boto3\nclass A:\n    def __init__(self): self.kw = {'aws_access_key_id': k}\n    def f(self): return boto3.client('s3', **self.kw)",
    "through-parameter": "import boto3\ndef f(options): return boto3.client('s3', **options)\nf({'aws_access_key_id': k})",
    "through-constructor": "import boto3\nclass A:\n    def __init__(self, **kw): self.c = boto3.client('s3', **kw)\nA(aws_access_key_id=k)",
    "through-two-wrappers": "import boto3\ndef a(**kw): return boto3.client('s3', **kw)\ndef b(**kw): return a(**kw)\nb(aws_access_key_id=k)",
    "through-lambda": "import boto3\nmake = lambda **kw: boto3.client('s3', **kw)\nmake(aws_access_key_id=k)",
    "partial": "import boto3\nfrom functools import partial\nmake = partial(boto3.client, aws_access_key_id=k)",
    "call-of-partial": "import boto3\nimport functools\nmake = functools.partial(boto3.client, 's3')\nmake(aws_access_key_id=k)",
    "to-thread": "import asyncio, boto3\nasyncio.to_thread(boto3.client, 's3', aws_access_key_id=k)",
    "credentials-without-token": "from botocore.credentials import Credentials\nCredentials(k, s)",
    "credentials-of-settings": "from botocore.credentials import Credentials\nCredentials(settings.k, settings.s, settings.t)",
    "signer-without-token": "from requests_aws4auth import AWS4Auth\nc = s.get_credentials()\nAWS4Auth(c.access_key, c.secret_key, 'eu', 'es')",
    "boto-2": "import boto\nboto.connect_s3(k, s)",
    "s3fs": "import s3fs\ns3fs.S3FileSystem(key=k, secret=s)",
    "complete-but-of-settings": "import boto3\nboto3.Session(aws_access_key_id=c.k, aws_secret_access_key=c.s, aws_session_token=c.t)",
    "complete-but-of-a-secret": "import boto3, json\nc = json.loads(m.get_secret_value(SecretId='k')['SecretString'])\nboto3.Session(aws_access_key_id=c['AccessKeyId'], aws_secret_access_key=c['SecretAccessKey'], aws_session_token=c['SessionToken'])",
    "complete-but-of-a-file": "import boto3, json\ndef load():\n    d = json.load(open('c'))\n    return {'aws_access_key_id': d.get('accessKeyId'), 'aws_secret_access_key': d.get('secretAccessKey'), 'aws_session_token': d.get('sessionToken')}\nboto3.Session(**load())",
    "empty-text": "import boto3\nboto3.client('s3', aws_access_key_id='', aws_secret_access_key='')",
    "local-dynamodb": "import boto3\nboto3.resource('dynamodb', endpoint_url='http://localhost:8000', aws_access_key_id='x', aws_secret_access_key='x')",
}  # fmt: skip

TAKEN = {
    "subscript": "import os\nk = os.environ['AWS_ACCESS_KEY_ID']",
    "get": "import os\nk = os.environ.get('AWS_SECRET_ACCESS_KEY', '')",
    "getenv": "from os import getenv as g\nk = g('AWS_SESSION_TOKEN')",
    "environ-alias": "from os import environ as e\nk = e['AWS_ACCESS_KEY_ID']",
    "variable": "import os\nenv = os.environ\nk = env.get('AWS_ACCESS_KEY_ID')",
    "copy": "import os\nenv = os.environ.copy()\nk = env['AWS_ACCESS_KEY_ID']",
    "dict": "import os\nk = dict(os.environ)['AWS_ACCESS_KEY_ID']",
    "spread": "import os\nk = {**os.environ}['AWS_ACCESS_KEY_ID']",
    "lower-cased": "import os\nenv = {a.lower(): b for a, b in os.environ.items()}\nk = env['aws_access_key_id']",
    "constant": "import os\nNAME = 'AWS_SECRET_ACCESS_KEY'\nk = os.environ[NAME]",
    "loop": "import os\nkeys = [os.environ.get(n) for n in ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY')]",
    "pop": "import os\nk = os.environ.pop('AWS_ACCESS_KEY_ID')",
    "bytes": "import os\nk = os.environb[b'AWS_ACCESS_KEY_ID']",
    "wrapper": "import os\ndef setting(name, default=None): return os.environ.get(name.upper(), default)\nk = setting('aws_access_key_id')",
    "imported-wrapper": "from app.config import get_env\nk = get_env('AWS_SECRET_ACCESS_KEY')",
    "default-factory": "import os\nfrom dataclasses import dataclass, field\n@dataclass\nclass S:\n    k: str = field(default_factory=lambda: os.getenv('AWS_ACCESS_KEY_ID', ''))",
    "attrs": "import os, attr\n@attr.s\nclass S:\n    k = attr.ib(factory=lambda: os.environ['AWS_ACCESS_KEY_ID'])",
    "environs": "from environs import Env\nenv = Env()\nk = env('AWS_ACCESS_KEY_ID')",
    "environs-typed": "import environs\nenv = environs.Env()\nk = env.str('AWS_ACCESS_KEY_ID', None)",
    "environs-prefixed": "from environs import Env\nenv = Env()\nwith env.prefixed('AWS_'):\n    k = env('ACCESS_KEY_ID')",
    "decouple": "from decouple import config as c\nk = c('AWS_SECRET_ACCESS_KEY', default='')",
    "decouple-auto": "from decouple import AutoConfig\nconfig = AutoConfig()\nk = config('AWS_SECRET_ACCESS_KEY')",
    "django-environ": "import environ\nenv = environ.Env()\nk = env('AWS_ACCESS_KEY_ID')",
    "starlette": "from starlette.config import Config\nconfig = Config('.env')\nk = config('AWS_ACCESS_KEY_ID', cast=str)",
    "dotenv": "from dotenv import dotenv_values\nk = dotenv_values('.env')['AWS_ACCESS_KEY_ID']",
    "dynaconf": "from dynaconf import Dynaconf\nsettings = Dynaconf(envvar_prefix=False)\nk = settings.AWS_ACCESS_KEY_ID",
    "namespace": "import os\nfrom types import SimpleNamespace\nenv = SimpleNamespace(**os.environ)\nk = env.AWS_ACCESS_KEY_ID",
    "itemgetter": "import os\nfrom operator import itemgetter\nk = itemgetter('AWS_ACCESS_KEY_ID')(os.environ)",
    "walrus": "import os\nif k := os.environ.get('AWS_ACCESS_KEY_ID'):\n    use(k)",
    "signing-by-hand": "import os\nfrom botocore.credentials import Credentials\nc = Credentials(os.environ['AWS_ACCESS_KEY_ID'], os.environ['AWS_SECRET_ACCESS_KEY'], os.environ['AWS_SESSION_TOKEN'])",
    "pydantic": "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    AWS_SECRET_ACCESS_KEY: str",
    "pydantic-1": "import pydantic\nclass S(pydantic.BaseSettings):\n    aws_session_token = None",
    "pydantic-prefix": "from pydantic_settings import BaseSettings, SettingsConfigDict\nclass S(BaseSettings):\n    model_config = SettingsConfigDict(env_prefix='AWS_')\n    access_key_id: str",
    "pydantic-config-prefix": "from pydantic import BaseSettings\nclass S(BaseSettings):\n    secret_access_key: str\n    class Config:\n        env_prefix = 'aws_'",
    "pydantic-env": "from pydantic import BaseSettings, Field\nclass S(BaseSettings):\n    key: str = Field(..., env=['KEY', 'AWS_ACCESS_KEY_ID'])",
    "pydantic-choices": "from pydantic_settings import BaseSettings\nfrom pydantic import AliasChoices, Field\nclass S(BaseSettings):\n    key: str = Field(validation_alias=AliasChoices('key', 'AWS_ACCESS_KEY_ID'))",
    "pydantic-annotated": "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    key: Annotated[str, Field(alias='AWS_ACCESS_KEY_ID')]",
    "pydantic-config-fields": "from pydantic import BaseSettings\nclass S(BaseSettings):\n    key: str\n    class Config:\n        fields = {'key': {'env': 'AWS_ACCESS_KEY_ID'}}",
    "pydantic-base-of-ours": "from pydantic_settings import BaseSettings\nclass Base(BaseSettings):\n    pass\nclass S(Base):\n    aws_access_key_id: str",
    "model-of-environment": "import os\nfrom pydantic import BaseModel\nclass S(BaseModel):\n    AWS_ACCESS_KEY_ID: str\ns = S(**os.environ)",
    "model-validate": "import os\nfrom pydantic import BaseModel\nclass S(BaseModel):\n    AWS_ACCESS_KEY_ID: str\ns = S.model_validate(os.environ)",
}  # fmt: skip

SET = {
    "subscript": "import os\nos.environ['AWS_ACCESS_KEY_ID'] = k",
    "profile": "import os\nos.environ['AWS_PROFILE'] = 'dev'",
    "alias": "from os import environ\nenviron['AWS_SECRET_ACCESS_KEY'] = s",
    "update": "import os\nos.environ.update({'AWS_SESSION_TOKEN': t})",
    "update-keywords": "import os\nos.environ.update(AWS_SESSION_TOKEN=t)",
    "update-variable": "import os\nkeys = dict(AWS_ACCESS_KEY_ID=k)\nos.environ.update(keys)",
    "update-from-function": "import os\ndef load():\n    return {'aws_access_key_id': k}\nos.environ.update(load())",
    "setdefault": "import os\nos.environ.setdefault('AWS_ACCESS_KEY_ID', k)",
    "putenv": "import os\nos.putenv('AWS_SECRET_ACCESS_KEY', s)",
    "or-update": "import os\nos.environ |= {'AWS_ACCESS_KEY_ID': k}",
    "assumed-role": "import os\nc = sts.assume_role(RoleArn=r)['Credentials']\nos.environ['AWS_ACCESS_KEY_ID'] = c['AccessKeyId']",
}  # fmt: skip

TOKENLESS = "sign with a key that lacks its token"
HALF = "PartialCredentialsError"
NOBODY = "NoCredentialsError"
REMOVED = {
    "pop": ("import os\nos.environ.pop('AWS_SESSION_TOKEN')", TOKENLESS),
    "pop-default": ("import os\nos.environ.pop('AWS_SESSION_TOKEN', None)", TOKENLESS),
    "pop-used": ("import os\nt = os.environ.pop('AWS_SESSION_TOKEN')", TOKENLESS),
    "pop-for-the-extension": ("import os\nh = {'X-Aws-Parameters-Secrets-Token': os.environ.pop('AWS_SESSION_TOKEN')}", TOKENLESS),
    "pop-bytes": ("import os\nos.environb.pop(b'AWS_SESSION_TOKEN')", TOKENLESS),
    "pop-alias": ("from os import environ as e\ne.pop('AWS_SESSION_TOKEN')", TOKENLESS),
    "pop-variable": ("import os\nenv = os.environ\nNAME = 'AWS_SESSION_TOKEN'\nenv.pop(NAME)", TOKENLESS),
    "pop-in-function": ("import os\ndef handler(event, context):\n    os.environ.pop('AWS_SESSION_TOKEN', None)", TOKENLESS),
    "del": ("import os\ndel os.environ['AWS_SESSION_TOKEN']", TOKENLESS),
    "del-several": ("import os\ndel os.environ['STAGE'], os.environ['AWS_SESSION_TOKEN']", TOKENLESS),
    "delitem": ("import os\nos.environ.__delitem__('AWS_SESSION_TOKEN')", TOKENLESS),
    "unsetenv": ("import os\nos.unsetenv('AWS_SESSION_TOKEN')", "what it starts"),
    "secret": ("import os\nos.environ.pop('AWS_SECRET_ACCESS_KEY', None)", HALF),
    "key": ("import os\ndel os.environ['AWS_ACCESS_KEY_ID']", NOBODY),
    "loop": ("import os\nfor name in ('AWS_ACCESS_KEY_ID', 'AWS_SESSION_TOKEN'):\n    os.environ.pop(name, None)", NOBODY),
    "loop-by-beginning": ("import os\nfor name in list(os.environ):\n    if name.startswith('AWS_'):\n        del os.environ[name]", NOBODY),
    "comprehension-by-beginning": ("import os\n[os.environ.pop(n) for n in [*os.environ] if n.startswith(('AWS_S', 'X_'))]", HALF),
    "clear": ("import os\nos.environ.clear()", NOBODY),
    "clear-alias": ("from os import environ\nenviron.clear()\nenviron.update(STAGE='x')", NOBODY),
    "wrapper": ("import os\ndef drop(name): os.environ.pop(name, None)\ndrop('AWS_SESSION_TOKEN')", TOKENLESS),
}  # fmt: skip

HANDLER = "from botocore.exceptions import ClientError\nimport boto3, time, tenacity\nBAD = {'InvalidClientTokenId', 'Throttling'}\n"
RETRIED = {
    "continue": "for i in r:\n    try: call()\n    except ClientError as e:\n        if e.response['Error']['Code'] == 'InvalidClientTokenId': continue",
    "rebuilt": "try: call()\nexcept ClientError as e:\n    if 'UnrecognizedClientException' in str(e):\n        client = boto3.client('sqs')\n        call()",
    "cleared": "try: call()\nexcept ClientError as e:\n    if e.response['Error']['Code'] in ['InvalidClientTokenId']:\n        clear_aws_clients()",
    "by-constant": "for i in r:\n    try: call()\n    except ClientError as e:\n        if e.response['Error']['Code'] in BAD: time.sleep(1)",
    "unless": "for i in r:\n    try: call()\n    except ClientError as e:\n        if e.response['Error']['Code'] not in BAD:\n            raise\n        time.sleep(2 ** i)",
    "predicate": "def is_stale(e): return e.response['Error']['Code'] == 'InvalidClientTokenId'\ndef f():\n    try: call()\n    except ClientError as e:\n        if is_stale(e): refresh_session()",
    "match": "try: call()\nexcept ClientError as e:\n    match e.response['Error']['Code']:\n        case 'InvalidClientTokenId' | 'Throttling': reset_clients()",
    "tenacity": "@tenacity.retry(retry=tenacity.retry_if_exception_message(match='.*InvalidClientTokenId.*'))\ndef f(): call()",
    "exception-class": "try: call()\nexcept client.exceptions.UnrecognizedClientException:\n    self.client = None",
}  # fmt: skip

LEFT_ALONE = {
    "plain": "import boto3\nc = boto3.client('s3', region_name='eu-west-1', config=cfg)",
    "none": "import boto3\nc = boto3.client('s3', aws_access_key_id=None, aws_secret_access_key=None, profile_name=None)",
    "six-positions": "import boto3\nboto3.client('s3', 'eu-west-1', None, True, None, url)",
    "session-region": "import boto3\nboto3.Session(region_name='eu-west-1')",
    "other-sessions": "import requests, sqlalchemy.orm as o\nrequests.Session()\no.Session(engine, future)",
    "other-http": "import requests\nrequests.post(u, json={'aws_access_key_id': k, 'aws_secret_access_key': s})",
    "own-function": "def register(aws_access_key_id, profile_name): return store(aws_access_key_id)\nregister(aws_access_key_id=k, profile_name='p')",
    "own-class": "class Account:\n    def __init__(self, aws_access_key_id): self.id = aws_access_key_id\nAccount(aws_access_key_id=k)",
    "own-method": "user.update_profile(profile_name='anna')",
    "dataclass": "from dataclasses import dataclass\n@dataclass\nclass Key:\n    aws_access_key_id: str",
    "model": "from pydantic import BaseModel\nclass Key(BaseModel):\n    aws_access_key_id: str",
    "settings-with-prefix": "from pydantic_settings import BaseSettings, SettingsConfigDict\nclass S(BaseSettings):\n    model_config = SettingsConfigDict(env_prefix='PARTNER_')\n    aws_access_key_id: str",
    "settings-with-alias": "from pydantic_settings import BaseSettings\nfrom pydantic import Field\nclass S(BaseSettings):\n    aws_access_key_id: str = Field(alias='PARTNER_KEY')",
    "other-variables": "import os\nr = os.environ['AWS_REGION']\nn = os.environ.get('AWS_LAMBDA_FUNCTION_NAME')\nos.environ['STAGE'] = 'x'",
    "asked-only": "import os\nif os.environ.get('AWS_ACCESS_KEY_ID'): log()\nok = bool(os.getenv('AWS_SESSION_TOKEN'))\nlocal = 'AWS_SESSION_TOKEN' not in os.environ",
    "removed": "import os\nos.environ.pop('AWS_PROFILE', None)\ndel os.environ['AWS_PROFILE']\nos.unsetenv('AWS_DEFAULT_PROFILE')\nos.environ.pop('AWS_SECURITY_TOKEN', None)",
    "removed-from-a-copy": "import os, subprocess\nenv = os.environ.copy()\nenv.pop('AWS_SESSION_TOKEN', None)\ndel env['AWS_ACCESS_KEY_ID']\nenv.clear()\nsubprocess.run(c, env=env)",
    "removed-from-a-dict": "import os\nenv = dict(os.environ)\nfor name in ('AWS_ACCESS_KEY_ID', 'AWS_SESSION_TOKEN'):\n    env.pop(name, None)",
    "removed-from-somebodys": "import os\ndef clean(record): record.pop('AWS_SESSION_TOKEN', None)\nclean(os.path)",
    "cleared-and-put-back": "import os\nsaved = dict(os.environ)\ntry: work()\nfinally:\n    os.environ.clear()\n    os.environ.update(saved)",
    "removed-by-other-beginning": "import os\nfor name in list(os.environ):\n    if name.startswith('AWS_LAMBDA_'):\n        del os.environ[name]\n    if not name.startswith('AWS_'):\n        os.environ.pop(name)",
    "mapping-of-somebody": "def f(environ): return environ.get('AWS_ACCESS_KEY_ID')\nclaims['AWS_ACCESS_KEY_ID']",
    "secrets-extension": "import os, urllib.request\nr = urllib.request.Request(u)\nr.add_header('X-Aws-Parameters-Secrets-Token', os.environ['AWS_SESSION_TOKEN'])",
    "assumed-role": "import boto3\nc = boto3.client('sts').assume_role(RoleArn=r, RoleSessionName='n')['Credentials']\nboto3.client('s3', aws_access_key_id=c['AccessKeyId'], aws_secret_access_key=c['SecretAccessKey'], aws_session_token=c['SessionToken'])",
    "assumed-role-by-position": "import boto3\nc = boto3.client('sts').assume_role(RoleArn=r)['Credentials']\nboto3.Session(c['AccessKeyId'], c['SecretAccessKey'], c['SessionToken'])",
    "assumed-role-by-get": "import boto3\nr = boto3.client('sts').get_session_token()\nc = r.get('Credentials')\nboto3.Session(aws_access_key_id=c.get('AccessKeyId'), aws_secret_access_key=c.get('SecretAccessKey'), aws_session_token=c.get('SessionToken'))",
    "assumed-role-unpacked": "import boto3\nc = boto3.client('sts').assume_role(RoleArn=r)['Credentials']\nk, s, t = c['AccessKeyId'], c['SecretAccessKey'], c['SessionToken']\nboto3.Session(aws_access_key_id=k, aws_secret_access_key=s, aws_session_token=t)",
    "assumed-role-through-function": "import boto3\ndef assume(r):\n    a = boto3.client('sts').assume_role(RoleArn=r)\n    return a['Credentials']\nc = assume('x')\nboto3.Session(aws_access_key_id=c['AccessKeyId'], aws_secret_access_key=c['SecretAccessKey'], aws_session_token=c['SessionToken'])",
    "assumed-role-as-keywords": "import boto3\ndef keys(r):\n    c = boto3.client('sts').assume_role(RoleArn=r)['Credentials']\n    return {'aws_access_key_id': c['AccessKeyId'], 'aws_secret_access_key': c['SecretAccessKey'], 'aws_session_token': c['SessionToken']}\nboto3.client('s3', **keys('x'))\nkw = keys('y')\nboto3.Session(aws_access_key_id=kw['aws_access_key_id'], aws_secret_access_key=kw['aws_secret_access_key'], aws_session_token=kw['aws_session_token'])",
    "assumed-role-of-caller": "import boto3\ndef client(name, credentials):\n    return boto3.client(name, aws_access_key_id=credentials['AccessKeyId'], aws_secret_access_key=credentials['SecretAccessKey'], aws_session_token=credentials['SessionToken'])",
    "assumed-role-async": "import aioboto3\nasync def f(sts):\n    a = await sts.assume_role(RoleArn=r)\n    c = a['Credentials']\n    return aioboto3.Session(aws_access_key_id=c['AccessKeyId'], aws_secret_access_key=c['SecretAccessKey'], aws_session_token=c['SessionToken'])",
    "pipeline-artifacts": "import boto3\ndef handler(event, context):\n    c = event['CodePipeline.job']['data']['artifactCredentials']\n    return boto3.Session(aws_access_key_id=c['accessKeyId'], aws_secret_access_key=c['secretAccessKey'], aws_session_token=c['sessionToken'])",
    "own-credentials-frozen": "import boto3\nfrom botocore.credentials import Credentials\nf = boto3.Session().get_credentials().get_frozen_credentials()\nCredentials(f.access_key, f.secret_key, f.token)",
    "provider": "import os\nfrom botocore.credentials import CredentialProvider, Credentials\nclass P(CredentialProvider):\n    def load(self): return Credentials(os.environ['AWS_ACCESS_KEY_ID'], os.environ['AWS_SECRET_ACCESS_KEY'], os.environ['AWS_SESSION_TOKEN'])",
    "refreshable": "from botocore.credentials import RefreshableCredentials\nRefreshableCredentials.create_from_metadata(metadata=f(), refresh_using=f, method='sts-assume-role')",
    "test": "import os, pytest, boto3\nos.environ['AWS_ACCESS_KEY_ID'] = 'testing'\nboto3.client('s3', aws_access_key_id='x')",
    "classified": HANDLER + "try: call()\nexcept ClientError as e:\n    if e.response['Error']['Code'] in ('InvalidClientTokenId', 'UnrecognizedClientException'):\n        logger.error('not signing as the role')\n        raise",
    "told-as-status": HANDLER + "try: call()\nexcept ClientError as e:\n    status = 'denied' if e.response['Error']['Code'] == 'InvalidClientTokenId' else 'other'",
    "other-retry": HANDLER + "for i in r:\n    try: call()\n    except ClientError as e:\n        if e.response['Error']['Code'] == 'ThrottlingException': continue\n        raise",
}  # fmt: skip


@pytest.mark.parametrize("text", [*PASSED_ON.values(), *TAKEN.values(), *SET.values()], ids=[*PASSED_ON, *TAKEN, *SET])
def test_spelling_is_found(text: str) -> None:
    """Aliases, wrappers, mappings however built, settings of every library."""
    ast.parse(text)
    assert lines(text)


@pytest.mark.parametrize(("text", "effect"), REMOVED.values(), ids=REMOVED.keys())
def test_taking_the_credentials_away_from_the_sdk_is_found(text: str, effect: str) -> None:
    """Each part that is gone has an effect of its own, and the finding says which."""
    report = judge(Target(sources=[parse_source("app.py", text)]), [RULE])
    assert report.errors == {}
    assert {found.line for found in report.findings} == {text.count("\n") + 1 - text.count("\nenviron.update(")}
    assert effect in report.findings[-1].message


@pytest.mark.parametrize("text", RETRIED.values(), ids=RETRIED.keys())
def test_retry_of_a_refused_signer_is_found(text: str) -> None:
    """Waiting, clearing and rebuilding read the same bytes again."""
    assert lines(HANDLER + text)


@pytest.mark.parametrize("text", LEFT_ALONE.values(), ids=LEFT_ALONE.keys())
def test_what_is_no_such_thing_is_left_alone(text: str) -> None:
    """No guess: parameters of that name elsewhere, complete temporary credentials, questions, tests."""
    assert lines(text) == []


UNNAMED = {
    "parsed": "boto3.client('s3', **json.loads(os.environ['OPTIONS']))",
    "computed-name": "boto3.client('s3', **{'aws_access' + suffix: k})",
    "zipped": "kw = dict(zip(names, values))\nboto3.client('s3', **kw)",
    "of-the-environment": "boto3.Session(**{k: v for k, v in os.environ.items()})",
    "event": "def handler(event, _):\n    return boto3.client('s3', **event)",
    "of-an-object": "boto3.client('s3', **settings.options)",
    "imported": "from config import OPTIONS\nboto3.client('s3', **OPTIONS)",
    "given-by-a-caller": "def make(options): return boto3.client('s3', **options)\nmake(load())",
    "given-through-a-wrapper": "def make(**options): return boto3.client('s3', **options)\nmake(**load())",
    "set-by-a-variable": "kw = {}\nkw[name] = value\nboto3.client('s3', **kw)",
    "updated": "kw = {'region_name': r}\nkw.update(load())\nboto3.client('s3', **kw)",
    "merged": "kw = {'region_name': r} | load()\nboto3.client('s3', **kw)",
    "merged-in-place": "kw = {}\nkw |= load()\nboto3.client('s3', **kw)",
    "session-of-a-parameter": "def f(session): return session.client('s3', **load())",
    "alias": "make = boto3.client\nmake('s3', **load())",
    "partial": "functools.partial(boto3.client, 's3', **load())()",
    "one-of-two": "kw = load() if local else {}\nboto3.client('s3', **kw)",
}

NAMED = {
    "wrapper": "def make(service, **options): return boto3.client(service, **options)",
    "wrapper-of-a-class": "class A:\n    def __init__(self, **kw): self.kw = kw\n    def f(self): return boto3.client('s3', **self.kw)",
    "built-up": "kw = {}\nif url: kw['endpoint_url'] = url\nboto3.client('s3', **kw, **({'verify': False} if url else {}))",
    "made-by-a-function": "def options(): return {'region_name': r}\nboto3.client('s3', **options())",
    "without-what-is-empty": "kw = {'region_name': r}\nboto3.client('s3', **{k: v for k, v in kw.items() if v})",
    "no-client": "def f(event): return boto3.client('s3').put_object(**event)",
    "no-sdk": "requests.get(url, **json.loads(options))",
}


def _unnamed(text: str) -> list[str]:
    report = judge(
        Target(sources=[parse_source("app.py", f"import boto3, functools, json, os, requests\n{text}")]), [RULE]
    )
    return [found.severity for found in report.findings if "takes whatever" in found.message]


@pytest.mark.parametrize("text", UNNAMED.values(), ids=UNNAMED)
def test_a_client_made_of_whatever_a_mapping_holds_cannot_be_told(text: str) -> None:
    """A key may be in it: silence would say that none is."""
    assert _unnamed(text) == ["cannot-tell"]


@pytest.mark.parametrize("text", NAMED.values(), ids=NAMED)
def test_a_client_made_of_names_that_stand_in_the_code_is_no_doubt(text: str) -> None:
    """Whoever calls a wrapper from another file names what is given there."""
    assert _unnamed(text) == []


def test_incident_is_found_line_by_line() -> None:
    """The specimen of the incident: where the keys are picked up, passed on, and tried again."""
    report = check([ROOT / "local_aws" / "incident" / "seed_function"], [RULE])
    found = sorted((Path(found.resource).name.partition(":")[0], found.line) for found in report.findings)
    assert found == [
        ("aws.py", 83),
        ("aws.py", 84),
        ("aws.py", 113),
        ("aws.py", 114),
        ("queue_service.py", 56),
        ("settings.py", 8),
        ("settings.py", 9),
    ]


def test_our_own_functions_are_clean() -> None:
    """The role-only factory reads all three and hands them to the SDK's chain as a provider: that is no finding."""
    report = check([ROOT / "lambda_src"], [RULE])
    assert report.errors == {}
    assert [found.message for found in report.findings] == []


def test_any_python_gets_an_answer() -> None:
    """No shape of code breaks the rule: a part of the standard library goes through."""
    library = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(library.glob("*.py"))[::4]:
        text = path.read_text(encoding="utf-8")
        # The word makes the rule look closer.
        assert isinstance(lines(text + "\n# aws_access_key_id InvalidClientTokenId\n"), list)
