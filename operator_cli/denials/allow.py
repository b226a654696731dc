"""The smallest Allow that would have let the call through, for a denial that an Allow can cure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from operator_cli import rule_checks

if TYPE_CHECKING:
    from operator_cli.denials.reading import Reading
    from operator_cli.rule_checks import IamAction

_ARN_PARTS: Final = 6
_ACCOUNT: Final = re.compile(r"\d{4,14}|aws")
"""Also one that is too short or too long, as people shorten theirs: the names beside it are shortened in the same way."""
_WHOLE_ACCOUNT: Final = re.compile(r"\d{12}|aws|")
_WITHOUT_ARN: Final = re.compile(r"aws(?:-[a-z]{2,4}){0,3}:[a-z0-9-]{2,40}:[^:]{0,30}:[^:]{0,30}:.")
_WITHOUT_PARTITION: Final = re.compile(r"[a-z0-9-]{2,40}:(?:[a-z]{2}(?:-[a-z]+){1,3}-\d)?:\d{12}:.")
_CUT: Final = re.compile(r"\.{3,}|…|\*{3,}")
"""In place of a name: what was left out, or masked."""
_STARS: Final = re.compile(r"\*{3,}")
"""A mask. In a policy, it would be every name."""
_REGION: Final = re.compile(r"[a-z]{2}(?:-[a-z]+){1,3}-\d|\*")
_HOLE: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
_VARIABLE: Final = re.compile(r"\$\{(\w+)\}")
_QUEUE_URL: Final = re.compile(
    r"https://(?:sqs\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?|(?P<old>[a-z0-9-]+)\.queue\.amazonaws\.com)"
    r"/(?P<account>[^/\s]+)/(?P<name>[\w.-]+)"
)
_TYPED: Final = re.compile(r"(role|user|group|policy|instance profile|saml provider|oidc provider) (\S+)")
_IDENTITY_OF_COGNITO: Final = re.compile(r"[a-z]{2}(?:-[a-z]+){1,3}-\d:[0-9a-fA-F-]{36}")
_BOOTSTRAP: Final = re.compile(r"parameter/cdk-bootstrap/(?P<qualifier>[\w-]+)/version")
_BOOTSTRAPPING: Final = (
    "Bootstrapping makes roles, a bucket, a repository and a parameter, and needs more than this. Have it done once by somebody"
    " who may: afterwards `cdk deploy` needs only to assume the roles that it made."
)
_CDK_ROLES: Final = ("deploy", "file-publishing", "image-publishing", "lookup")
_TRANSFORM_OF_AWS: Final = re.compile(
    r"transform/(?:Serverless|Include|LanguageExtensions|CodeDeployBlueGreen|SecretsManager|ServiceCatalog)(?:-\d{4}-\d\d-\d\d)?"
)
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-reference.html"""
_LOG_GROUP: Final = re.compile(r"arn:[^:]*:logs:[^:]*:[^:]*:log-group:[^:*]+")
_ON_TAGS_OF_LOGS: Final = ("logs:ListTagsForResource", "logs:TagResource", "logs:UntagResource")
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html"""
_NOT_AS_SHOWN: Final = (
    (
        re.compile(r"(?P<kept>arn:[^:]*:logs:[^:]*:[^:]*:log-group:[^:*]+)(?::.*)?"),
        ":*",
        "Policies match a log group and its streams by the group's ARN with :* at its end.",
    ),
    (
        re.compile(r"(?P<kept>arn:[^:]*:cloudformation:[^:]*:[^:]*:stack/[^/*]+)/[0-9a-f-]{36}"),
        "/*",
        "The stack's id changes when it is made anew, so the policy names the stack with /*.",
    ),
    (
        re.compile(r"(?P<kept>arn:[^:]*:lambda:[^:]*:[^:]*:function:[\w-]+):\d+"),
        ":*",
        "Each deployment makes a new version, so the policy names all of the function's.",
    ),
)
"""ARNs of messages, the part of them that a policy keeps, and how it goes on there."""
_SECRET: Final = re.compile(r"arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:[^*?$<{]+")

# Operations whose service a message does not name, with that service. S3 and SQS say the least.
_SERVICES: Final = {
    **dict.fromkeys(
        ("GetObject", "PutObject", "HeadObject", "DeleteObject", "DeleteObjects", "CopyObject", "ListObjects", "ListObjectsV2",
         "ListBuckets", "HeadBucket", "CreateBucket", "DeleteBucket", "GetBucketLocation", "GetBucketPolicy", "PutBucketPolicy",
         "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "GetBucketAcl", "PutBucketAcl", "GetObjectTagging",
         "PutObjectTagging"),
        "s3",
    ),
    **dict.fromkeys(
        ("SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch", "GetQueueUrl",
         "GetQueueAttributes", "PurgeQueue", "CreateQueue", "ChangeMessageVisibility"),
        "sqs",
    ),
    **dict.fromkeys(("PutItem", "GetItem", "Query", "Scan", "UpdateItem", "DeleteItem", "BatchWriteItem"), "dynamodb"),
    **dict.fromkeys(("RunInstances", "DescribeInstances", "AllocateAddress", "CreateSecurityGroup", "CreateVpc"), "ec2"),
    "GetParameter": "ssm", "GetParameters": "ssm", "GetSecretValue": "secretsmanager", "Publish": "sns",
    "ListPolicies": "organizations", "ListAccounts": "organizations",
}  # fmt: skip
_TAKES_ROLE: Final = {
    **dict.fromkeys(("CreateFunction", "UpdateFunctionConfiguration", "CreateFunction20150331"), "lambda"),
    **dict.fromkeys(("RegisterTaskDefinition", "RunTask", "CreateService", "UpdateService"), "ecs-tasks"),
    **dict.fromkeys(("CreateStack", "UpdateStack", "CreateChangeSet", "DeleteStack"), "cloudformation"),
    **dict.fromkeys(("CreateStateMachine", "UpdateStateMachine"), "states"),
    **dict.fromkeys(("PutTargets", "PutRule"), "events"),
    **dict.fromkeys(("CreateSchedule", "UpdateSchedule"), "scheduler"),
    **dict.fromkeys(("CreateTrainingJob", "CreateModel", "CreateNotebookInstance"), "sagemaker"),
    "RunInstances": "ec2", "CreatePipeline": "codepipeline", "CreateProject": "codebuild", "CreateJob": "glue",
}  # fmt: skip
_NAMED_FOR: Final = (
    ("cfn-exec-role", "cloudformation"),
    ("ecs", "ecs-tasks"),
    ("task", "ecs-tasks"),
    ("lambda", "lambda"),
)
_USES_KEYS: Final = ("s3", "sqs", "dynamodb", "ssm", "secretsmanager", "sns")
_PULL: Final = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability")
_PUSH: Final = ("ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """An Allow to ask for.

    Attributes:
        policy: The policy document.
        actions: The actions that were missing.
        notes: What to know before using it: companions, doubts, what to fill in.
        holes: The placeholders to fill in.
        instead: Whether it allows something better than what was denied.
        is_first: Whether AWS judges the call on other resources too, and may deny it on the next of them.
    """

    policy: dict[str, Any]
    actions: tuple[str, ...]
    notes: tuple[str, ...]
    holes: tuple[str, ...] = ()
    instead: bool = False
    is_first: bool = False

    def as_cdk(self) -> str:
        """Give it as Python for the CDK: a statement for the role, `role` being the function's or task's."""
        return "\n".join(_cdk_statement(statement) for statement in self.policy["Statement"])


def smallest_allow(reading: Reading, *, resource: str | None = None) -> Allow | None:
    """Give the smallest Allow for a denial; `None` where none would help or the action is not known.

    Args:
        reading: The denial.
        resource: The resource, for messages that do not name it.
    """
    of_another_policy = reading.reason_action is not None and reading.policy_type is None
    if reading.identity_allow_would_fix == "no" or of_another_policy or _is_of_another_call(reading):
        return None
    if reading.resource is None and (resource or reading.named):
        reading = replace(reading, resource=resource or reading.named)
    actions, notes = _missing(reading)
    if not actions:
        return None
    if qualifier := _qualifier(reading, actions):
        return _assume_cdk_roles(reading, qualifier, actions)
    statements: list[dict[str, Any]] = []
    holes: set[str] = set()
    is_first = False
    notes += [_BOOTSTRAPPING] if reading.is_bootstrap else []
    for name in actions:
        known = rule_checks.iam_action(name)
        is_first |= _is_judged_on_more(known, notes)
        if known is None:
            notes.append(
                f"AWS publishes no action named {name}: compare its spelling with the service's documentation."
            )
        arn, more = _resource(reading, known)
        statement: dict[str, Any] = {"Effect": "Allow", "Action": known.name if known else name, "Resource": arn}
        if _LOG_GROUP.fullmatch(reading.resource or ""):
            # Judged without :* here; other calls on the same group are judged with it, but for those on its tags.
            plain = arn.removesuffix(":*")
            statement["Resource"] = plain if statement["Action"] in _ON_TAGS_OF_LOGS else [plain, arn]
            more = [] if statement["Action"] in _ON_TAGS_OF_LOGS else more
        condition, still_more = _condition(reading, statement["Action"], arn)
        if condition:
            statement["Condition"] = condition
        notes += [*more, *still_more]
        holes |= set(_HOLE.findall(json.dumps(statement))) & _names_of_holes(known.arn_formats if known else ())
        statements += [statement, *_companions(statement["Action"], notes)]
    if holes:
        missing = (
            "the name or ARN that the message gives is not enough" if reading.resource else "the message does not say"
        )
        notes.append(f"Fill in {', '.join(sorted(holes))}: {missing}.")
    return Allow(
        policy={"Version": "2012-10-17", "Statement": statements},
        actions=tuple(actions),
        notes=tuple(dict.fromkeys(notes)),
        holes=tuple(sorted(holes)),
        is_first=is_first,
    )


def _qualifier(reading: Reading, actions: tuple[str, ...]) -> str:
    """Give the qualifier of the environment that a deployment asked for; empty where it is not a deployment that asked."""
    found = _BOOTSTRAP.search(reading.resource or "")
    asks = not reading.is_bootstrap and all(name.startswith("ssm:Get") for name in actions)
    return found["qualifier"] if found is not None and asks else ""


def _is_of_another_call(reading: Reading) -> bool:
    """Whether the text tells of a call that the service made itself, so that the operation's own action is not what is missing."""
    if reading.known_as == "role-may-not":
        return reading.action is None or reading.action.endswith(
            "NetworkInterface"
        )  # AWS has a policy of its own for these
    if reading.known_as == "kms-key-out-of-reach":
        return reading.service != "kms"
    return reading.known_as in {"role-lacks-permissions", "account-not-authorized"}


