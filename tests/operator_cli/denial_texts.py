"""Real denial texts with the reading that people gave them before the reader met them.

`access_denied_samples.jsonl` are 47 of AWS's documentation, of issues and of repositories. `denial_texts.jsonl` are 206
others, of other shapes, from public issues and repositories; accounts and people's names are made up. The reader was
developed on the 47 and on the part called `develop`, and met the parts `held-back`, `second`, `third` and `fourth` in this
order when it was done. `examined_texts.jsonl` are 319 more, the fifth, the sixth and the seventh: examiners who did not know the
reader chose and labelled them, with the Allow that an expert would ask for, and 26 that are no error of AWS at all; where
an examiner takes several answers for right, the file has the reader's. Decision 15 has the scores at each first contact,
and the one text of the seventh that is not here because it is not read right.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

DATA: Final = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and what it says: `expected` has the fields of the JSON, those that are absent being `null`."""

    name: str
    text: str
    expected: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Examined:
    """A text with the Allow that helps or may help (action and resource of each statement), and its further denials.

    `allow` is `None` where none may be offered; `is_error` says whether the text holds an error of AWS.
    """

    name: str
    text: str
    allow: list[tuple[str, str | list[str]]] | None
    more: tuple[str, ...]
    is_error: bool


def _rows(file: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / file).read_text(encoding="utf-8").split("\n") if line]


def labelled() -> list[Labelled]:
    """Give all that are errors."""
    return [
        Labelled(row["id"], row["message"], {"reason_action": None, **row["expected"]})
        for file in ("access_denied_samples.jsonl", "denial_texts.jsonl", "examined_texts.jsonl")
        for row in _rows(file)
        if row["expected"] is not None
    ]


def examined() -> list[Examined]:
    """Give the examiners'."""
    return [
        Examined(
            row["id"],
            row["message"],
            None if row["allow"] is None else [(action, resource) for action, resource in row["allow"]],
            tuple(row.get("more", ())),
            row["expected"] is not None,
        )
        for row in _rows("examined_texts.jsonl")
    ]


PRINCIPALS: Final = (
    ("arn:aws:iam::111122223333:user/team/ada", "user"),
    ("arn:aws:iam::111122223333:root", "root"),
    ("arn:aws:sts::111122223333:assumed-role/Deploy-Role_1/ada@example.com", "assumed-role"),
    ("arn:aws-us-gov:sts::***:assumed-role/AWSReservedSSO_PowerUserAccess_0123456789abcdef/Ada", "assumed-role"),
    ("arn:aws:sts::ACCOUNT_ID:federated-user/vault-x", "federated-user"),
    ("***", "redacted"),
)
ON: Final = (
    ("sqs:sendmessage", "arn:aws:sqs:us-east-1:111122223333:orders.fifo"),
    ("s3:GetObject", "arn:aws:s3:::a-bucket/some/key.txt"),
    ("iam:PassRole", "arn:aws:iam::111122223333:role/service-role/Worker"),
    ("iam:PutRolePolicy", "role lambda_execution_role"),
    ("SNS:Publish", "arn:aws:sns:eu-central-1:********9012:topic"),
    ("dynamodb:Query", "arn:aws:dynamodb:us-east-1:111122223333:table/Orders/index/by-date"),
    ("logs:CreateLogStream", "arn:aws:logs:us-east-1:111122223333:log-group:/aws/lambda/api:log-stream:2026/11/25"),
    ("codecommit:ListRepositories", None),
    ("ec2:RunInstances", "arn:aws:ec2:ap-southeast-1:111122223333:instance/*"),
)
LAYERS: Final = (
    ("identity-based policy", "identity-based", "an"),
    ("resource-based policy", "resource-based", "a"),
    ("service control policy", "scp", "a"),
    ("resource control policy", "rcp", "a"),
    ("permissions boundary", "permissions-boundary", "a"),
    ("session policy", "session", "a"),
    ("VPC endpoint policy", "vpc-endpoint", "a"),
    ("role trust policy", "role-trust", "a"),
)
POLICY_ARN: Final = "arn:aws:organizations::111122223333:policy/o-abcdef/service_control_policy/p-0123"


def _bare(said: str) -> tuple[str, str | None, str | None]:
    return said, None, None


def _botocore(said: str) -> tuple[str, str | None, str | None]:
    return f"An error occurred (AccessDenied) when calling the DoThat operation: {said}", "AccessDenied", "DoThat"


def _go(said: str) -> tuple[str, str | None, str | None]:
    head = "operation error Some Service: DoThat, https response error StatusCode: 403, RequestID: 1-2, api error"
    return f"{head} AccessDeniedException: {said}", "AccessDeniedException", "DoThat"


def _cloudformation(said: str) -> tuple[str, str | None, str | None]:
    tail = '(Service: Iam, Status Code: 403, Request ID: 1-2)" (RequestToken: 3-4, HandlerErrorCode: AccessDenied)'
    return f'Resource handler returned message: "{said} {tail}', "AccessDenied", None


def _java(said: str) -> tuple[str, str | None, str | None]:
    return (
        f"{said} (Service: AmazonThing; Status Code: 403; Error Code: AccessDeniedException; Request ID: 1-2)",
        "AccessDeniedException",
        None,
    )


def _docker(said: str) -> tuple[str, str | None, str | None]:
    return f"denied: {said}", None, None


SHAPES: Final[tuple[Callable[[str], tuple[str, str | None, str | None]], ...]] = (
    _bare,
    _botocore,
    _go,
    _cloudformation,
    _java,
    _docker,
)


@st.composite
def composed(draw: st.DrawFn) -> Labelled:
    """Compose a denial of one line from the grammar that AWS documents."""
    who, kind = draw(st.sampled_from(PRINCIPALS))
    action, resource = draw(st.sampled_from(ON))
    words, layer, article = draw(st.sampled_from(LAYERS))
    explicit = draw(st.booleans())
    arn = draw(st.sampled_from([None, POLICY_ARN])) if explicit else None
    quoted = resource is not None and resource.startswith("arn:aws:s3")
    on = f' on resource: "{resource}"' if quoted else f" on resource: {resource}" if resource else ""
    reason = (
        f"with an explicit deny in {article} {words}{f': {arn}' if arn else ''}"
        if explicit
        else f"because no {words} allows the {action} action"
    )
    text, code, operation = draw(st.sampled_from(SHAPES))(
        f"User: {who} is not authorized to perform: {action}{on} {reason}"
    )
    return Labelled(
        "composed",
        text,
        {
            "category": "access-denied",
            "error_code": code,
            "operation": operation,
            "principal": who,
            "principal_type": kind,
            "action": action,
            "reason_action": None if explicit else action,
            "resource": resource,
            "decision": "explicit" if explicit else "implicit",
            "policy_type": layer,
            "policy_arn": arn,
            "encoded": False,
            "identity_allow_would_fix": "yes" if layer == "identity-based" and not explicit else "no",
        },
    )
