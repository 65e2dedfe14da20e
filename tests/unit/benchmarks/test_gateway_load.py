"""The benchmark of a gateway under load counts what it says."""

from __future__ import annotations

import dataclasses
import gc
import time
from pathlib import Path

import pytest

from benchmarks.gateway import listing, rolling, shots, unary, watching, world
from benchmarks.gateway.report import QUICK, TARGETS
from benchmarks.gateway.rolling import _Orders
from headshots import keys
from headshots.database import migrate, open_database
from tests.support.gateway import queue


async def test_a_call_is_timed_from_when_it_was_due() -> None:
    """One that keeps all others waiting costs each of them what it waited: none is left out."""

    async def call() -> None:
        time.sleep(0.02)  # noqa: ASYNC251 - as a server that stands still

    seconds, late = await unary._open_loop([call], rate=200, seconds=0.1)
    assert len(seconds) > 5
    assert all(0 <= sent < answered for sent, answered in zip(late, seconds, strict=True))
    assert gc.isenabled()
    # All came within a tenth of a second, and are done one after another.
    assert max(seconds) > 0.02 * len(seconds) - 0.1
    assert min(seconds) > 0


def test_the_worse_database_counts() -> None:
    assert world.worst({"sqlite": {"ms": 2.0}, "postgresql": {"ms": 3.0}}, "ms") == 3.0


def test_what_is_lost_and_what_is_done_twice_is_counted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'headshots.db'}"
    engine = open_database(url)
    migrate(engine)
    keys.create_key(engine, "acme")
    subject = queue.trained_subject(engine, "acme")
    queue.order(engine, "acme", subject, rolling._SHOTS)
    for _ in range(rolling._SHOTS - 1):
        queue.finish(engine, queue.take(engine))
    engine.dispose()
    painted = tmp_path / "painted.txt"
    painted.write_text("".join(f"a portrait|{seed}|0.05\n" for seed in (0, 1, 1, 2, 3, 4, 5, 6, 7, 8)))
    found = rolling._count(url, painted, _Orders({"gallery": 0}))
    assert found == {"lost": 1, "recorded_twice": 0, "painted_twice": 1}
    # Of images that nobody ordered there are none either.
    assert rolling._count(url, painted, _Orders({}))["recorded_twice"] == rolling._SHOTS - 1


def test_a_shot_costs_more_than_the_generators_time() -> None:
    """With a gateway and stand-ins in processes of their own, as all loads have."""
    measured = shots.run_overhead(dataclasses.replace(QUICK, shots=2))
    assert measured.figures["shot_overhead_ms"] > 0
    assert set(measured.figures) <= set(TARGETS)
    found = measured.details["shot_overhead"]["sqlite"]
    # A sleep never ends early, and what comes late is the stand-in's own.
    assert found["generator_ms"] >= 50
    assert found["floor_ms"] == pytest.approx(found["bare_stream_ms"] + 2 * found["bare_transaction_ms"], abs=0.01)
    assert found["bare_stream_ms"] > 0


def test_a_generators_own_time_is_that_of_the_last_images(tmp_path: Path) -> None:
    painted = tmp_path / "painted.txt"
    painted.write_text("before|7|9.0\na | portrait|0|0.0502\na portrait|1|0.0504\n")
    assert shots._generator_seconds(painted, 2) == pytest.approx(0.0503)


@pytest.mark.slow
@pytest.mark.parametrize(
    "run", [unary.run_unary, shots.run_noisy_neighbour, watching.run_watchers, listing.run_lists, rolling.run_rolling]
)
def test_every_load_runs_on_a_small_scale(run: object) -> None:
    assert callable(run)
    measured = run(QUICK)
    assert measured.figures
    assert set(measured.figures) <= set(TARGETS)
    assert measured.figures.get("rolling_update_lost_or_doubled", 0) == 0