def _is_judged_on_more(known: IamAction | None, notes: list[str]) -> bool:
    """Say whether AWS judges each call of an action on several resources, one after the other."""
    if known is None or len(known.needed) < 2:  # noqa: PLR2004 - several
        return False
    kinds = ", ".join(_kind_of(one) for one in known.needed)
    notes.append(
        f"AWS judges {known.name} on each of its resources ({kinds}): it may deny the next one after this. Explain each"
        " message in turn, or allow all of them that the call uses."
    )
    return True


def _kind_of(arn_format: str) -> str:
    """Give the kind of resource in an ARN's format: `subnet` of `…:subnet/${SubnetId}`."""
    return re.split(r"[/:]", arn_format.split(":", _ARN_PARTS - 1)[-1])[0]


def missing_action(reading: Reading) -> str | None:
    """Give the action that was missing, as AWS spells it; `None` where the denial names none."""
    named = [name for name in (reading.reason_action, reading.action) if name]
    known = (rule_checks.iam_action(name) for name in named)
    return next((one.name for one in known if one is not None), named[0] if named else None)


def _missing(reading: Reading) -> tuple[tuple[str, ...], list[str]]:
    """Give the actions to allow, and what is doubtful about them."""
    if chosen := missing_action(reading):
        said, reason = reading.action or chosen, reading.reason_action or chosen
        if said.lower() == reason.lower():
            return (chosen, *reading.further_actions), []
        return (chosen,), [f"The message names {said} and gives {reason} as the reason: {chosen} is what is missing."]
    if reading.operation is None:
        return (), []
    service = reading.service or _SERVICES.get(reading.operation, "")
    if not service and (reading.resource or "").startswith("https://sqs."):
        service = "sqs"
    actions = rule_checks.actions_of_operation(service, reading.operation) if service else ()
    return actions, [
        f"The message names no action; {reading.operation} needs {' and '.join(actions)}."
    ] if actions else []


