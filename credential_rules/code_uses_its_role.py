"""A function has a role; code that passes keys around signs without the token that makes them valid, or as somebody else."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from credential_rules.environment_reads import CREDENTIALS, is_environment, reads, removals, writes
from credential_rules.python_names import last_name, names_of
from credential_rules.rule import CANNOT_TELL, Example, Finding, Index, Rule, Source
from credential_rules.sdk_credentials import handovers, unnamed_arguments

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from credential_rules.python_names import Names
    from credential_rules.sdk_credentials import Given, Handover

_WORTH_READING: Final = re.compile(
    r"aws_?(?:access|secret|session|security|profile)|access_?key|secret_?key|profile|environ|getenv|Session\s*\("
    r"|boto|s3fs|fsspec|set_credentials|Credentials\s*\(|AWS4Auth|InvalidClientTokenId|UnrecognizedClient|InvalidAccessKeyId|connect_s3",
    re.IGNORECASE,
)
_NAMES_ONE: Final = re.compile(
    r"access_?key|secret_?key|(?:session|security)_?token|aws_\w*profile|credentials_file"
    # What takes them away need not name them.
    r"|\bclear\b|\bstartswith\b",
    re.IGNORECASE,
)
_TESTS: Final = frozenset({"moto", "pytest", "unittest"})

_REFUSED: Final = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "UnrecognizedClient", "InvalidAccessKeyId"}
)
"""Error codes of a signer that AWS does not know. The same bytes would sign again, however often the call is made."""
_REBUILDS: Final = re.compile(
    r"(?:clear|reset|refresh|re_?build|re_?create|re_?new|re_?connect|re_?init\w*|re_?load|re_?try|re_?new|invalidate|new"
    r"|create|make|build|get|init\w*|setup|_set)_?\w*?(?:client|session|resource|credential|cred|connection|aws|boto3?)s?\w*"
    r"|refresh|reconnect|retry|sleep",
    re.IGNORECASE,
)
_KEPT_CLIENT: Final = re.compile(
    r"_*(?:\w+_)?(?:client|session|resource|connection|conn|credential)s?|\w*(?:refresh|stale|rebuild|reset)\w*",
    re.IGNORECASE,
)
_RETRY_LIBRARIES: Final = frozenset({"tenacity", "backoff", "retrying", "retry", "stamina"})

_ROLE_SIGNS: Final = (
    'Create clients without credentials, as in boto3.client("sqs"): in Lambda they sign as the function\'s role.'
)


def _code_that_uses_something_else(_index: Index, source: Source) -> Iterator[Finding]:
    if not _WORTH_READING.search(source.text):
        return
    names = names_of(source)
    # A test's own fake keys keep it off every real account, and its code does not run in a function.
    if names.imported & _TESTS:
        return
    found: dict[tuple[int, str], Finding] = {}
    for finding in (
        *_handed_over(names, source),
        *(_of_the_environment(names, source) if _NAMES_ONE.search(source.text) else ()),
        *_retried(names, source),
    ):
        found.setdefault((finding.at.place.line or 0, finding.message), finding)
    yield from sorted(found.values(), key=lambda finding: finding.at.place.line or 0)


# --- keys that are passed on --------------------------------------------------------------------------------------


def _handed_over(names: Names, source: Source) -> Iterator[Finding]:
    known = set()
    for handover in handovers(names):
        known.add(handover.call)
        for given in handover.given:
            yield Finding(source.at(given.at), _why(given, handover), _ROLE_SIGNS)
    for call, callee, mapping in unnamed_arguments(names):
        if call in known:
            continue
        yield Finding(
            source.at(call),
            f"{callee}(…) takes whatever '{ast.unparse(mapping)[:60]}' holds, and this file does not say what: it may be a key,"
            " and then nothing signs as the function's role.",
            "Name the arguments, or build the mapping with names that stand in the code.",
            CANNOT_TELL,
        )


def _why(given: Given, handover: Handover) -> str:
    what = f"'{given.spelling}' goes to {handover.callee}(…)"
    if given.part == "profile":
        return (
            f"{what}: a function has no profile files, so the call fails with ProfileNotFound, or acts as somebody else"
            " where there are some."
        )
    if "token" not in handover.parts:
        return (
            f"{what} without a session token: a role's key is valid only together with its token, and DynamoDB answers"
            " UnrecognizedClientException, SQS InvalidClientTokenId, however often the call is repeated."
        )
    return (
        f"{what}: the client then does not sign as the function's role but as whatever stands there, and nothing renews"
        " it when it expires."
    )


# --- the environment ----------------------------------------------------------------------------------------------


def _of_the_environment(names: Names, source: Source) -> Iterator[Finding]:
    yield from _taken_from_environment(names, source)
    yield from _put_into_environment(names, source)
    yield from _removed_from_environment(names, source)
    yield from _harvested_by_settings(names, source)


def _taken_from_environment(names: Names, source: Source) -> Iterator[Finding]:
    for node, name in reads(names, source.nodes, source.text):
        yield Finding(
            source.at(node),
            f"The code takes {name} out of the environment: there is no use for it but to sign by hand, and a key without"
            " its token, or one that was kept too long, is refused.",
            _ROLE_SIGNS + " To sign a request yourself, ask boto3.Session().get_credentials().",
        )


def _put_into_environment(names: Names, source: Source) -> Iterator[Finding]:
    for node, name in writes(names, source.nodes):
        yield Finding(
            source.at(node),
            f"The code sets {name} in its environment: every client that is made from then on, in every library, stops"
            " being the function's role.",
            "Remove it. For another account's role, pass the answer of assume_role, token included, to a Session of its"
            " own.",
        )


def _removed_from_environment(names: Names, source: Source) -> Iterator[Finding]:
    for removal in removals(names, source.nodes):
        effect = (
            _effect_of_missing(removal.variables)
            if removal.is_from_sdk
            else (
                "what it starts, and libraries that are not Python's, lack that part of the role's credentials from then on,"
                " while os.environ keeps it."
            )
        )
        yield Finding(
            source.at(removal.at),
            f"The code removes {_listed(removal.variables)} from its environment: {effect}",
            "Remove the line. To start another program without credentials, give it a copy of os.environ without them."
            f" {_ROLE_SIGNS}",
        )


def _listed(gone: tuple[str, ...]) -> str:
    return " and ".join(filter(None, (", ".join(gone[:-1]), gone[-1])))


def _effect_of_missing(gone: tuple[str, ...]) -> str:
    """What the SDK does without a part of the credentials, as it looks for the key first, then the secret."""
    if "AWS_ACCESS_KEY_ID" in gone:
        return (
            "clients that are made from then on do not find the role's key, look for another one in files and at addresses"
            " that a function does not have, and fail with NoCredentialsError."
        )
    if "AWS_SECRET_ACCESS_KEY" in gone:
        return "clients that are made from then on find half of a pair, and fail with PartialCredentialsError."
    return (
        "clients that are made from then on sign with a key that lacks its token, and DynamoDB answers"
        " UnrecognizedClientException, SQS InvalidClientTokenId, however often the call is repeated."
    )


# --- settings that harvest ----------------------------------------------------------------------------------------


def _harvested_by_settings(names: Names, source: Source) -> Iterator[Finding]:
    for owner in names.classes.values():
        if _is_settings(owner, names, 0):
            yield from _fields_that_harvest(owner, names, source)
        else:
            fields = list(_named_fields(owner, ""))
            if fields and _takes_whole_environment(owner, names):
                yield from (_harvest(source, node, name, owner) for node, name in fields)


def _harvest(source: Source, node: ast.AST, name: str, owner: ast.ClassDef) -> Finding:
    return Finding(
        source.at(node),
        f"The settings class '{owner.name}' takes {name} out of the environment, where Lambda puts the role's own: whoever"
        " passes it on signs without the session token, and is refused.",
        "Remove the field. " + _ROLE_SIGNS,
    )


def _is_settings(owner: ast.ClassDef, names: Names, depth: int) -> bool:
    """Whether a class fills its fields from variables of their names: pydantic's settings and their like."""
    for base in owner.bases:
        base = base.value if isinstance(base, ast.Subscript) else base  # noqa: PLW2901 (the generic's own name)
        known = names.classes.get(last_name(base))
        if known is not None and known is not owner and depth < 4:  # noqa: PLR2004 (bases of bases)
            if _is_settings(known, names, depth + 1):
                return True
        elif "BaseSettings" in last_name(base) or names.dotted(base).startswith(("pydantic_settings.", "goodconf.")):
            return True
    return any(
        names.dotted(decorator).removesuffix("()") in {"environ.config", "typed_settings.settings", "ts.settings"}
        for decorator in owner.decorator_list
    )


