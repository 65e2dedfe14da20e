"""Names the checkout's folder, from which child processes start and files are read."""

from __future__ import annotations

import os
from pathlib import Path

from headshots.settings import without_settings

ROOT = Path(__file__).resolve().parents[2]

SHARED_ENGINES = "TESTS_ENGINES"
"""The environment's name of the folder whose packages all processes of a test session share."""


def environment_of_services() -> dict[str, str]:
    """What services that tests and benchmarks start inherit: see `without_settings`, of this checkout."""
    return without_settings(os.environ, checkout=ROOT)
