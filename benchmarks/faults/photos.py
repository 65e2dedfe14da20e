"""Uploads the corpus to a gateway process: what each file is answered, how long it takes, and what memory all take."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.faults.corpus import ACCEPTED, Sample, corpus
from benchmarks.faults.report import Measured, Say, Scale
from benchmarks.faults.world import client_of
from headshots.client import AsyncHeadshots
from headshots.errors import HeadshotsError
from services.gateway.settings import GatewaySettings
from tests.support.live_platform import LivePlatform

_MB = 1_000_000
_SAMPLE_SECONDS = 0.05


@dataclass
class Memory:
    """The most memory that a process and its children held at one moment, sampled 20 times a second."""

    pid: int
    label: str = ""
    """What is being done; the peak keeps it."""
    peak_bytes: int = 0
    """Of proportional set sizes: pages that processes share count once."""
    peak_label: str = ""
    high_water_bytes: int = 0
    """The sum of what each process had resident at most, at whatever time: a bound that no sampling misses."""
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
        while not done.wait(_SAMPLE_SECONDS):
            label, found, high = self.label, 0, 0
            # A process may end between two lines.
            with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
                process = psutil.Process(self.pid)
                for each in (self.pid, *(child.pid for child in process.children(recursive=True))):
                    found += kilobytes(each, "smaps_rollup", "Pss:") * 1024
                    high += kilobytes(each, "status", "VmHWM:") * 1024
            self.high_water_bytes = max(self.high_water_bytes, high)
            self.by_label[label] = max(self.by_label.get(label, 0), found)
            if found > self.peak_bytes:
                self.peak_bytes, self.peak_label = found, label


def kilobytes(pid: int, file: str, name: str) -> int:
    """A line of /proc/PID/FILE; 0 of a process that has no memory any more."""
    for line in Path(f"/proc/{pid}/{file}").read_text("ascii", "replace").splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0


@dataclass
class _Found:
    seconds: dict[str, float] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    unexpected: dict[str, str] = field(default_factory=dict)


async def run(scale: Scale, seed: int, folder: Path, say: Say) -> Measured:
    """Sends each file by as many streams at once as there are decoders; then the worst by as many as are received."""
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
                say("the worst, by all streams at once")
                crowded = _Found()
                tenants = [acme, globex] * (GatewaySettings.uploads_at_once // 2)
                for sample in filter(lambda each: each.worst, samples):
                    await _send_all(sample, tenants, folder, memory, crowded)
    return _measured(samples, found, crowded, memory)


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
        "high_water_mb": memory.high_water_bytes / _MB,
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
