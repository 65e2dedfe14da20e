"""Names the checkout's folder, from which child processes start and files are read."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SHARED_ENGINES = "TESTS_ENGINES"
"""The environment's name of the folder whose packages all processes of a test session share."""
