"""Joins, leaves, cancels and evictions in any order never mix two subjects, prompts, steps or pictures.

The engine runs on a backend of plain arithmetic that steps when it is told to, so what happens between which steps is
hypothesis' choice and not the machine's. The truth is computed without engine, queue, slots or company.
"""

from __future__ import annotations

import asyncio
import functools
import io
import tempfile
import threading
from collections import Counter
from contextlib import aclosing
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from obstore.store import MemoryStore
from PIL import Image
from prometheus_client import CollectorRegistry

from headshots.artifacts import ArtifactStore
from headshots.diffusion.backends import UNetBatch
from headshots.diffusion.lora.files import load_row
from headshots.diffusion.sampling.options import SAMPLERS
from headshots.errors import FailedPreconditionError
from services.generator.batching.denoising import ImageState, advance
from services.generator.images import encoding
from services.generator.metrics import Metrics
from services.generator.requests.plan import make_plan
from services.generator.requests.preparing import Preparer
from services.generator.requests.request import GeneratedImage, GenerationRequest, Source
from services.generator.requests.source_images import SourceReader
from tests.support.generator.arithmetic import ADAPTERS, DIGEST, LAYOUT, PEOPLE, ArithmeticBackend, package, running
from tests.support.waiting import until

EXAMPLES = 200
MOST = 8
"""Requests in one example; two slots and six rows hold three of them at most."""
Request = tuple[tuple[str, Any], ...]


def _png(*shape: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.RandomState(len(shape)).randint(0, 256, shape, np.uint8)).save(file, "PNG")
    return file.getvalue()


PICTURE, MASK = _png(8, 8, 3), _png(8, 8)
SOURCES = [None, Source(PICTURE), Source(PICTURE, 0.5), Source(PICTURE, mask=MASK), Source(PICTURE, 0.6, MASK)]
REQUESTS = st.fixed_dictionaries(
    {
        "person": st.integers(-1, PEOPLE - 1),
        "seed": st.integers(0, 5),
        "steps": st.integers(2, 5),
        "guidance_scale": st.sampled_from([1.0, 2.0, 5.0]),
        "width_px": st.sampled_from([2, 4]),
        "guidance_interval": st.sampled_from([None, (0.0, 0.6), (0.3, 0.8)]),
        "sampler": st.sampled_from(list(SAMPLERS)),
        "adapter_strength": st.sampled_from([0.5, 1.0]),
        "negative_adapter_share": st.sampled_from([None, 0.0, 1.0]),
        "high": st.booleans(),
        "images": st.integers(1, 2),
        "source": st.sampled_from(range(len(SOURCES))),
    }
).map(lambda fields: tuple(fields.items()))


def _generation_request(request: Request, *, adapted: bool = True) -> GenerationRequest:
    fields = dict(request)
    number, source = fields.pop("person"), SOURCES[fields.pop("source")]
    adapter = ADAPTERS[number][0] if adapted and number >= 0 else None
    return GenerationRequest(tenant=f"t{number}", prompt="x" * (number + 2), adapter=adapter, source=source, **fields)


@functools.cache
def alone(request: Request) -> list[bytes]:
    """What the images of ``request`` must be."""
    backend, made = ArithmeticBackend(), package()
    plan = make_plan(_generation_request(request, adapted=False), made)
    reader = SourceReader(ArtifactStore(MemoryStore()))
    no_adapters: Any = None
    prepared = asyncio.run(Preparer(made, backend, no_adapters, reader, Metrics(CollectorRegistry())).prepare(plan))
    number = dict(request)["person"]
    if number >= 0:
        backend.write_slot(1, load_row(ADAPTERS[number][1], LAYOUT, DIGEST))
    files = []
    for index in range(plan.request.images):
        image = ImageState(prepared.inputs, int(number >= 0), plan.noise_CHW(index), plan.drawing_seed(index))
        while not image.done:
            advance(backend, [image])
        pixels = backend.decode(image.latents_CHW[None])[0]
        files.append(encoding.encode(pixels if prepared.source is None else prepared.source.keep(pixels), "png"))
    return files


