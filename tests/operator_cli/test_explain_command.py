"""`rolebound explain` takes any text from anywhere, and says what is wrong with what is no text."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from stacks.dependency_layer import ROOT
from tests.operator_cli.conftest import KEY_ID, SECRET, SESSION_TOKEN

if TYPE_CHECKING:
    from pathlib import Path

DENIED: Final = (
    "An error occurred (AccessDenied) when calling the SendMessage operation: User: arn:aws:iam::111122223333:user/ada is not "
    "authorized to perform: sqs:sendmessage on resource: arn:aws:sqs:us-east-1:111122223333:q because no identity-based "
    "policy allows the sqs:sendmessage action"
)
FIELDS: Final = {
    "category",
    "error_code",
    "operation",
    "principal",
    "principal_type",
    "action",
    "reason_action",
    "resource",
    "decision",
    "policy_type",
    "policy_arn",
    "encoded",
    "identity_allow_would_fix",
    "policy",
    "next_step",
}


def run(*arguments: str, text: bytes | str = b"") -> subprocess.CompletedProcess[str]:
    """Run the command with a text on its standard input."""
    done = subprocess.run(
        [sys.executable, "-m", "operator_cli", "explain", *arguments],
        cwd=ROOT,
        input=text.encode() if isinstance(text, str) else text,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def answer(*arguments: str, text: bytes | str = b"") -> dict[str, Any]:
    """Give its JSON."""
    done = run("--json", *arguments, text=text)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_a_text_comes_as_an_argument_from_a_file_or_from_standard_input(tmp_path: Path) -> None:
    """Quoted or as words of their own; `-` and nothing are standard input."""
    file = tmp_path / "deploy.log"
    file.write_text(DENIED, encoding="utf-8")
    for said in (
        answer(DENIED),
        answer(*DENIED.split()),
        answer(str(file)),
        answer("-", text=DENIED),
        answer(text=DENIED),
    ):
        assert said["action"] == "sqs:sendmessage"
        assert said["policy"]["Statement"][0]["Action"] == "sqs:SendMessage"


def test_the_json_has_the_fields_that_scripts_rely_on() -> None:
    """These and no others."""
    assert answer(DENIED).keys() == FIELDS


def test_all_errors_of_a_text_can_be_had_with_what_the_text_output_says() -> None:
    """The main one first; title, cause, who acts, notes, CDK code and the request beside the fields."""
    other = DENIED.replace("sqs:sendmessage", "sns:Publish").replace("arn:aws:sqs", "arn:aws:sns")
    said = answer("--all", text=f"{DENIED}\nnoise\n{other}\n{DENIED}")
    assert [one["action"] for one in said["explanations"]] == ["sqs:sendmessage", "sns:Publish"]
    first = said["explanations"][0]
    assert first.keys() == FIELDS | {"title", "cause", "who_acts", "is_guess", "notes", "cdk", "request"}
    assert first["who_acts"] == "the account's administrator"
    assert "add_to_policy" in first["cdk"]


def test_further_errors_are_said_wherever_only_the_main_one_is_explained() -> None:
    """The text output has their titles and policies; the JSON of the main one says that there are others."""
    other = DENIED.replace("sqs:sendmessage", "sns:Publish").replace("arn:aws:sqs", "arn:aws:sns")
    assert "holds 1 more" in answer(text=f"{DENIED}\n{other}")["next_step"]
    assert "more: --json" not in answer(text=DENIED)["next_step"]
    said = run("-", text=f"{DENIED}\n{other}").stdout
    assert "1 more in the same text" in said
    assert '"Action": "sns:Publish"' in said


def test_the_text_output_says_who_what_on_what_why_and_what_to_do() -> None:
    """With the policy, the same for the CDK, and a message to send."""
    said = run(DENIED).stdout
    for part in (
        "No identity-based policy allows sqs:SendMessage to the user ada",
        "arn:aws:iam::111122223333:user/ada",
        "arn:aws:sqs:us-east-1:111122223333:q",
        "What to do (the account's administrator)",
        '"Action": "sqs:SendMessage"',
        "iam.PolicyStatement(",
        "To send to the account's administrator",
        "Hello, AWS denies sqs:SendMessage",
    ):
        assert part in said
    assert "\x1b" not in said


def test_a_resource_can_be_given_where_the_message_names_none() -> None:
    """As an ARN, a queue's URL or a name."""
    said = answer(
        "--resource",
        "arn:aws:sqs:eu-west-1:111122223333:q",
        DENIED.replace(" on resource: arn:aws:sqs:us-east-1:111122223333:q", ""),
    )
    assert said["resource"] is None
    assert said["policy"]["Statement"][0]["Resource"] == "arn:aws:sqs:eu-west-1:111122223333:q"


def test_an_event_of_cloudtrail_is_read_by_its_fields() -> None:
    """Its message may say nothing: then its identity, its service and its region do."""
    event = {
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ada", "accessKeyId": KEY_ID},
        "eventSource": "dynamodb.amazonaws.com",
        "eventName": "DescribeTable",
        "awsRegion": "eu-west-1",
        "errorCode": "AccessDenied",
    }
    for document in (
        event,
        {"Records": [{"eventName": "Fine"}, event]},
        {"Events": [{"CloudTrailEvent": json.dumps(event)}]},
    ):
        said = answer(text=json.dumps(document))
        assert (said["principal"], said["operation"], said["error_code"]) == (
            "arn:aws:iam::111122223333:user/ada",
            "DescribeTable",
            "AccessDenied",
        )
        assert said["policy"]["Statement"][0] == {
            "Effect": "Allow",
            "Action": "dynamodb:DescribeTable",
            "Resource": "arn:aws:dynamodb:eu-west-1:111122223333:table/TABLE_NAME",
        }


