"""The checks of a service need no package that the service itself does not need."""

from __future__ import annotations

import subprocess
import sys

import pytest

from headshots.cli.extras import MODULES

CHECKS = {
    "gateway": "services.gateway.doctor.checks, services.gateway.doctor.rpc",
    "trainer": "services.trainer.doctor",
    "generator": "services.generator.doctor",
}


@pytest.mark.parametrize("service", CHECKS)
def test_what_other_services_need_is_not_imported(service: str) -> None:
    others = sorted({name for names in MODULES.values() for name in names} - {*MODULES[service]})
    # The trainer has torch in its image, and no reason to load it for a check.
    blocked = [*others, "torch", "diffusers", "transformers", "peft"]
    program = f"""
import sys
for name in {blocked!r}:
    sys.modules[name] = None  # importing it raises
import {CHECKS[service]}
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
