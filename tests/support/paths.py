"""Names the checkout's folder, from which child processes start and files are read."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
