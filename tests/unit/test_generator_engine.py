"""The engine loop on a backend of plain arithmetic: joins, leaves, cancels and evictions never mix two subjects."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore
from prometheus_client import CollectorRegistry

from headshots.artifacts import ArtifactStore
from headshots.diffusion.backends import UNetBatch
from headshots.diffusion.layout import Layout
from headshots.diffusion.lora import LoraPair, diffusers_lora_bytes
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.text import Context
from headshots.errors import FailedPreconditionError, InternalError, InvalidArgumentError, UnavailableError
from services.generator.adapters import AdapterRef
from services.generator.engine import Engine, EngineLimits
from services.generator.requests import Painted, PaintRequest, Queued, Started, StepDone
from tests.generators import make_engine

SITE = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
LAYOUT = Layout.build([(SITE, 1, 1)], max_rank=1)
DIGEST = "ab" * 32
PEOPLE = 6


def package(slots: int = 3, max_rows: int = 6) -> EnginePackage:
    """A package that needs no files."""
    return EnginePackage(
        folder=Path("/nowhere"),
        foundation="arithmetic",
        foundation_digest=DIGEST,
        family="sd15",
        precision="fp32",
        opset=18,
        slots=slots,
        max_rows=max_rows,
        latent_channels=3,
        vae_scale_factor=1,
        context_width=1,
        native_width_px=2,
        native_height_px=2,
        size_multiple_px=1,
        max_size_px=8,
        zero_empty_prompt=False,
        prediction_type="v_prediction",
        scheduler={"prediction_type": "v_prediction", "beta_schedule": "scaled_linear"},
        sampler="ddim",
        steps=4,
        guidance_scale=2.0,
        trigger="sks",
        prompt_template="{subject}",
        class_nouns=("person",),
        unet="",
        vae_decoder="",
        vae_encoder="",
        text_encoders=(),
        preview_matrix=((0.1,) * 3,) * 3,
        preview_bias=(0.5,) * 3,
        layout=LAYOUT,
        files={},
    )


class ArithmeticBackend:
    """A Backend whose prediction tells, at every step, which adapter and prompt each row was given."""

    name = "arithmetic"

    def __init__(self, slots: int = 3) -> None:
        self.bank = np.zeros((slots, LAYOUT.row_size), np.float32)
        self.calls: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.fail_next = False
        self.fail_clear = False

    def unet(self, batch: UNetBatch) -> npt.NDArray[np.float32]:
        self.gate.wait(10)
        self.calls.append(len(batch.slot_B))
        if self.fail_next:
            self.fail_next = False
            raise RuntimeError("out of memory")
        who = self.bank[batch.slot_B].prod(axis=1) * batch.strength_B
        tint = (who + batch.context_BTD[:, 0, 0])[:, None, None, None]
        return (0.1 * np.tanh(batch.sample_BCHW) + tint).astype(np.float32)

    def write_slot(self, slot: int, row_P: npt.NDArray[np.float32] | None) -> None:
        if self.fail_next and row_P is not None:
            self.fail_next = False
            raise RuntimeError("the device is gone")
        if self.fail_clear and row_P is None:
            self.fail_clear = False
            raise RuntimeError("the device stumbled")
        self.bank[slot] = 0 if row_P is None else row_P

    def decode(self, latents_BCHW: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        return (latents_BCHW * 20 + 128).clip(0, 255).round().astype(np.uint8).transpose(0, 2, 3, 1)

    def encode_text(self, prompt: str) -> Context:
        return Context(np.full((1, 1), len(prompt) / 10, np.float32), None)

    def device_memory_bytes(self) -> int:
        return self.bank.nbytes


def person(number: int) -> tuple[AdapterRef, bytes]:
    """An adapter of one weight."""
    one = np.full((1, 1), 0.3 * (number + 1), np.float32)
    data = diffusers_lora_bytes({SITE: LoraPair(one, np.ones((1, 1), np.float32))}, {"foundation_digest": DIGEST})
    return AdapterRef(hashlib.sha256(data).hexdigest(), f"adapters/{number}", DIGEST), data


ADAPTERS = [person(number) for number in range(PEOPLE)]


@asynccontextmanager
async def running(
    folder: Path, backend: ArithmeticBackend, *, store: ArtifactStore | None = None, **options: Any
) -> AsyncIterator[tuple[Engine, CollectorRegistry]]:
    registry = CollectorRegistry()
    made = package(len(backend.bank))
    engine, own_store = make_engine(folder, registry, package=made, backend=backend, **options)
    for ref, data in ADAPTERS:
        await own_store.put(ref.key, data)
    if store is not None:
        engine._adapters._store = store
    await engine.start()
    try:
        yield engine, registry
    finally:
        backend.gate.set()
        await engine.stop()


async def paint(engine: Engine, **request: Any) -> Painted:
    events = [event async for event in engine.paint(PaintRequest(tenant="a", prompt="someone", **request))]
    assert isinstance(events[-1], Painted)
    return events[-1]


async def until(condition: Callable[[], bool]) -> None:
    """Give the engine's threads time; fails after ten seconds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in other threads
            await asyncio.sleep(0)


