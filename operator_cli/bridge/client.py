"""What the SDK of a supervised `cdk watch` runs when it wants credentials: it asks the supervisor, prints, and is gone.

Run by path (`python -I -S …/credential_bridge.py SOCKET`), for it runs in the middle of deployments: it imports nothing
but the standard library's sockets, and no module of the project that it happens to run in. It keeps and knows nothing.
https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
"""

import socket
import sys

ANSWERED_WITHIN_SECONDS = 120
"""A person may have to type an MFA code."""

GIVEN = b"+"
"""How the supervisor's answer begins when it is credentials; the reason why there are none follows anything else."""


def main() -> int:
    """Print the credentials that the supervisor holds; 1, with the reason, if it has none or is gone."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(ANSWERED_WITHIN_SECONDS)
            connection.connect(sys.argv[1])
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
    except (OSError, IndexError) as error:
        print(f"The supervisor that holds the credentials does not answer: {error}", file=sys.stderr)  # noqa: T201 - the protocol
        return 1
    if answer[:1] != GIVEN:
        print(answer[1:].decode(errors="replace"), file=sys.stderr)  # noqa: T201 - the protocol
        return 1
    sys.stdout.buffer.write(answer[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
