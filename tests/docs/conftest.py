"""The pages that are computed from the templates are tested on the assemblies that the tests of the stacks made."""

from __future__ import annotations

from tests.stacks.conftest import cut_off, dev, prod, small

__all__ = ["cut_off", "dev", "prod", "small"]