def _takes_whole_environment(owner: ast.ClassDef, names: Names) -> bool:
    """Whether a class, or a call that makes one, goes through the whole environment instead of asking by name."""
    inside = (node for node in ast.walk(owner) if isinstance(node, ast.For | ast.comprehension | ast.Call))
    for node in inside:
        if isinstance(node, ast.Call):
            if _spreads_environment(node, names):
                return True
        elif is_environment(node.iter, names):
            return True
    return any(
        _spreads_environment(call, names)
        and owner.name
        in {last_name(call.func), last_name(call.func.value) if isinstance(call.func, ast.Attribute) else ""}
        for call in names.calls
    )


def _spreads_environment(call: ast.Call, names: Names) -> bool:
    spread = [keyword.value for keyword in call.keywords if keyword.arg is None]
    if last_name(call.func) in {"update", "model_validate", "parse_obj", "from_dict", "structure", "load"}:
        spread += call.args
    return any(is_environment(value, names) for value in spread)


def _fields_that_harvest(owner: ast.ClassDef, names: Names, source: Source) -> Iterator[Finding]:
    prefixes = _prefixes(owner)
    named: set[ast.AST] = set()
    for prefix in prefixes or [""]:
        for node, name in _named_fields(owner, prefix):
            named.add(node)
            yield _harvest(source, node, name, owner)
    for node, name in _texts_of(owner):
        # An alias, an `env=`, a mapping of fields to variables.
        if name in CREDENTIALS and not any(holder in named for holder in names.above(node)):
            yield _harvest(source, node, name, owner)


