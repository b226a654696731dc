"""Which profile a notebook's session takes, what it says where there is none, and how a failed function is told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from operator_cli.credentials.facts import gather
from operator_cli.errors import OperatorError
from operator_cli.exit_status import ExitStatus
from operator_cli.notebook import FunctionFailed, choose, invoke
from tests.operator_cli.sign_in_service import SessionKeys, SignInService

if TYPE_CHECKING:
    from pathlib import Path

    from operator_cli.credentials.facts import CredentialFacts

NOW = datetime.now(UTC)
ACCOUNT = "123456789012"
SECRET = "qT8vLr2Nf0/ZyPw4KdXbE6mUaHs9JcGi1OoR+3tB"
KEYS = SessionKeys("ASIA" + "QX7RTPL2MNVW4ZKD", SECRET, "made-up-token")
STATIC = f"aws_access_key_id = AKIA{'QX7RTPL2MNVW4ZKD'}\naws_secret_access_key = {SECRET}\n"


def _login_session(profile: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{profile}"


class Machine:
    """A home folder with AWS files, as a kernel's process sees it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environ = {"HOME": str(home)}
        self.aws = home / ".aws"
        self.aws.mkdir()

    def config(self, text: str) -> Machine:
        """Write the configuration file."""
        (self.aws / "config").write_text(text)
        return self

    def credentials(self, text: str) -> Machine:
        """Write the credentials file."""
        (self.aws / "credentials").write_text(text)
        return self

    def signed_in(self, profile: str, *, valid_for: int = 600, readable_key: bool = True) -> Machine:
        """Have run `aws login` for a profile."""
        SignInService(lambda: KEYS, ACCOUNT).log_in(
            self.aws / "login" / "cache", _login_session(profile), valid_for=valid_for, readable_key=readable_key
        )
        return self

    def facts(self, profile: str | None = None) -> CredentialFacts:
        """What the machine says; with awscrt and a new SDK, whatever this one has."""
        return replace(gather(self.environ, now=NOW, profile=profile), sdk=(1, 44), has_crt=True, on_instance=False)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with no credentials at all."""
    return Machine(tmp_path)


def _login_profile(name: str) -> str:
    section = name if name == "default" else f"profile {name}"
    return f"[{section}]\nlogin_session = {_login_session(name)}\nregion = eu-central-1\n"


def test_the_default_profile_is_taken_where_it_works(machine: Machine) -> None:
    """Whatever else is signed in."""
    machine.config(_login_profile("default") + _login_profile("other")).signed_in("default").signed_in("other")
    choice = choose(machine.facts())
    assert (choice.profile, choice.source.profile, choice.source.kind) == (None, "default", "login")


def test_the_only_profile_that_is_signed_in_is_taken(machine: Machine) -> None:
    """The person ran `aws login --profile dev` in a terminal whose AWS_PROFILE no kernel sees."""
    machine.config(_login_profile("dev") + _login_profile("old")).signed_in("dev")
    assert choose(machine.facts()).profile == "dev"


def test_of_several_none_is_guessed(machine: Machine) -> None:
    """They may belong to different accounts; both are named."""
    machine.config(_login_profile("dev") + _login_profile("prod")).signed_in("dev").signed_in("prod")
    with pytest.raises(OperatorError, match=r"2 profiles are usable: dev, prod") as refused:
        choose(machine.facts())
    assert "session('dev')" in refused.value.next_step


def test_the_profile_that_is_named_is_taken(machine: Machine) -> None:
    """By the caller, or by AWS_PROFILE where Jupyter was started with it."""
    machine.config(_login_profile("dev") + _login_profile("prod")).signed_in("dev").signed_in("prod")
    assert choose(machine.facts("prod")).profile == "prod"
    machine.environ["AWS_PROFILE"] = "dev"
    assert choose(machine.facts()).source.profile == "dev"


def test_a_named_profile_that_does_not_work_is_not_replaced(machine: Machine) -> None:
    """Acting as somebody else than asked would be worse than not acting."""
    machine.config(_login_profile("dev") + _login_profile("prod")).signed_in("dev")
    with pytest.raises(OperatorError, match="prod") as refused:
        choose(machine.facts("prod"))
    assert "aws login --profile prod" in refused.value.next_step
    assert refused.value.status is ExitStatus.NO_CREDENTIALS
    machine.environ["AWS_PROFILE"] = "gone"
    with pytest.raises(OperatorError, match="gone"):
        choose(machine.facts())


def test_without_any_credentials_the_commands_are_told(machine: Machine) -> None:
    """And why a terminal's exports do not help."""
    with pytest.raises(OperatorError, match="no AWS credentials") as refused:
        choose(machine.facts())
    assert "aws login" in refused.value.next_step
    assert "does not reach a kernel" in refused.value.why


def test_without_awscrt_the_package_is_named(machine: Machine) -> None:
    """The SDK would say so deep in a stack trace, or not at all."""
    machine.config(_login_profile("default")).signed_in("default")
    with pytest.raises(OperatorError) as refused:
        choose(replace(machine.facts(), has_crt=False))
    assert "crt" in str(refused.value)
    assert "pip install" in refused.value.next_step


