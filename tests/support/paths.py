"""Names the checkout's folder, from which child processes start and files are read."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SHARED_ENGINES = "TESTS_ENGINES"
"""The environment's name of the folder whose packages all processes of a test session share."""


def environment_of_services() -> dict[str, str]:
    """What services that tests and benchmarks start inherit: our variables without those that are settings of services.

    And the checkout to import from, as services do not look into the folder that they are started in.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEADSHOTS_")}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), kept.get("PYTHONPATH", "")]))}