def _texts_of(owner: ast.ClassDef) -> Iterator[tuple[ast.AST, str]]:
    for part in owner.body:
        if isinstance(part, ast.AnnAssign | ast.Assign | ast.ClassDef):
            for node in ast.walk(part):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node, node.value.upper()


def _has_other_name(part: ast.AnnAssign | ast.Assign) -> bool:
    """Whether a field is filled from a variable of another name: `Field(alias="QUEUE_KEY")`."""
    fields = [node for node in ast.walk(part) if isinstance(node, ast.Call) and last_name(node.func) == "Field"]
    return any(
        keyword.arg in {"alias", "validation_alias", "env"} for field in fields for keyword in field.keywords
    ) and not any(isinstance(node, ast.Constant) and str(node.value).upper() in CREDENTIALS for node in ast.walk(part))


def _named_fields(owner: ast.ClassDef, prefix: str) -> Iterator[tuple[ast.AST, str]]:
    for part in owner.body:
        if not isinstance(part, ast.AnnAssign | ast.Assign):
            continue
        for target in [part.target] if isinstance(part, ast.AnnAssign) else part.targets:
            if isinstance(target, ast.Name):
                name = f"{prefix}{target.id}".upper()
                if name in CREDENTIALS and not _has_other_name(part):
                    yield part, name


