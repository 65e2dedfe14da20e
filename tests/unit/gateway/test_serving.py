"""A gateway's process, but for its parts."""

from __future__ import annotations

import contextlib
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from services.gateway import __main__ as process
from services.gateway.settings import GatewaySettings


class _Gateway:
    server = None

    async def drain(self) -> None:
        """Nothing."""

    async def close(self) -> None:
        """Nothing."""


async def test_collections_are_shortened_once_all_parts_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before, they would still look through the parts; while calls are answered, they would stop them."""
    done: list[str] = []

    async def start(_settings: GatewaySettings) -> Any:
        done.append("started")
        return _Gateway()

    async def serve(*_given: Any, **_named: Any) -> None:
        done.append("served")

    monkeypatch.setattr(process, "start_gateway", start)
    monkeypatch.setattr(process, "shorten_collections", lambda: done.append("shortened"))
    monkeypatch.setattr(process, "run_until_signal", serve)
    await process.serve(GatewaySettings.from_environment({}))
    assert done == ["started", "shortened", "served"]


def test_it_runs_on_the_event_loop_that_its_setting_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ran: list[str] = []

    def run(serving: Coroutine[Any, Any, None], wanted: str) -> None:
        serving.close()
        ran.append(wanted)

    for name in ("leave_no_core", "return_freed_memory"):
        monkeypatch.setattr(process, name, lambda: None)
    monkeypatch.setattr(process, "run", run)
    monkeypatch.setattr(process, "telemetry", lambda *_: contextlib.nullcontext())
    monkeypatch.setenv("HEADSHOTS_HOME", str(tmp_path))
    for wanted in ("asyncio", "uvloop"):
        monkeypatch.setenv("HEADSHOTS_GATEWAY_EVENT_LOOP", wanted)
        assert process.main() == 0
    assert ran == ["asyncio", "uvloop"]
