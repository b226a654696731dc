"""What holds for the whole suite: no secret is printed, and a busy machine is no failure."""

import signal

from hypothesis import HealthCheck, settings

from tests.operator_cli.conftest import no_secret_printed, pytest_runtest_makereport

__all__ = ["no_secret_printed", "pytest_runtest_makereport"]

# On top of Hypothesis's own profile for CI, where that is in force. What a test measures, it measures in processor time.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

# In a shell's background a Ctrl-C is ignored, and programs inherit that: those that the tests interrupt would never end.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