def _prefixes(owner: ast.ClassDef) -> list[str]:
    """What pydantic puts before each field's name: `model_config` or `class Config`."""
    found: list[str] = []
    for node in ast.walk(owner):
        value: ast.expr | None = None
        if (isinstance(node, ast.keyword) and node.arg == "env_prefix") or (
            isinstance(node, ast.Assign) and last_name(node.targets[0]) == "env_prefix"
        ):
            value = node.value
        elif isinstance(node, ast.Dict):
            for key, entry in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "env_prefix":
                    value = entry
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            found.append(value.value)
    return found


# --- retries that cannot help -------------------------------------------------------------------------------------


def _retried(names: Names, source: Source) -> Iterator[Finding]:
    if not any(code in source.text for code in _REFUSED):
        return
    askers = _askers(names, source)

    def asks(node: ast.AST) -> bool:
        return any(_mentions(part, names, askers) for part in ast.walk(node))

    for node in source.nodes:
        if isinstance(node, ast.Call):
            if _is_retry_policy(node, names) and any(asks(part) for part in _conditions_of(node)):
                yield _retry(source, node)
        elif any(asks(test) and _tries_again(region, names) for test, region in _branches(node, names)):
            yield _retry(source, node)


def _branches(node: ast.AST, names: Names) -> Iterator[tuple[ast.AST, Iterable[ast.stmt]]]:
    """What is asked of an error, each with what is done if the answer is yes."""
    if isinstance(node, ast.If):
        yield node.test, [*node.orelse, *_after(node, names)] if _is_negative(node.test) else node.body
    elif isinstance(node, ast.ExceptHandler) and node.type is not None:
        yield ast.Constant(last_name(node.type)), node.body
    elif isinstance(node, ast.Match):
        yield from ((case.pattern, case.body) for case in node.cases)


def _is_retry_policy(node: ast.Call, names: Names) -> bool:
    return names.dotted(node.func).partition(".")[0] in _RETRY_LIBRARIES and "if_not" not in last_name(node.func)


def _conditions_of(node: ast.Call) -> list[ast.expr]:
    return [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg not in {"giveup", "stop"})]


def _retry(source: Source, node: ast.AST) -> Finding:
    return Finding(
        source.at(node),
        "The code tries again after InvalidClientTokenId or UnrecognizedClientException: AWS does not know the signer, and"
        " a client that is made anew reads the same credentials. The retry can only delay the error.",
        "Let the error end the invocation, and look for what passes keys to a client. " + _ROLE_SIGNS,
    )


def _askers(names: Names, source: Source) -> frozenset[str]:
    """The functions of the file that say whether an error is one of these."""
    found: set[str] = set()
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            returned = names.returned(node)
            if any(_mentions(part, names, frozenset()) for value in returned for part in ast.walk(value)):
                found.add(node.name)
    return frozenset(found)


def _mentions(node: ast.AST, names: Names, askers: frozenset[str]) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and any(code in node.value for code in _REFUSED)
    if isinstance(node, ast.Name | ast.Attribute):
        return last_name(node) in askers or any(text in _REFUSED for text in names.strings(node))
    return False


def _is_negative(test: ast.expr) -> bool:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return True
    return isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.NotIn | ast.NotEq)


def _after(node: ast.If, names: Names) -> list[ast.stmt]:
    """What follows if the condition fails: the rest of the block, if the branch ends it."""
    if not node.body or not isinstance(node.body[-1], ast.Raise | ast.Return | ast.Break):
        return []
    for holder in names.above(node):
        for block in (
            getattr(holder, "body", None),
            getattr(holder, "orelse", None),
            getattr(holder, "finalbody", None),
        ):
            if isinstance(block, list) and node in block:
                return block[block.index(node) + 1 :]
    return []


def _tries_again(region: Iterable[ast.stmt], names: Names) -> bool:
    for statement in region:
        for node in ast.walk(statement):
            if isinstance(node, ast.Continue):
                return True
            if isinstance(node, ast.Call) and (
                _REBUILDS.fullmatch(last_name(node.func).lstrip("_"))
                or names.dotted(node.func) in {"boto3.client", "boto3.resource", "boto3.Session", "time.sleep"}
            ):
                return True
            if isinstance(node, ast.Assign) and any(
                _KEPT_CLIENT.fullmatch(last_name(target)) for target in node.targets
            ):
                return True
    return False