def _resource(reading: Reading, known: IamAction | None) -> tuple[str, list[str]]:
    """Give what to allow the action on, in the form that policies match."""
    formats = known.arn_formats if known else ()
    if known is not None and not formats:
        return "*", [f"{known.name} cannot be limited to a resource: only * works."]
    if _IDENTITY_OF_COGNITO.fullmatch(reading.resource or ""):
        name = "this action" if known is None else known.name
        note = (
            f"{reading.resource} is an identity of Cognito and has no ARN that {name} takes: only * works. It then holds for all "
            "that the action is used on. If guests (unauthenticated identities) use this role, have the user sign in instead."
        )
        return "*", [note]
    if reading.resource == "*":
        return "*", ["AWS judged this call against all resources, so nothing narrower than * would let it through."]
    arn = _as_arn(reading.resource, reading, formats) if reading.resource else ""
    if not arn and not formats:
        return "RESOURCE_ARN", []
    whole, notes = _narrowed(arn or _filled(_usual(formats), reading), formats)
    if reading.resource and _WITHOUT_ARN.match(reading.resource):
        notes = [
            *notes,
            "The request named it without arn: before it. That may be all that is wrong: repeat it with the whole ARN.",
        ]
    account = [*whole.split(":", _ARN_PARTS - 1), "", "", "", "", ""][4]
    if account.isdigit() and not _WHOLE_ACCOUNT.fullmatch(account):
        notes = [
            *notes,
            f"{account} is what the text says, and no whole account: write the twelve digits in its place.",
        ]
    return whole, notes


