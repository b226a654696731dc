"""`outputs.json`: how clients, tests and benchmarks find a local AWS."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path


@dataclass(frozen=True)
class Outputs:
    """A deployed local AWS, as written to `outputs.json` (a contract: see the design).

    Attributes:
        api_url: The HTTP API's base URL; append `/v1/…`.
        api_key: The demo tenant's API key. It opens nothing but this local AWS.
        tenant: The demo tenant's id.
        ca_bundle: The absolute path of the certificate that clients have to trust (PEM).
        region: The region that the application is deployed to.
        account: The account number that the emulator plays.
        endpoint_url: What `AWS_ENDPOINT_URL` has to be for an AWS client to reach this local AWS.
        emulator_pid: The emulator's process id.
    """

    api_url: str
    api_key: str
    tenant: str
    ca_bundle: str
    region: str
    account: str
    endpoint_url: str
    emulator_pid: int


def write(path: Path, outputs: Outputs) -> None:
    """Replace the file in one step, readable by its owner only."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mkstemp makes it 0600
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(outputs), file, indent=2)
        file.write("\n")
    Path(draft).replace(path)


def read(path: Path) -> Outputs | None:
    """What the file says, `None` if it is not there or not complete."""
    try:
        written = json.loads(path.read_text())
        return Outputs(**{field.name: written[field.name] for field in fields(Outputs)})
    except (OSError, ValueError, KeyError, TypeError):
        return None
