"""A generator's process, but for its parts."""

from __future__ import annotations

import contextlib
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from services.generator import __main__ as process


def test_it_runs_on_the_event_loop_that_its_setting_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ran: list[str] = []

    def run(serving: Coroutine[Any, Any, None], wanted: str) -> None:
        serving.close()
        ran.append(wanted)

    monkeypatch.setattr(process, "leave_no_core", lambda: None)
    monkeypatch.setattr(process, "run", run)
    monkeypatch.setattr(process, "telemetry", lambda *_: contextlib.nullcontext())
    monkeypatch.setenv("HEADSHOTS_HOME", str(tmp_path))
    for wanted in ("asyncio", "uvloop"):
        monkeypatch.setenv("HEADSHOTS_GENERATOR_EVENT_LOOP", wanted)
        assert process.main() == 0
    assert ran == ["asyncio", "uvloop"]