class SteppedBackend(ArithmeticBackend):
    """Makes a step only when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.permits = threading.Semaphore(0)
        self.free = True
        self.mixed = 0

    def unet(self, batch: UNetBatch) -> npt.NDArray[np.float32]:
        if not self.free:
            self.permits.acquire()
        self.mixed += len(set(batch.slot_B.tolist()) - {0}) > 1
        return super().unet(batch)


class Interleavings(RuleBasedStateMachine):
    """Six people, two slots, six rows."""

    seen: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.backend = SteppedBackend()
        self.loop = asyncio.new_event_loop()
        self.world = running(Path(self.folder.name), self.backend)
        self.engine, _ = self.loop.run_until_complete(self.world.__aenter__())
        self.backend.free = False
        self.painting: list[tuple[Request, asyncio.Task[list[bytes]]]] = []
        self.joined: set[int] = set()

    @precondition(lambda self: len(self.painting) < MOST)
    @rule(request=REQUESTS)
    def join(self, request: Request) -> None:
        self.joined.add(dict(request)["person"])
        self.painting.append((request, self.loop.create_task(self._paint(request))))
        self.loop.run_until_complete(self._all_ready())
        self.seen["joins"] += 1

    @rule(count=st.integers(1, 3))
    def step(self, count: int) -> None:
        self.loop.run_until_complete(self._steps(count))

    @precondition(lambda self: self.painting)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(range(len(self.painting))))
        _, task = self.painting.pop(chosen)
        self.seen["cancels while painting" if self.engine.state().running else "cancels"] += not task.done()
        task.cancel()
        self.loop.run_until_complete(asyncio.wait({task}))

    @rule(numbers=st.sets(st.integers(0, PEOPLE - 1), min_size=1))
    def evict(self, numbers: set[int]) -> None:
        for number in sorted(numbers):
            self._evict(number)

    def _evict(self, number: int) -> None:
        try:
            had = self.loop.run_until_complete(self.engine.evict(ADAPTERS[number][0].sha256))
        except FailedPreconditionError:
            # A cancelled request keeps its slot to the end of the step that runs.
            assert number in self.joined
            self.seen["evictions refused"] += 1
        else:
            self.seen["evictions"] += had

    def teardown(self) -> None:
        self.backend.free = True
        self.backend.permits.release()
        try:
            painted = self.loop.run_until_complete(self._finish())
            assert len(self.engine._loop._admission.slots._pins) == 0, "nothing stays pinned"
        finally:
            self.loop.run_until_complete(self.world.__aexit__(None, None, None))
            self.loop.close()
            self.folder.cleanup()
        for (request, _), files in zip(self.painting, painted, strict=True):
            assert files == alone(request), request
        self.seen["leaves"] += len(painted)
        self.seen["calls for two subjects or more"] += self.backend.mixed

    async def _paint(self, request: Request) -> list[bytes]:
        files: dict[int, bytes] = {}
        async with aclosing(self.engine.generate(_generation_request(request))) as events:
            async for event in events:
                if isinstance(event, GeneratedImage):
                    files[event.index] = event.content
        return [files[index] for index in sorted(files)]

    async def _finish(self) -> list[list[bytes]]:
        painted = await asyncio.gather(*(task for _, task in self.painting))
        state = self.engine.state
        await until(lambda: state().waiting == state().running == 0)
        return painted

    async def _all_ready(self) -> None:
        """Adapters and pictures are in memory, so that nothing but the rules decides what happens when."""
        await asyncio.sleep(0)
        await until(lambda: all(job.ticket.ready for job in self.engine._loop._admission.jobs))

    async def _steps(self, count: int) -> None:
        done = len(self.backend.calls) + count
        for _ in range(count):
            self.backend.permits.release()
        state = self.engine.state
        await until(lambda: len(self.backend.calls) >= done or state().running == state().waiting == 0)
        while self.backend.permits.acquire(blocking=False):
            pass


def test_random_interleavings_never_mix_two_subjects() -> None:
    Interleavings.seen.clear()
    run_state_machine_as_test(
        Interleavings,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=16,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
    seen = Interleavings.seen
    assert min(seen["joins"], seen["leaves"], seen["evictions"], seen["evictions refused"]) > EXAMPLES / 10, seen
    assert min(seen["cancels"] + seen["cancels while painting"], seen["calls for two subjects or more"]) > EXAMPLES / 10
    assert seen["cancels while painting"] > 0
