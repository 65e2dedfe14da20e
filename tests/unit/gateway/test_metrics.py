"""The gateway's gauges of the whole installation are counted once for all scrapes of a second."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import event

from headshots.database import open_database
from services.gateway.metrics import GatewayMetrics
from tests.support.deploy.tables import make_tables


def test_forty_scrapes_at_once_count_the_tables_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headshots.telemetry.scrapes.SHARED_SECONDS", 1e6)
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    make_tables(engine)
    counted: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "count(" in statement:
            counted.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    registry = CollectorRegistry()
    GatewayMetrics(registry, engine)
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: generate_latest(registry), range(40)))
    assert all(b'headshots_gateway_shots_rows{state="pending"} 0.0' in answer for answer in answers)
    assert len(counted) == 4
    engine.dispose()