def _usual(formats: tuple[str, ...]) -> str:
    """Give the format that people mean: no access point, no index."""
    return next((one for one in formats if "accesspoint" not in one and "/index/" not in one), formats[0])


def _as_arn(resource: str, reading: Reading, formats: tuple[str, ...]) -> str:
    """Give the resource as an ARN: a queue's URL, `role NAME`, a bare name; empty if it cannot be one."""
    if _WITHOUT_ARN.match(resource):
        resource = f"arn:{resource}"
    elif _WITHOUT_PARTITION.match(resource):
        resource = f"arn:aws:{resource}"
    if resource.startswith("arn:"):
        return _repaired(resource, reading, formats)
    if url := _QUEUE_URL.match(resource):
        account = url["account"] if _ACCOUNT.fullmatch(url["account"]) else (reading.account or "ACCOUNT_ID")
        return f"arn:aws:sqs:{url['region'] or url['old']}:{account}:{url['name']}"
    if typed := _TYPED.fullmatch(resource):
        kind, name = typed[1].replace(" ", "-"), typed[2]
        return name if name.startswith("arn:") else f"arn:aws:iam::{reading.account or 'ACCOUNT_ID'}:{kind}/{name}"
    if not formats or not re.fullmatch(r"[\w./+=@-]{1,512}", resource):
        return ""
    usual = _usual(formats)
    last = _VARIABLE.findall(usual)[-1]
    return _filled(usual.replace(f"${{{last}}}", resource.lstrip("/") if "parameter/" in usual else resource), reading)


