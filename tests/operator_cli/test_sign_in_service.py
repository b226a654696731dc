"""The sign-in service that other tests sign in at: what it refuses does not depend on luck."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import botocore.session  # noqa: TID251 - the SDK is what renews a sign-in
import pytest

from tests.operator_cli.sign_in_service import SessionKeys, SignInService

if TYPE_CHECKING:
    from pathlib import Path

KEYS: Final = SessionKeys("ASIA" + "Q" * 16, "made-up", "made-up")


@pytest.mark.parametrize("begins_with_zero", [False, True])
def test_a_renewal_is_accepted_whatever_the_key_begins_with(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    begins_with_zero: bool,  # noqa: FBT001 - pytest names it
) -> None:
    """One key in about 130 has a coordinate that begins with zeros, which awscrt writes in two ways."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "config").write_text("[profile dev]\nlogin_session = me\nregion = us-east-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_LOGIN_CACHE_DIRECTORY", str(tmp_path))
    service = SignInService(lambda: KEYS, "123456789012")
    with service.serving():
        monkeypatch.setenv("AWS_ENDPOINT_URL_SIGNIN", service.url)
        service.log_in(tmp_path, "me", valid_for=-60)
        while any(len(coordinate) < 32 for coordinate in service._key.get_public_coords()) is not begins_with_zero:
            service.log_in(tmp_path, "me", valid_for=-60)
        credentials = botocore.session.Session(profile="dev").get_credentials()
        assert credentials is not None
        credentials.get_frozen_credentials()
    assert service.refusals == []
    assert service.renewals >= 1