REQUESTS = st.fixed_dictionaries(
    {
        "person": st.integers(-1, PEOPLE - 1),
        "seed": st.integers(0, 5),
        "steps": st.integers(1, 6),
        "guidance_scale": st.sampled_from([1.0, 2.0, 5.0]),
        "width_px": st.sampled_from([2, 4]),
        "sampler": st.sampled_from(["ddim", "euler", "dpmpp_2m"]),
        "high": st.booleans(),
    }
)
ACTIONS = st.lists(
    st.tuples(REQUESTS, st.sampled_from(["finish", "cancel early", "cancel late", "evict"])), max_size=14
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ACTIONS)
def test_random_interleavings_never_mix_two_subjects(actions: list[tuple[dict[str, Any], str]]) -> None:
    """Six people, two slots, six rows: everybody's image is what it is when they are alone."""
    asyncio.run(_interleave(actions))


async def _interleave(actions: list[tuple[dict[str, Any], str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder), ArithmeticBackend()) as (engine, _):
            painted = await asyncio.gather(*(_act(engine, request, fate) for request, fate in actions))
            await until(lambda: engine.state().waiting == engine.state().running == 0)
            for (request, fate), image in zip(actions, painted, strict=True):
                if fate in ("finish", "evict"):
                    assert image is not None
                    assert image.content == (await paint(engine, **_fields(request))).content


def _fields(request: dict[str, Any]) -> dict[str, Any]:
    fields = dict(request)
    number = fields.pop("person")
    return {**fields, "adapter": None if number < 0 else ADAPTERS[number][0]}


async def _act(engine: Engine, request: dict[str, Any], fate: str) -> Painted | None:
    """Paint, and leave early or evict somebody in between, as told."""
    image = None
    made = PaintRequest(tenant=f"t{request['person']}", prompt="someone", **_fields(request))
    async with aclosing(engine.paint(made)) as events:
        async for event in events:
            if fate == "cancel early" or (fate == "cancel late" and isinstance(event, StepDone)):
                return None
            if fate == "evict" and isinstance(event, StepDone):
                for ref, _ in ADAPTERS:
                    if not engine._loop._slots.pinned(ref.sha256):
                        await _try_evict(engine, ref.sha256)
            if isinstance(event, Painted):
                image = event
    return image


async def _try_evict(engine: Engine, sha256: str) -> None:
    with suppress(FailedPreconditionError):
        await engine.evict(sha256)


async def test_requests_join_and_leave_between_steps(tmp_path: Path) -> None:
    backend = ArithmeticBackend()
    async with running(tmp_path, backend) as (engine, _):
        backend.calls.clear()
        backend.gate.clear()
        long = asyncio.create_task(paint(engine, steps=60))
        await until(lambda: engine.state().running == 1)
        short = asyncio.create_task(paint(engine, steps=3, guidance_scale=1.0))
        await until(lambda: any(job.ticket.ready for job in list(engine._loop._waiting.values())))
        backend.gate.set()
        await asyncio.gather(long, short)
    assert backend.calls.count(3) == 3
    assert len(backend.calls) == 60


class SlowStore(ArtifactStore):
    """A store that answers when it is told to."""

    def __init__(self, inner: ArtifactStore) -> None:
        super().__init__(inner._store)
        self.open = asyncio.Event()
        self.asked = 0

    async def get(self, key: str) -> bytes:
        self.asked += 1
        await self.open.wait()
        return await super().get(key)


async def test_an_adapter_that_loads_slowly_holds_up_nobody_and_is_fetched_once(tmp_path: Path) -> None:
    store = SlowStore(ArtifactStore.open((tmp_path / "objects").as_uri()))
    async with running(tmp_path, ArithmeticBackend(), store=store) as (engine, _):
        slow = [asyncio.create_task(paint(engine, adapter=ADAPTERS[0][0], seed=i)) for i in range(3)]
        for seed in range(5):
            await paint(engine, seed=seed)
        assert not any(task.done() for task in slow)
        assert engine.state().waiting == 3
        slow[0].cancel()
        store.open.set()
        done = await asyncio.gather(*slow, return_exceptions=True)
        assert isinstance(done[0], asyncio.CancelledError)
        assert all(isinstance(image, Painted) for image in done[1:]), "who leaves does not take the load away"
        assert store.asked == 1


async def test_a_failing_call_costs_its_requests_and_nothing_else(tmp_path: Path) -> None:
    backend = ArithmeticBackend()
    async with running(tmp_path, backend) as (engine, registry):
        backend.fail_next = True
        with pytest.raises(InternalError, match="painting failed"):
            await paint(engine, images=2)
        backend.fail_next = True
        with pytest.raises(InternalError, match="loading the adapter failed"):
            await paint(engine, adapter=ADAPTERS[0][0], images=2)
        assert (await paint(engine, adapter=ADAPTERS[0][0])).content
        assert engine.state().running == engine.state().waiting == 0
        assert await engine.evict(ADAPTERS[0][0].sha256), "nothing stayed pinned"
        assert registry.get_sample_value("headshots_generator_requests_total", {"status": "error"}) == 2


async def test_the_batch_is_never_wider_than_its_rows_and_sizes_do_not_mix(tmp_path: Path) -> None:
    backend = ArithmeticBackend()
    async with running(tmp_path, backend, limits=EngineLimits(max_rows=5)) as (engine, _):
        sizes = [2, 4, 2, 8, 4, 2]
        await asyncio.gather(*(paint(engine, width_px=size, images=3, seed=i) for i, size in enumerate(sizes)))
    assert max(backend.calls) == 4, "two images with guidance; a third does not fit into five rows"


@pytest.mark.parametrize("max_rows", [1, 7])
def test_rows_that_no_image_fits_or_the_engine_was_not_made_for_are_refused(tmp_path: Path, max_rows: int) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        make_engine(
            tmp_path,
            CollectorRegistry(),
            package=package(max_rows=6),
            backend=ArithmeticBackend(),
            limits=EngineLimits(max_rows=max_rows),
        )
    assert caught.value.reason == "SETTING_INVALID"


async def test_tiers_keep_their_bounds(tmp_path: Path) -> None:
    """Memory for two rows and disk for three files: the oldest go, and come back from the tier below."""
    size = len(ADAPTERS[0][1])
    row = LAYOUT.row_size * 4
    async with running(tmp_path, ArithmeticBackend(), disk_bytes=3 * size, host_bytes=2 * row) as (engine, registry):
        for ref, _ in ADAPTERS:
            await paint(engine, adapter=ref)
        assert len(list((tmp_path / "adapters").iterdir())) == 3
        loads = {
            tier: registry.get_sample_value("headshots_generator_adapter_loads_total", {"tier": tier})
            for tier in ("store", "disk", "host")
        }
        assert loads == {"store": 6, "disk": 6, "host": 6}
        await paint(engine, adapter=ADAPTERS[3][0])  # gone from memory, still on disk
        assert registry.get_sample_value("headshots_generator_adapter_loads_total", {"tier": "store"}) == 6
        assert registry.get_sample_value("headshots_generator_adapter_loads_total", {"tier": "disk"}) == 7
        await paint(engine, adapter=ADAPTERS[0][0])  # gone from both
        assert registry.get_sample_value("headshots_generator_adapter_loads_total", {"tier": "store"}) == 7


async def test_a_damaged_disk_copy_is_fetched_again(tmp_path: Path) -> None:
    async with running(tmp_path, ArithmeticBackend(), host_bytes=1) as (engine, _):
        first = await paint(engine, adapter=ADAPTERS[0][0])
        await paint(engine, adapter=ADAPTERS[1][0])
        (tmp_path / "adapters" / f"{ADAPTERS[0][0].sha256}.safetensors").write_bytes(b"rot")
        await engine.evict("0" * 64)
        assert (await paint(engine, adapter=ADAPTERS[0][0])).content == first.content


async def test_what_an_earlier_process_left_on_disk_is_used(tmp_path: Path) -> None:
    for expected in (1, 0):
        async with running(tmp_path, ArithmeticBackend()) as (engine, registry):
            await paint(engine, adapter=ADAPTERS[0][0])
            found = registry.get_sample_value("headshots_generator_adapter_loads_total", {"tier": "store"})
            assert (found or 0) == expected


async def test_after_draining_nothing_new_is_taken(tmp_path: Path) -> None:
    async with running(tmp_path, ArithmeticBackend()) as (engine, _):
        running_one = asyncio.create_task(paint(engine, steps=50))
        await asyncio.sleep(0)
        await engine.drain(10)
        assert running_one.done() or (await running_one).content
        with pytest.raises(UnavailableError) as caught:
            await paint(engine)
        assert caught.value.reason == "DRAINING"


async def test_stopping_fails_what_is_left_instead_of_leaving_it_hanging(tmp_path: Path) -> None:
    backend = ArithmeticBackend()
    async with running(tmp_path, backend) as (engine, _):
        task = asyncio.create_task(paint(engine, steps=900))
        await until(lambda: engine.state().running > 0)
        await engine.stop()
        with pytest.raises(UnavailableError) as caught:
            await task
        assert caught.value.reason == "SHUTTING_DOWN"


async def test_the_order_of_events(tmp_path: Path) -> None:
    async with running(tmp_path, ArithmeticBackend()) as (engine, _):
        request = PaintRequest(tenant="a", prompt="someone", images=2, steps=3, preview_every=3)
        events = [event async for event in engine.paint(request)]
    assert isinstance(events[0], Queued)
    assert isinstance(events[1], Started)
    steps = [event for event in events if isinstance(event, StepDone) and event.index == 1]
    assert [(step.step, bool(step.preview)) for step in steps] == [(1, False), (2, False), (3, True)]
    assert {event.index for event in events[-2:] if isinstance(event, Painted)} == {0, 1}


class BrokenStore(ArtifactStore):
    """A store that fails in a way that nobody foresaw."""

    async def get(self, key: str) -> bytes:
        raise OSError("the mount is gone")


async def test_an_unforeseen_failure_while_preparing_is_told(tmp_path: Path) -> None:
    async with running(tmp_path, ArithmeticBackend(), store=BrokenStore(MemoryStore())) as (engine, _):
        async with asyncio.timeout(10):
            with pytest.raises(InternalError) as caught:
                await paint(engine, adapter=ADAPTERS[0][0])
        assert caught.value.reason == "PREPARING_FAILED"
        assert (await paint(engine)).content


async def test_a_device_that_fails_between_steps_costs_requests_not_the_service(tmp_path: Path) -> None:
    backend = ArithmeticBackend()
    async with running(tmp_path, backend) as (engine, _):
        await paint(engine, adapter=ADAPTERS[0][0])
        backend.fail_clear = True
        assert await engine.evict(ADAPTERS[0][0].sha256)
        await until(lambda: not backend.fail_clear)
        with suppress(InternalError):  # who comes in that moment may be hit, who comes after must not
            await paint(engine)
        assert (await paint(engine, adapter=ADAPTERS[0][0])).content


async def test_a_file_that_vanished_from_the_disk_tier_is_fetched_again(tmp_path: Path) -> None:
    async with running(tmp_path, ArithmeticBackend(), host_bytes=1) as (engine, _):
        first = await paint(engine, adapter=ADAPTERS[0][0])
        for path in tmp_path.rglob("*.safetensors"):  # noqa: ASYNC240 - nothing else runs now
            path.unlink()
        await paint(engine, adapter=ADAPTERS[1][0])
        engine._adapters._rows.clear()
        assert (await paint(engine, adapter=ADAPTERS[0][0])).content == first.content


async def test_who_waits_is_told_the_place_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.generator.engine._SILENCE_SECONDS", 0.01)
    backend = ArithmeticBackend()
    async with running(tmp_path, backend) as (engine, _):
        backend.gate.clear()
        # Three images with guidance fill the six rows.
        first = asyncio.create_task(paint(engine, images=3))
        await until(lambda: engine.state().running == 1 and engine.state().waiting == 0)
        request = PaintRequest(tenant="b", prompt="someone")
        async with aclosing(engine.paint(request)) as events:
            told = [await anext(events) for _ in range(3)]
            assert told == [Queued(0)] * 3
        backend.gate.set()
        await first