def _repaired(arn: str, reading: Reading, formats: tuple[str, ...] = ()) -> str:
    """Give an ARN with placeholders where region, account or the name itself were masked."""
    parts = arn.split(":", _ARN_PARTS - 1)
    if len(parts) < _ARN_PARTS:
        return arn
    if parts[3] and not _REGION.fullmatch(parts[3]):
        parts[3] = "REGION"
    if parts[4] and not _ACCOUNT.fullmatch(parts[4]):
        is_of_aws = parts[2] == "cloudformation" and _TRANSFORM_OF_AWS.fullmatch(parts[5]) is not None
        parts[4] = "aws" if is_of_aws else reading.account or "ACCOUNT_ID"
    kinds = {_kind_of(one) for one in formats}
    too_many, _, rest = parts[5].partition(":")
    if rest and too_many not in kinds and re.split("[:/]", rest)[0] in kinds:
        parts[5] = rest
    last = re.split("[:/]", parts[5])[-1]
    if _CUT.fullmatch(last):
        parts[5] = parts[5].removesuffix(last) + _last_hole(parts[5], formats)
    parts[5] = _STARS.sub("RESOURCE_NAME", parts[5])
    return ":".join(parts)


def _last_hole(resource: str, formats: tuple[str, ...]) -> str:
    """Give the placeholder for a name that was cut off, as the format of its kind of resource calls it."""
    kind = re.split("[:/]", resource)[0]
    of_kind = (one for one in formats if re.split("[:/]", one.split(":", _ARN_PARTS - 1)[-1])[0] == kind)
    return next((_hole(_VARIABLE.findall(one)[-1]) for one in of_kind), "RESOURCE_NAME")


def _filled(template: str, reading: Reading) -> str:
    known = {"Partition": "aws", "Region": reading.region or "REGION", "Account": reading.account or "ACCOUNT_ID"}
    return _VARIABLE.sub(lambda found: known.get(found[1], _hole(found[1])), template)