@pytest.mark.parametrize("explicit", [False, True])
def test_a_decoded_authorization_message_is_read(explicit: bool) -> None:  # noqa: FBT001 - pytest names it
    """What `aws sts decode-authorization-message` answers, whole or with --query DecodedMessage."""
    message = {
        "allowed": False,
        "explicitDeny": explicit,
        "matchedStatements": {"items": []},
        "context": {
            "principal": {"id": "AROAEXAMPLE:s", "arn": "arn:aws:sts::111122223333:assumed-role/nodes/s"},
            "action": "ec2:RunInstances",
            "resource": "arn:aws:ec2:us-east-1:111122223333:launch-template/lt-1",
        },
    }
    for document in (message, {"DecodedMessage": json.dumps(message)}):
        said = answer(text=json.dumps(document))
        assert said["principal"] == "arn:aws:sts::111122223333:assumed-role/nodes/s"
        assert said["action"] == "ec2:RunInstances"
        assert said["decision"] == ("explicit" if explicit else "implicit")
        assert (said["policy"] is None) == explicit


def test_texts_of_powershell_and_of_odd_encodings_are_read() -> None:
    """PowerShell's > writes UTF-16; a log may hold broken characters."""
    assert answer(text=DENIED.encode("utf-16"))["action"] == "sqs:sendmessage"
    assert answer(text=b"\xff\xfa caf\xe9 " + DENIED.encode())["action"] == "sqs:sendmessage"


@pytest.mark.parametrize(
    ("text", "says", "status"),
    [
        (b"", "is empty", 2),
        (b" \n\t\n", "is empty", 2),
        (gzip.compress(DENIED.encode() * 100) + b"\0", "is not a text", 2),
        (b"\x7fELF\x02\x01\x01\x00", "is not a text", 2),
        (b"x" * 50_000_000, "is larger than 8 MB", 2),
        (b"all is well", "No AWS error was recognised", 1),
        (b'{"a": [1, 2', "No AWS error was recognised", 1),
    ],
    ids=["empty", "blank", "compressed", "program", "50-mb", "no-error", "cut-json"],
)
def test_what_is_no_denial_gets_an_answer_in_three_parts(text: bytes, says: str, status: int) -> None:
    """What is wrong, why it matters, what to do; never a traceback. 2: no text. 1: no error in it."""
    done = run("-", text=text)
    assert done.returncode == status
    assert says in done.stderr
    assert "Why it matters:" in done.stderr
    assert "What to do:" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("name", ["no/such/file", "missing.log", "."])
def test_a_file_that_is_not_there_is_wrong_usage(name: str) -> None:
    """Not a text that holds no error."""
    done = run(name)
    assert done.returncode == 2
    assert name in done.stderr


def test_errors_are_json_too_where_json_is_asked_for() -> None:
    """With the same three parts."""
    done = run("--json", text="all is well")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"].keys() == {"what", "why", "next_step"}


def test_no_secret_of_the_text_is_printed() -> None:
    """People paste what their terminal shows."""
    text = (
        f"export AWS_ACCESS_KEY_ID={KEY_ID}\nexport AWS_SECRET_ACCESS_KEY={SECRET}\nexport AWS_SESSION_TOKEN={SESSION_TOKEN}\n"
        f"User: {KEY_ID} is not authorized to perform: s3:GetObject on resource: {SESSION_TOKEN}\n{DENIED}"
    )
    for done in (run(text=text), run("--json", "--all", text=text), run(f"{SECRET} {SESSION_TOKEN}")):
        assert SECRET not in done.stdout + done.stderr
        assert SESSION_TOKEN not in done.stdout + done.stderr
        assert KEY_ID not in done.stdout + done.stderr


def test_a_request_promises_no_more_than_the_policy_holds() -> None:
    """AWS judges RunInstances on the instance, the subnet, the image …, and names the first that is not allowed."""
    denied = (
        "User: arn:aws:iam::111122223333:user/ada is not authorized to perform: {} on resource: {} because no "
        "identity-based policy allows the {} action"
    )
    many = run(
        denied.format("ec2:RunInstances", "arn:aws:ec2:eu-west-1:111122223333:instance/*", "ec2:RunInstances")
    ).stdout
    assert "lets the call through" not in many
    assert "may deny the next one after this" in many
    assert "subnet" in many
    one = run(denied.format("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:q", "sqs:SendMessage")).stdout
    assert "This policy lets the call through and nothing else:" in one


def test_a_long_lived_key_in_the_text_is_called_so() -> None:
    """Its id says it; nobody has to be asked."""
    text = f"(InvalidClientTokenId) The security token included in the request is invalid: {KEY_ID}"
    done = run(text)
    assert f"AKIA…{KEY_ID[-4:]}: a long-lived access key" in done.stdout
    assert "long-lived access key" not in run(text.replace(KEY_ID, "key")).stdout


def test_whatever_can_be_read_is_read_and_only_so_far() -> None:
    """A pipe of the shell, a device without an end, one without a text."""
    shell = f"{sys.executable} -m operator_cli explain --json <(printf %s '{DENIED}')"
    done = subprocess.run(["/bin/bash", "-c", shell], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert json.loads(done.stdout)["action"] == "sqs:sendmessage"
    empty, endless = run("/dev/null"), run("/dev/zero")
    assert (empty.returncode, endless.returncode) == (2, 2)
    assert "There is no text: /dev/null is empty." in empty.stderr
    assert "larger than 8 MB" in endless.stderr
