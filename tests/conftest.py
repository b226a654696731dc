"""The guard over printed secrets, for the whole suite: what a test prints, reads back or hears from a command of ours."""

from tests.operator_cli.conftest import no_secret_printed, pytest_runtest_makereport

__all__ = ["no_secret_printed", "pytest_runtest_makereport"]