def _hole(variable: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", variable.removesuffix("WithoutLeadingSlash")).upper()


def _names_of_holes(formats: tuple[str, ...]) -> set[str]:
    return {"REGION", "ACCOUNT_ID", "RESOURCE_ARN", "RESOURCE_NAME", "SERVICE"} | {
        _hole(found) for one in formats for found in _VARIABLE.findall(one)
    }


def as_policies_match(arn: str) -> str:
    """Give the ARN of a secret that was called by its name as Secrets Manager has it, `?` for what it draws; others as they are."""
    is_named = _SECRET.fullmatch(arn) is not None and not arn.endswith("-")
    return rule_checks.with_secret_suffix(arn) if is_named else arn


def _narrowed(arn: str, formats: tuple[str, ...]) -> tuple[str, list[str]]:
    """Give the form of an ARN that policies match, which for some services is not the one that messages show."""
    if (whole := as_policies_match(arn)) != arn:
        return whole, [
            "Secrets Manager puts a hyphen and six characters behind a secret's name: -?????? stands for them."
        ]
    for pattern, end, note in _NOT_AS_SHOWN:
        if found := pattern.fullmatch(arn):
            return f"{found['kept']}{end}", [note]
    if arn.startswith("arn:aws") and ":s3:::" in arn:
        bucket, slash, key = arn.partition("/")
        if slash and formats and not any("${ObjectName}" in one for one in formats):
            return bucket, ["The action is one on the bucket, not on its objects."]
        if not slash and formats and all("bject" in one for one in formats):
            return f"{bucket}/*", ["The action is one on objects, so the policy names the bucket's objects."]
        if key and "*" not in key:
            return arn, ["To cover more than this one object, end the ARN in the prefix that the program uses and *."]
    return arn, []


def _condition(reading: Reading, action: str, resource: str) -> tuple[dict[str, Any], list[str]]:
    """Give what the Allow should be tied to."""
    if action == "iam:PassRole":
        service = _TAKES_ROLE.get(reading.operation or "", "")
        if not service:
            service = next((kind for name, kind in _NAMED_FOR if name in resource.lower()), "SERVICE")
        notes = ["iam:PassedToService says which service the role may be given to, such as lambda; without it, any."]
        return {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}, notes
    service = reading.service or _SERVICES.get(reading.operation or "", "")
    if action.startswith("kms:") and service in _USES_KEYS:
        region = resource.split(":")[3] if resource.startswith("arn:") else reading.region or "REGION"
        return (
            {"StringEquals": {"kms:ViaService": f"{service}.{region}.amazonaws.com"}},
            [f"kms:ViaService lets the key be used through {service} only. The key's own policy must allow it too."],
        )
    if action.startswith("kms:"):
        return {}, ["The key's own policy must allow it too, or leave it to the account's policies."]
    return {}, []


def _companions(action: str, notes: list[str]) -> list[dict[str, Any]]:
    """Give the Allows without which this one is of no use."""
    if action == "s3:GetObject":
        notes.append(
            "Without s3:ListBucket on the bucket, S3 answers AccessDenied also where the object does not exist."
        )
    if action == "sts:AssumeRole":
        notes.append("The role's trust policy must admit this principal too.")
    if action not in {*_PULL, *_PUSH}:
        return []
    group = "pull" if action in _PULL else "push"
    others = [one for one in (*(_PUSH if group == "push" else ()), *_PULL) if one != action]
    notes.append(f"A docker {group} goes on to need {', '.join(others)} on the same repository.")
    return [{"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}]


def _assume_cdk_roles(reading: Reading, qualifier: str, actions: tuple[str, ...]) -> Allow:
    """Give what `cdk deploy` needs of the caller: to assume the roles that `cdk bootstrap` made, and nothing else."""
    parts = _repaired(reading.resource or "", reading).split(":")
    region, account = parts[3], parts[4]
    roles = [f"arn:aws:iam::{account}:role/cdk-{qualifier}-{kind}-role-{account}-{region}" for kind in _CDK_ROLES]
    notes = [
        f"{actions[0]} is only what the CDK tries after it could not assume its own role.",
        "Let the caller assume the four roles that `cdk bootstrap` made: they can do the rest.",
        "Each of these roles must trust the caller's account: it does if the environment was bootstrapped from it.",
    ]
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": roles}
    return Allow(
        policy={"Version": "2012-10-17", "Statement": [statement]},
        actions=("sts:AssumeRole",),
        notes=tuple(notes),
        holes=tuple(sorted({"REGION", "ACCOUNT_ID"} & {region, account})),
        instead=True,
    )


def _cdk_statement(statement: dict[str, Any]) -> str:
    resources = statement["Resource"]
    named = [resources] if isinstance(resources, str) else resources
    lines = [
        "role.add_to_policy(",
        "    iam.PolicyStatement(",
        f'        actions=["{statement["Action"]}"],',
        *(
            [f'        resources=["{named[0]}"],']
            if len(named) == 1
            else ["        resources=[", *(f'            "{one}",' for one in named), "        ],"]
        ),
    ]
    for operator, keys in statement.get("Condition", {}).items():
        inner = ", ".join(f'"{key}": "{value}"' for key, value in keys.items())
        lines.append(f'        conditions={{"{operator}": {{{inner}}}}},')
    return "\n".join([*lines, "    )", ")"])
