"""Runs a trainer engine and its workers with child processes that the test directs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from headshots.artifacts import ArtifactStore
from headshots.database import open_database
from headshots.rpc.internal.settings import InternalSettings
from services.trainer.engine import TrainerEngine
from services.trainer.lora.recipe import TrainingOptions
from services.trainer.metrics import Metrics
from services.trainer.queue.job import AdapterFiles, Failure, Job, JobRequest, PhotoRef, StoredFile
from services.trainer.queue.wakeup import Wakeup
from services.trainer.run.messages import Event, Failed, Progress, Started, Stopped, Succeeded, Task
from services.trainer.selection.scores import CheckpointScores, TrainingScores
from services.trainer.settings import TrainerSettings
from services.trainer.workers import attempt
from services.trainer.workers.context import WorkerContext
from tests.support.deploy.tables import make_tables
from tests.support.grants import KEY_FILE
from tests.support.trainer.foundation import described_foundation
from tests.support.waiting import PATIENCE_SECONDS

# Progress is written and cancellations are noticed so often, however long a lease lives.
attempt._MAX_RENEWAL_SECONDS = 0.05

REQUEST = JobRequest((PhotoRef("p/1.png", "1" * 64),), "out/a", "man", TrainingOptions())
ADAPTER = AdapterFiles(
    *("a" * 64, "out/a/adapter.safetensors", "f" * 64, 4, "sks", 10, "out/a/k", "out/a/m"),
    others=(StoredFile("out/a/s", "b" * 64, 5),),
)
SCORES = TrainingScores(
    "fake",
    1,
    2,
    "it has the highest likeness",
    True,
    False,
    (CheckpointScores(2, 0.75, 0.125, 0.5, 1.0, 1.0),),
    "out/a/s",
    "out/a/c",
)
DONE = Succeeded(ADAPTER, [(1, 0.5), (2, 0.25)], SCORES)
KILLED = Failed(Failure("TRAINING_KILLED", "killed"), final=False)
WORKING: list[Event] = [Started(0, 2, []), Progress(1, 0.5, [0.1], [(1, 0.5)])]


class FakeChild:
    """Sends the events of a script. Unless its last event is final, it runs until it is stopped or killed."""

    pid = 4711

    def __init__(self, script: list[Event]) -> None:
        self._script = script
        self.last_event: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self.killed = False
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def events(self) -> AsyncIterator[Event]:
        for event in self._script:
            yield event
        if not isinstance(self._script[-1], Succeeded | Failed | Stopped):
            yield await self.last_event

    async def stop(self) -> None:
        if not self.last_event.done():
            self.last_event.set_result(Stopped(1))

    async def kill(self) -> None:
        self.killed = True
        await self.may_end.wait()
        if not self.last_event.done():
            self.last_event.set_result(KILLED)


class Trainer:
    """An engine whose runs follow ``scripts``, one for each run; the last one repeats."""

    def __init__(
        self, tmp_path: Path, scripts: list[list[Event]], *, foundation_digest: str = "f" * 64, **settings: Any
    ) -> None:
        values: dict[str, Any] = {
            "lease_seconds": 600.0,
            "retry_seconds": 0.01,
            "poll_seconds": 0.02,
            "drain_seconds": PATIENCE_SECONDS,
        }
        self.settings = TrainerSettings(
            database_url=f"sqlite:///{tmp_path / 'jobs.db'}",
            store_url=(tmp_path / "objects").as_uri(),
            foundation=tmp_path,
            foundations_dir=tmp_path / "foundations",
            fuse="",
            few_steps="",
            internal=InternalSettings(tmp_path / KEY_FILE),
            **{**values, **settings},
        )
        self.scripts, self.tasks, self.children = scripts, list[Task](), list[FakeChild]()
        self.database = open_database(self.settings.database_url)
        make_tables(self.database)
        self.store = ArtifactStore.open(self.settings.store_url)
        self.registry = CollectorRegistry()
        context = WorkerContext(
            engine=self.database,
            store=self.store,
            foundation=described_foundation(tmp_path),
            foundation_digest=foundation_digest,
            foundation_stamp="stamp",
            device="cpu",
            settings=self.settings,
            metrics=Metrics(self.registry, self.database, foundation_digest),
            worker_wakeup=Wakeup(),
            changes=Wakeup(),
            launch=self.launch,
        )
        self.engine = TrainerEngine(context)

    async def launch(self, task: Task) -> FakeChild:
        self.tasks.append(task)
        child = FakeChild(self.scripts[min(len(self.tasks), len(self.scripts)) - 1])
        self.children.append(child)
        return child

    async def start(self, job_id: str = "j", tenant: str = "t") -> Job:
        return await self.engine.start(job_id, tenant, 1, REQUEST)

    async def until(self, reached: Callable[[Job], bool], job_id: str = "j") -> Job:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async with contextlib.aclosing(self.engine.watch(job_id)) as watch:  # type: ignore[type-var]
                async for job in watch:
                    if reached(job):
                        return job
        raise AssertionError("the watch ended before")

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0


@contextlib.asynccontextmanager
async def opened_trainer(tmp_path: Path, *scripts: list[Event], **settings: Any) -> AsyncIterator[Trainer]:
    trainer = Trainer(tmp_path, list(scripts), **settings)
    trainer.engine.begin()
    try:
        yield trainer
    finally:
        await trainer.engine.drain()
        trainer.database.dispose()


def is_over(job: Job) -> bool:
    return job.is_over
