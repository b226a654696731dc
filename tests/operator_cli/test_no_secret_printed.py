"""The guard over printed secrets bites, wherever the secret comes out."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from stacks.dependency_layer import ROOT

PRINTS = {
    "standard_output": "def {name}(): print({secret})",
    "standard_error": "def {name}(): print({secret}, file=sys.stderr)",
    "read_back": "def {name}(capsys): print({secret}); capsys.readouterr()",
    "subprocess": "def {name}(): subprocess.run([sys.executable, '-c', 'print(' + repr({secret}) + ')', 'operator_cli'], capture_output=True, check=True)",
    "log": "def {name}(): logging.getLogger().warning({secret})",
    "handed_over": "def {name}(no_secret_printed): no_secret_printed.see({secret})",
}
SECRETS = {"planted": "'zzPLANT' + 'EDzzabc'", "key_id": "'AKI' + 'AABCDEFGHIJKLMNOP'", "none": "'AKIA…MPLE'"}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Which of the tests below fail under this folder's guard."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "conftest.py").write_text((ROOT / "tests/operator_cli/conftest.py").read_text())
    tests = [
        line.format(name=f"test_{how}_{secret}", secret=SECRETS[secret])
        for how, line in PRINTS.items()
        for secret in SECRETS
    ]
    (folder / "test_it.py").write_text("\n".join(["import logging, subprocess, sys", *tests]))
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider", "--tb=no", "test_it.py"]
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout
    return set(re.findall(r"^(?:FAILED|ERROR) test_it.py::(\w+)", said, re.MULTILINE))


@pytest.mark.parametrize("how", PRINTS)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_printed_secret_fails_its_test_and_nothing_else_does(outcomes: set[str], how: str, secret: str) -> None:
    """Whichever way it comes out. The last four characters of a key id are no secret."""
    assert (f"test_{how}_{secret}" in outcomes) == (secret != "none")
