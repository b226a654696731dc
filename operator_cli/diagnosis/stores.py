"""The queues, tables and buckets that a function calls: their own policies, and the customer's keys that encrypt them.

Only what a call of the function needs is asked: a key only where the call makes the service use it, its grants only where
nothing else admits the role. A resource without a policy, or without a key of the customer's, is an ordinary answer.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from operator_cli.diagnosis.questions import AT_ONCE, Policy, Question, Read, Reader, Unread, document_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from operator_cli.diagnosis.questions import Answer, Ask

_QUEUE: Final = Read("sqs", "get_queue_attributes", "sqs:GetQueueAttributes")
_TABLE_POLICY: Final = Read("dynamodb", "get_resource_policy", "dynamodb:GetResourcePolicy")
_TABLE: Final = Read("dynamodb", "describe_table", "dynamodb:DescribeTable")
_BUCKET_POLICY: Final = Read("s3", "get_bucket_policy", "s3:GetBucketPolicy")
_BUCKET_ENCRYPTION: Final = Read("s3", "get_bucket_encryption", "s3:GetEncryptionConfiguration")
_KEY: Final = Read("kms", "describe_key", "kms:DescribeKey")
_KEY_POLICY: Final = Read("kms", "get_key_policy", "kms:GetKeyPolicy")
_GRANTS: Final = Read("kms", "list_grants", "kms:ListGrants")

STORE_READS: Final = (
    _QUEUE,
    _TABLE_POLICY,
    _TABLE,
    _BUCKET_POLICY,
    _BUCKET_ENCRYPTION,
    _KEY,
    _KEY_POLICY,
    _GRANTS,
)
"""Everything that is ever asked about them."""

KINDS: Final = {"sqs": "queue", "dynamodb": "table", "s3": "bucket"}
"""What is read, by the IAM prefix of its service."""


@dataclass(frozen=True, slots=True)
class Store:
    """A queue, a table or a bucket.

    Attributes:
        arn: Its ARN.
        policy: Its own policy; None if it has none.
        key: The ARN of the customer's key that encrypts it; empty if none does, or if no call needs to know.
        is_policy_known: Whether the policy was read, or is known not to be there.
    """

    arn: str
    policy: Policy | None = None
    key: str = ""
    is_policy_known: bool = True

    @property
    def kind(self) -> str:
        """What it is, in a word."""
        return KINDS[self.arn.split(":")[2]]

    @property
    def account(self) -> str:
        """Whose it is; empty for a bucket, which does not say."""
        return self.arn.split(":")[4]


@dataclass(frozen=True, slots=True)
class Key:
    """A customer's key: its policy, None if that was not read, and its grants to the role, None if nobody asked."""

    arn: str
    policy: Policy | None = None
    grants: Sequence[Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Stores:
    """What was read of the stores, and of the keys, each by its ARN; and what AWS did not tell."""

    stores: Mapping[str, Store]
    keys: Mapping[str, Key]
    unread: tuple[Unread, ...] = ()


NO_STORES: Final = Stores({}, {})


def store_of(resource: str) -> str:
    """Give the ARN of the one queue, table or bucket that something is, or is a part of; empty if it is none, or unknown."""
    parts = resource.split(":", 5)
    if len(parts) != 6:  # noqa: PLR2004 (an ARN's fields)
        return ""
    match parts[2]:
        case "sqs":
            name = parts[5]
        case "dynamodb" if parts[5].startswith("table/") and "/stream/" not in parts[5]:
            name = "/".join(parts[5].split("/")[:2])
        case "s3" if not parts[3] and not parts[4]:
            name = parts[5].partition("/")[0]
        case _:
            return ""
    found = ":".join([*parts[:5], name])
    return "" if not name or {"*", "?", "$"} & set(found) else found


def read_stores(ask: Ask, wanted: Mapping[str, bool], function: str) -> Stores:
    """Read the policies of stores, then those of the keys that encrypt them.

    Args:
        ask: Asks AWS.
        wanted: The stores by their ARNs, and whether a call on it makes its service use its key.
        function: The function's ARN: keys that are not named in full are in its region.
    """
    if not wanted:
        return NO_STORES
    with ThreadPoolExecutor(AT_ONCE) as pool:
        reader = Reader(ask, pool)
        own = function.split(":")[4]
        questions = {arn: _questions(arn, own, with_key=with_key) for arn, with_key in wanted.items()}
        answers = iter(reader.told(question for each in questions.values() for question in each))
        read = {arn: _store(reader, each, [next(answers) for _ in each], arn) for arn, each in questions.items()}
        keys = _arns(reader, {(store.key, store.account) for store in read.values() if store.key}, function)
        stores = {arn: _with_key(store, keys) for arn, store in read.items()}
        names = sorted({store.key for store in stores.values() if store.key})
        asked = [
            Question(_KEY_POLICY, {"KeyId": key, "PolicyName": "default"}, f"the policy of the key {key}")
            for key in names
        ]
        policies = reader.told(asked)
        found = {
            key: Key(key, _policy(reader, question, answer))
            for key, question, answer in zip(names, asked, policies, strict=True)
        }
    return Stores(stores, found, tuple(sorted(reader.unread, key=lambda unread: (unread.permission, unread.what))))


def with_grants(ask: Ask, stores: Stores, keys: Iterable[str], role: str) -> Stores:
    """Read which grants on some keys are the role's: with one, it needs neither the key's policy nor its own."""
    asked = [key for key in dict.fromkeys(keys) if key in stores.keys]
    if not asked:
        return stores
    with ThreadPoolExecutor(AT_ONCE) as pool:
        reader = Reader(ask, pool)
        answers = reader.told(
            Question(_GRANTS, {"KeyId": key, "GranteePrincipal": role}, f"the grants of the key {key}") for key in asked
        )
    grants = {
        key: replace(stores.keys[key], grants=None if answer is None else answer.get("Grants", ()))
        for key, answer in zip(asked, answers, strict=True)
    }
    return replace(stores, keys={**stores.keys, **grants}, unread=(*stores.unread, *reader.unread))


# --- one store ----------------------------------------------------------------------------------------------------


def _questions(arn: str, own: str, *, with_key: bool) -> list[Question]:
    """Ask for its policy, and for its key where that is wanted; of a queue, both are one question."""
    _, partition, service, region, account, name = arn.split(":", 5)
    of_other = "" if account in {"", own} else ", which belongs to another account,"
    what = f"the {KINDS[service]} {arn}{of_other}"
    if service == "sqs":
        suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
        parameters = {
            "QueueUrl": f"https://sqs.{region}.{suffix}/{account}/{name}",
            "AttributeNames": ["Policy", *(["KmsMasterKeyId"] if with_key else [])],
        }
        return [Question(_QUEUE, parameters, f"the policy of {what}")]
    if service == "dynamodb":
        policy = Question(
            _TABLE_POLICY,
            {"ResourceArn": arn},
            f"the policy of {what}",
            frozenset({"PolicyNotFoundException"}),
        )
        key = Question(_TABLE, {"TableName": arn}, f"the encryption of {what}")
    else:
        policy = Question(_BUCKET_POLICY, {"Bucket": name}, f"the policy of {what}", frozenset({"NoSuchBucketPolicy"}))
        key = Question(
            _BUCKET_ENCRYPTION,
            {"Bucket": name},
            f"the encryption of {what}",
            frozenset({"ServerSideEncryptionConfigurationNotFoundError"}),
        )
    return [policy, *([key] if with_key else [])]


def _store(reader: Reader, questions: Sequence[Question], answers: Sequence[Answer | None], arn: str) -> Store:
    """Put the answers together. The key is as the service names it: an ARN, an id, an alias."""
    policy, encryption = answers[0], answers[-1]
    service = arn.split(":")[2]
    if service == "sqs":
        policy = encryption = None if policy is None else policy.get("Attributes", {})
        key = (encryption or {}).get("KmsMasterKeyId")
    elif service == "dynamodb":
        key = ((encryption or {}).get("Table", {}).get("SSEDescription") or {}).get("KMSMasterKeyArn")
    else:
        rules = (encryption or {}).get("ServerSideEncryptionConfiguration", {}).get("Rules", ())
        keys = (rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID") for rule in rules)
        key = next(filter(None, keys), None)
    own = _policy(reader, questions[0], policy)
    return Store(
        arn=arn,
        policy=own,
        key=str(key or ""),
        is_policy_known=own is not None or (policy is not None and not policy.get("Policy")),
    )


def _policy(reader: Reader, question: Question, answer: Answer | None) -> Policy | None:
    """Give a policy; None where there is none, or where what there is cannot be understood: then that is remembered."""
    written = (answer or {}).get("Policy")
    if not written:
        return None
    document = document_of(written)
    if not document:
        reader.unread.append(Unread(question.what, question.read.permission, "it is no policy", is_denied=False))
        return None
    return Policy(question.what, document)


# --- keys ---------------------------------------------------------------------------------------------------------


def _arns(reader: Reader, names: Iterable[tuple[str, str]], function: str) -> Mapping[tuple[str, str], str | None]:
    """Give the ARN of each key that a store of an account names: empty for AWS's own, None where it could not be read."""
    _, partition, _, region, own = function.split(":")[:5]
    found: dict[tuple[str, str], str | None] = {}
    aliases = []
    for name, account in sorted(names):
        if name.rpartition(":")[2].startswith("alias/aws/"):
            found[name, account] = ""
        elif "alias/" in name:
            aliases.append((name, account))
        elif name.startswith("arn:"):
            found[name, account] = name
        else:
            found[name, account] = f"arn:{partition}:kms:{region}:{account or own}:key/{name}"
    questions = []
    for name, account in aliases:
        # Without an ARN, KMS would look for an alias of that name among the asker's own.
        whole = name if name.startswith("arn:") else f"arn:{partition}:kms:{region}:{account or own}:{name}"
        questions.append(Question(_KEY, {"KeyId": whole}, f"the key {whole}"))
    answers = reader.told(questions)
    for alias, answer in zip(aliases, answers, strict=True):
        found[alias] = None if answer is None else str(answer["KeyMetadata"]["Arn"])
    return found


def _with_key(store: Store, keys: Mapping[tuple[str, str], str | None]) -> Store:
    """Give a store with its key by ARN: without one if it is AWS's own, or could not be read, which is remembered."""
    return replace(store, key=keys[store.key, store.account] or "") if store.key else store
