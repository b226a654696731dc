"""Gives a program a controlling terminal of its own, and becomes that program.

When the other end of that terminal is closed, which happens whatever the supervisor dies of, the kernel hangs up on the
program and all that it started. Run by path (`python -I -S …/own_terminal.py DESCRIPTOR PROGRAM …`), as the first
process of a session.
"""

import fcntl
import os
import signal
import sys
import termios


def main() -> None:
    """Take the terminal, undo what Python does to signals, and become the program."""
    terminal = int(sys.argv[1])
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    os.close(terminal)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTERM):
        # A signal that is ignored stays so in the program: nohup's, and Python's own SIGPIPE.
        signal.signal(number, signal.SIG_DFL)
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the program that the supervisor was asked to run


if __name__ == "__main__":
    main()
