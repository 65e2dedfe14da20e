"""Jobs are inserted once, however many send them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from headshots.database import open_database
from services.trainer.queue import rows
from services.trainer.queue.job import Job
from tests.support.deploy.tables import make_tables
from tests.support.trainer.world import REQUEST
from tests.support.waiting import PATIENCE_SECONDS


def test_a_job_may_be_inserted_by_several_at_once(tmp_path: Path) -> None:
    """As by two gateways that follow one training: all get the one row."""
    engine = open_database(f"sqlite:///{tmp_path / 'jobs.db'}")
    make_tables(engine)
    barrier = threading.Barrier(4)

    def insert(_: int) -> Job:
        barrier.wait(PATIENCE_SECONDS)
        return rows.insert(engine, "j", "acme", 1, REQUEST)

    with ThreadPoolExecutor(4) as threads:
        jobs = list(threads.map(insert, range(4)))
    assert jobs == [jobs[0]] * 4
    engine.dispose()