def test_a_sign_in_whose_key_the_sdk_cannot_read_is_named_before_it_fails(machine: Machine) -> None:
    """It works for the first five minutes, and then ends with a bare RuntimeError."""
    machine.config(_login_profile("default")).signed_in("default", readable_key=False)
    with pytest.raises(OperatorError, match="private key") as refused:
        choose(machine.facts())
    assert refused.value.next_step.startswith("aws login")
    machine.signed_in("default")
    assert choose(machine.facts()).source.profile == "default"


def test_an_sdk_that_is_too_old_is_named(machine: Machine) -> None:
    """It does not know `aws login` and finds nothing."""
    machine.config(_login_profile("default")).signed_in("default")
    with pytest.raises(OperatorError) as refused:
        choose(replace(machine.facts(), sdk=(1, 40, 9)))
    assert "pip install" in refused.value.next_step


def test_keys_of_the_environment_are_used_and_what_they_shadow_is_said(machine: Machine) -> None:
    """They win in the SDK, silently."""
    machine.config(_login_profile("default")).signed_in("default")
    machine.environ |= {"AWS_ACCESS_KEY_ID": KEYS.key_id, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": "t"}
    choice = choose(machine.facts())
    assert choice.source.kind == "environment"
    assert any("default" in warning or "AWS_" in warning for warning in choice.warnings)


def test_static_keys_that_shadow_a_sign_in_are_said(machine: Machine) -> None:
    """In the same profile the SDK takes the key of the file, and the person believes to be signed in."""
    machine.config(_login_profile("default")).credentials(f"[default]\n{STATIC}").signed_in("default")
    choice = choose(machine.facts())
    assert choice.source.kind == "credentials-file"
    assert choice.warnings


def test_nothing_that_is_said_holds_a_secret(machine: Machine) -> None:
    """Neither choices nor refusals."""
    machine.config(_login_profile("default")).credentials(f"[default]\n{STATIC}").signed_in("default")
    machine.environ |= {"AWS_ACCESS_KEY_ID": KEYS.key_id, "AWS_SECRET_ACCESS_KEY": SECRET}
    with pytest.raises(OperatorError, match="without its session token") as refused:
        choose(machine.facts())
    said = str(refused.value) + repr(machine.facts())
    del machine.environ["AWS_ACCESS_KEY_ID"], machine.environ["AWS_SECRET_ACCESS_KEY"]
    said += repr(choose(machine.facts()))
    assert SECRET not in said
    assert KEYS.key_id not in said


# --- functions ----------------------------------------------------------------------------------------------------


def test_a_failed_function_is_told_with_its_line() -> None:
    """What it raised, where, and where to look on."""
    answer = {
        "errorType": "KeyError",
        "errorMessage": "'Records'",
        "stackTrace": ['  File "/var/task/worker.py", line 40, in handler\n    records = event["Records"]\n'],
    }
    failure = FunctionFailed("worker", "Unhandled", answer, str)
    assert str(failure).startswith(
        "worker failed: KeyError: 'Records' (File \"/var/task/worker.py\", line 40, in handler)"
    )
    assert "HTTP 200" in failure.why
    assert "rolebound logs worker" in failure.next_step


@pytest.mark.parametrize("answer", [None, "text", [], {"errorMessage": "2026 Task timed out after 3.00 seconds"}])
def test_a_failure_without_an_exception_is_told_as_well(answer: object) -> None:
    """A time-out has no type and no trace."""
    failure = FunctionFailed("slow", "Unhandled", answer, str)
    assert failure.error_type == ""
    assert str(failure).startswith("slow failed: ")


class _Lambda:
    """A session of a made-up Lambda service that answers one thing; invoking is proven on the local AWS."""

    region_name = "eu-central-1"

    def __init__(self, body: bytes, error: str | None = None) -> None:
        self._answer = {"Payload": self, **({"FunctionError": error} if error else {})}
        self._body = body

    def client(self, _service: str, **_: object) -> _Lambda:
        return self

    def invoke(self, **_: object) -> dict[str, object]:
        return self._answer

    def read(self) -> bytes:
        return self._body


@pytest.mark.parametrize(
    ("body", "value"), [(b"", None), (b"null", None), (b'{"a": 1}', {"a": 1}), (b"plain", "plain")]
)
def test_any_answer_is_decoded_as_far_as_it_goes(body: bytes, value: object) -> None:
    """JSON, text, or nothing."""
    assert invoke(_Lambda(body), "f") == value


def test_a_credential_in_what_a_function_raised_is_not_shown() -> None:
    """Code that puts its key into an exception's text must not print it into a notebook that is shared."""
    told = json.dumps({"errorType": "E", "errorMessage": f"signing with {KEYS.key_id} failed"}).encode()
    with pytest.raises(FunctionFailed) as failed:
        invoke(_Lambda(told, "Unhandled"), "f")
    assert KEYS.key_id not in str(failed.value)
    assert "a line that holds a credential" in str(failed.value)


def test_a_payload_that_is_no_json_is_refused_before_any_call() -> None:
    """With the kinds of values that people try."""
    with pytest.raises(OperatorError, match="cannot be written as JSON"):
        invoke(_Lambda(b""), "f", {"when": NOW + timedelta(days=1)})


def test_a_session_without_a_region_is_told() -> None:
    """The SDK's own message does not say where to set it."""
    nowhere = _Lambda(b"")
    nowhere.region_name = None  # type: ignore[assignment]
    with pytest.raises(OperatorError, match="no region"):
        invoke(nowhere, "f")
