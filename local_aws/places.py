"""Where the files of one local AWS lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = Path(__file__).resolve().parent.parent
"""The project's root: the folder that holds `cdk.json` and the `Makefile`."""

DIRECTORY_VARIABLE = "ROLEBOUND_LOCAL_DIR"
"""Names another state directory than `.local`, so that several local AWS can run side by side."""


@dataclass(frozen=True)
class Places:
    """The files of one local AWS; two different directories are two independent ones.

    Attributes:
        project: The project that is deployed.
        directory: Everything this local AWS writes lies in here.
    """

    project: Path
    directory: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], project: Path = PROJECT) -> Self:
        """The places that `ROLEBOUND_LOCAL_DIR` names (relative to the project), `.local` without it."""
        return cls(project=project, directory=(project / (environ.get(DIRECTORY_VARIABLE) or ".local")).resolve())

    @property
    def emulator_python(self) -> Path:
        """The interpreter of the emulator's own venv, which every local AWS of this project shares."""
        return self.project / ".local" / "emulator" / "bin" / "python"

    @property
    def emulator_requirements(self) -> Path:
        """What that venv holds."""
        return self.project / "local_aws" / "requirements.txt"

    @property
    def emulator_lock(self) -> Path:
        """Locked by the running emulator for as long as it lives, and holding what it was started as."""
        return self.directory / "emulator.lock"

    @property
    def command_lock(self) -> Path:
        """Locked while a command changes this local AWS."""
        return self.directory / "command.lock"

    @property
    def emulator_log(self) -> Path:
        """What the emulator wrote since it was last started."""
        return self.directory / "emulator.log"

    @property
    def deploy_log(self) -> Path:
        """The whole output of the last `cdk bootstrap` and `cdk deploy`."""
        return self.directory / "deploy.log"

    @property
    def outputs(self) -> Path:
        """The contract file for clients: `outputs.json`."""
        return self.directory / "outputs.json"

    @property
    def tls(self) -> Path:
        """The certificates of this local AWS."""
        return self.directory / "tls"

    @property
    def ca_bundle(self) -> Path:
        """The one certificate that a client has to trust."""
        return self.tls / "ca.pem"

    @property
    def temporary(self) -> Path:
        """The emulator's TMPDIR: the unpacked code of the functions."""
        return self.directory / "tmp"

    @property
    def home(self) -> Path:
        """The HOME of the emulator and of the CDK CLI: no file of the user's own reaches them."""
        return self.directory / "home"

    @property
    def cdk_home(self) -> Path:
        """The CDK CLI's cache, which does not follow HOME."""
        return self.directory / "cdk-home"

    @property
    def cdk_out(self) -> Path:
        """The cloud assembly that was last deployed here."""
        return self.directory / "cdk.out"

    def shown(self, path: Path) -> str:
        """How to name a path to a person who stands in the project's root."""
        return str(path.relative_to(self.project)) if path.is_relative_to(self.project) else str(path)
