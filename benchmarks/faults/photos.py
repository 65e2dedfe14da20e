"""Uploads the corpus to a gateway process: what each file is answered, how long it takes, and what memory all take."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.faults.corpus import ACCEPTED, Sample, corpus
from benchmarks.faults.report import Say, Scale
from benchmarks.faults.world import client_of
from benchmarks.report import Measured
from headshots.client import AsyncHeadshots
from headshots.errors import HeadshotsError
from services.gateway.settings import GatewaySettings
from tests.support.live_platform import LivePlatform

_MB = 1_000_000
_SAMPLE_SECONDS = 0.02
_FAMILY_SAMPLES = 20
_CROWDED = 16
"""Files that come in by all streams at once: those with which the gateway held the most."""


@dataclass
class Memory:
    """The most memory that a process and its children held at one moment, sampled 50 times a second.

    That is what each has for itself, and once the pages of files and libraries that they share, as a control group
    counts them. (Proportional set sizes would say the same; to read them costs a large process milliseconds.)
    """

    pid: int
    label: str = ""
    """What is being done; the peak keeps it."""
    peak_bytes: int = 0
    peak_label: str = ""
    by_label: dict[str, int] = field(default_factory=dict)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Samples, in a thread, within this block."""
        done = threading.Event()
        thread = threading.Thread(target=self._sample, args=(done,))
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _sample(self, done: threading.Event) -> None:
        number, family = 0, [self.pid]
        while not done.wait(_SAMPLE_SECONDS):
            # Who they are costs more to ask than what they have; a new one begins small.
            if number % _FAMILY_SAMPLES == 0:
                family = [self.pid, *_children(self.pid)]
            number += 1
            label, found = self.label, _held_bytes(family)
            self.by_label[label] = max(self.by_label.get(label, 0), found)
            if found > self.peak_bytes:
                self.peak_bytes, self.peak_label = found, label


def _children(pid: int) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _held_bytes(pids: Iterable[int]) -> int:
    own, shared = 0, 0
    for pid in pids:
        # A process may end between two lines.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            _, resident, of_files, *_ = map(int, Path(f"/proc/{pid}/statm").read_text("ascii").split())
            own += resident - of_files
            shared = max(shared, of_files)
    return (own + shared) * resource.getpagesize()


@dataclass
class _Found:
    seconds: dict[str, float] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    unexpected: dict[str, str] = field(default_factory=dict)


async def run(scale: Scale, seed: int, folder: Path, say: Say) -> Measured:
    """Sends each file by as many streams at once as there are decoders; then the heaviest by all that are received."""
    samples = corpus(seed, scale.corpus)
    found = _Found()
    with LivePlatform(folder / "home", folder, folder, services=("gateway",)) as platform:
        memory = Memory(platform.pid("gateway"))
        async with client_of(platform, "acme") as acme, client_of(platform, "globex") as globex:
            with memory.watched():
                for number, sample in enumerate(samples):
                    await _send_all(sample, [acme] * GatewaySettings.photo_decoders, folder, memory, found)
                    if number % 25 == 24:
                        say(f"{number + 1} files; the slowest took {max(found.seconds.values()):.1f} s")
                say("the heaviest, by all streams at once")
                crowded = _Found()
                tenants = [acme, globex] * (GatewaySettings.uploads_at_once // 2)
                for sample in _heaviest(samples, memory):
                    await _send_all(sample, tenants, folder, memory, crowded)
    return _measured(samples, found, crowded, memory)


def _heaviest(samples: list[Sample], memory: Memory) -> list[Sample]:
    return sorted(samples, key=lambda each: memory.by_label.get(each.name, 0), reverse=True)[:_CROWDED]


async def _send_all(sample: Sample, clients: list[AsyncHeadshots], folder: Path, memory: Memory, found: _Found) -> None:
    """One stream a client, all with this file, each to a subject of its own."""
    path = folder / sample.name
    path.write_bytes(await asyncio.to_thread(sample.make))
    memory.label = sample.name
    for answer, seconds in await asyncio.gather(*(send(client, path) for client in clients)):
        found.answers[answer] += 1
        found.seconds[sample.name] = max(seconds, found.seconds.get(sample.name, 0.0))
        if answer not in sample.answers:
            found.unexpected[sample.name] = answer
    path.unlink()


async def send(client: AsyncHeadshots, path: Path) -> tuple[str, float]:
    """The reason that the file was refused for, or `ACCEPTED`; and the seconds that the stream took."""
    subject = await client.create_subject(path.name[:128])
    begin = time.perf_counter()
    try:
        await client.upload_photos(subject, [path])
    except HeadshotsError as error:
        return error.reason, time.perf_counter() - begin
    return ACCEPTED, time.perf_counter() - begin


def _measured(samples: list[Sample], found: _Found, crowded: _Found, memory: Memory) -> Measured:
    slowest = sorted(found.seconds.items(), key=lambda item: -item[1])
    unexpected = {**crowded.unexpected, **found.unexpected}
    heaviest = sorted(memory.by_label.items(), key=lambda item: -item[1])
    details: dict[str, Any] = {
        "slowest": dict(slowest[:10]),
        "heaviest_mb": {name: round(size / _MB) for name, size in heaviest[:10]},
        "peak_with": memory.peak_label,
        "answers": dict(found.answers),
        "unexpected": unexpected,
    }
    figures: dict[str, float] = {
        "gateway_peak_mb": memory.peak_bytes / _MB,
        "slowest_photo_seconds": slowest[0][1],
        "corpus_files": len(samples),
        "corpus_unexpected": len(unexpected),
    }
    return Measured(figures, {"photos": details})