RULE = Rule(
    slug="code-uses-its-role",
    group="Source of the functions",
    sentence="Code signs as the role that it runs with: it passes no credentials or profiles to an SDK, and leaves the environment's alone.",
    reason=(
        "Lambda gives a function a key, a secret and a session token, which are valid only together. Code or settings that"
        " pick up the first two sign without the token: DynamoDB answers UnrecognizedClientException and SQS"
        " InvalidClientTokenId, while other clients of the same function work. Clearing clients and trying again reads the"
        " same bytes."
    ),
    remedy=(
        'Create clients without credentials, as in boto3.client("sqs"), and delete settings, variables and retries that'
        " handle keys. To act as another account's role, pass all three parts of assume_role's answer, the token"
        " included, to a Session: that is accepted. So is a provider that hands all three to the SDK's own chain."
    ),
    on_source=_code_that_uses_something_else,
    bad=(
        Example(
            "keys-from-settings",
            """
import boto3

from settings import settings

client_kwargs = {"service_name": "sqs", "region_name": settings.aws_region}
if settings.aws_access_key_id and settings.aws_secret_access_key:
    client_kwargs["aws_access_key_id"] = settings.aws_access_key_id
    client_kwargs["aws_secret_access_key"] = settings.aws_secret_access_key
sqs = boto3.Session().client(**client_kwargs)
""",
            language="python",
            finding="without a session token",
        ),
        Example(
            "keys-from-the-environment",
            """
import os
from boto3 import client as make

table = make(
    "dynamodb",
    aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
    aws_secret_access_key=os.getenv("AWS_SECRET_ACCESS_KEY"),
)
""",
            language="python",
            finding="takes AWS_SECRET_ACCESS_KEY out of the environment",
        ),
        Example(
            "keys-by-position",
            """
import boto3.session as s

def connect(key, secret):
    return s.Session(key, secret).resource("dynamodb")
""",
            language="python",
            finding="'argument 1' goes to Session",
        ),
        Example(
            "keys-through-a-wrapper",
            """
import functools
import boto3

def make(service, **options):
    return boto3.client(service, **options)

sqs = make("sqs", **dict(aws_access_key_id=KEY, aws_secret_access_key=SECRET))
sns = functools.partial(boto3.client, "sns", aws_access_key_id=KEY, aws_secret_access_key=SECRET)()
""",
            language="python",
            finding="'aws_secret_access_key' goes to client",
        ),
        Example(
            "whatever-a-secret-holds",
            """
import json
import os
import boto3

sqs = boto3.client("sqs", **json.loads(os.environ["CLIENT_OPTIONS"]))
""",
            language="python",
            severity="cannot-tell",
            finding="takes whatever 'json.loads(os.environ['CLIENT_OPTIONS'])' holds",
        ),
        Example(
            "profile",
            """
import aioboto3

session = aioboto3.Session(profile_name="production")
""",
            language="python",
            finding="no profile files",
        ),
        Example(
            "settings-that-harvest",
            """
from pydantic import Field
from pydantic_settings import BaseSettings

class Settings(BaseSettings):
    aws_region: str = "eu-west-1"
    aws_access_key_id: str | None = None
    secret: str = Field(default="", validation_alias="AWS_SECRET_ACCESS_KEY")
""",
            language="python",
            finding="'Settings' takes AWS_SECRET_ACCESS_KEY",
        ),
        Example(
            "settings-by-decouple-and-environs",
            """
from decouple import config
from environs import Env

env = Env()
key = config("AWS_ACCESS_KEY_ID", default=None)
secret = env.str("AWS_SECRET_ACCESS_KEY")
""",
            language="python",
            finding="takes AWS_SECRET_ACCESS_KEY",
        ),
        Example(
            "retry-that-rebuilds-the-client",
            """
from botocore.exceptions import ClientError

def send(queue, body):
    for attempt in range(3):
        try:
            return queue.client.send_message(QueueUrl=queue.url, MessageBody=body)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("InvalidClientTokenId", "UnrecognizedClientException"):
                queue.client = None
                continue
            raise
""",
            language="python",
            finding="tries again after InvalidClientTokenId",
        ),
        Example(
            "environment-overwritten",
            """
import os

def act_as(keys):
    os.environ["AWS_ACCESS_KEY_ID"] = keys["id"]
    os.environ.update({"AWS_SECRET_ACCESS_KEY": keys["secret"]})
""",
            language="python",
            finding="sets AWS_SECRET_ACCESS_KEY",
        ),
        Example(
            "token-removed-from-the-environment",
            """
import os

import boto3

def handler(event, context):
    os.environ.pop("AWS_SESSION_TOKEN", None)
    boto3.client("sqs").send_message(QueueUrl=event["queue"], MessageBody=event["body"])
""",
            language="python",
            finding="removes AWS_SESSION_TOKEN from its environment",
        ),
        Example(
            "assumed-role-without-its-token",
            """
import boto3

answer = boto3.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="report")["Credentials"]
s3 = boto3.client(
    "s3", aws_access_key_id=answer["AccessKeyId"], aws_secret_access_key=answer["SecretAccessKey"]
)
""",
            language="python",
            finding="without a session token",
        ),
    ),
    good=(
        Example(
            "options-whose-names-are-known",
            """
import os
import boto3

OPTIONS = {"region_name": os.environ["AWS_REGION"], "endpoint_url": os.environ.get("ENDPOINT_URL")}

def make(service, **more):
    return boto3.client(service, **{name: value for name, value in OPTIONS.items() if value}, **more)

sqs = make("sqs", config=None)
""",
            language="python",
        ),
        Example(
            "client-of-the-role",
            """
import boto3

from settings import settings

client_kwargs = {"service_name": "sqs", "region_name": settings.aws_region}
sqs = boto3.Session().client(**client_kwargs)
""",
            language="python",
        ),
        Example(
            "role-of-another-account",
            """
import boto3

def session_in(account):
    answer = boto3.client("sts").assume_role(RoleArn=f"arn:aws:iam::{account}:role/reader", RoleSessionName="report")
    credentials = answer["Credentials"]
    return boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
""",
            language="python",
        ),
        Example(
            "request-signed-by-hand",
            """
import boto3
from requests_aws4auth import AWS4Auth

credentials = boto3.Session().get_credentials()
auth = AWS4Auth(credentials.access_key, credentials.secret_key, "eu-west-1", "es", session_token=credentials.token)
""",
            language="python",
        ),
        Example(
            "nothing-to-do-with-an-sdk",
            """
import os
import boto3

def show(aws_access_key_id=None, profile_name="anna"):
    return {"aws_access_key_id": aws_access_key_id, "profile_name": profile_name}

show(aws_access_key_id="none", profile_name="berta")
sqs = boto3.client("sqs", region_name=os.environ["AWS_REGION"], aws_access_key_id=None)
if "AWS_SESSION_TOKEN" not in os.environ:
    raise RuntimeError("not in Lambda")
""",
            language="python",
        ),
        Example(
            "program-started-without-credentials",
            """
import os
import subprocess

def convert(path):
    environment = os.environ.copy()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        environment.pop(name, None)
    os.environ.pop("AWS_PROFILE", None)
    subprocess.run(["/opt/bin/convert", path], env=environment, check=True)
""",
            language="python",
        ),
        Example(
            "error-that-ends-the-invocation",
            """
from botocore.exceptions import ClientError

def send(client, url, body):
    try:
        return client.send_message(QueueUrl=url, MessageBody=body)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"InvalidClientTokenId", "UnrecognizedClientException"}:
            raise RuntimeError("this function is not signing as its role") from error
        raise
""",
            language="python",
        ),
    ),
)
