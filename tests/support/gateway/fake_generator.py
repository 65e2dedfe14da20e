"""A generator that does no work but speaks the real contract.

Its images are a function of prompt, seed and adapter, as the contract demands, and are stored under their digest.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from PIL import Image

from headshots.artifacts import ArtifactStore
from headshots.errors import FieldViolation, HeadshotsError, InvalidArgumentError
from headshots.v1 import generator_pb2 as generator
from headshots.v1 import generator_pb2_grpc, styles_pb2
from services.generator.servicer import hold_eviction, hold_generation
from tests.support.gateway.peer import FOUNDATION_DIGEST

NATIVE_PX = 256
STEPS = 20
GUIDANCE = 2.5
INTERVAL = styles_pb2.GuidanceInterval(low=0.25, high=0.75)
TEMPLATE = "{framing} of a {subject}, wearing a {outfit}, {backdrop} background, {lighting}"


def image_of(request: generator.GenerateRequest) -> bytes:
    """The PNG of a request, in a colour that depends on its prompt, seed and adapter."""
    digest = hashlib.sha256(f"{request.prompt}|{request.seed}|{request.adapter.sha256}".encode()).digest()
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (digest[0], digest[1], digest[2])).save(out, "PNG")
    return out.getvalue()


class FakeGenerator(generator_pb2_grpc.GeneratorServiceServicer):
    """Each request gives two steps and an image. After `hold`, a request needs a permit to finish."""

    audience = "generator"

    def __init__(self, store: ArtifactStore) -> None:
        self.store = store
        self.requests: list[generator.GenerateRequest] = []
        self.finished: Counter[tuple[str, int]] = Counter()
        """Images of each prompt and seed."""
        self.refusal: HeadshotsError | None = None
        """Raised by every Generate call."""
        self.errors: list[Exception] = []
        """Raised by the next calls, in this order."""
        self.errors_by_seed: dict[int, HeadshotsError] = {}
        """Raised by every call with this seed."""
        self.pictures: dict[int, bytes] = {}
        """PNGs of requests with these seeds; all others get `image_of`'s."""
        self.marks: dict[int, str] = {}
        """Ids in the watermarks of pictures with these seeds; all others have none."""
        self.missed: dict[int, str] = {}
        """Why pictures with these seeds are not cut to the frame that was asked for."""
        self.held_seeds: set[int] = set()
        """Calls with these seeds never finish."""
        self.foundation_digest = FOUNDATION_DIGEST
        self.held = 0
        """Such calls that wait now."""
        self.running = 0
        self.most_running = 0
        self.stopped = 0
        """Calls that ended without an image."""
        self.evicted: list[str] = []
        self.answers_evictions = asyncio.Event()
        self.answers_evictions.set()
        self.max_rank = 32
        self.window_tokens = 77
        self.negative_prompt = ""
        self.heads: dict[str, float] = {}
        """`head_height` and `eye_line` of what it paints; empty: it does not tell."""
        self.vocabulary: set[str] = set()
        """The only words that it knows; empty: all."""
        self.checks: list[generator.GenerateRequest] = []
        self.check_failure: HeadshotsError | None = None
        """Raised by every CheckGeneration call."""
        self._permits: asyncio.Semaphore | None = None

    def register(self, server: grpc.aio.Server) -> list[str]:
        generator_pb2_grpc.add_GeneratorServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [generator.DESCRIPTOR.services_by_name["GeneratorService"].full_name]

    def hold(self, permits: int = 0) -> None:
        """From now on only `permits` more requests finish."""
        self._permits = asyncio.Semaphore(permits)

    def permit(self, count: int = 1000) -> None:
        """Lets `count` more requests finish."""
        assert self._permits is not None
        for _ in range(count):
            self._permits.release()

    async def Generate(
        self, request: generator.GenerateRequest, context: Any
    ) -> AsyncIterator[generator.GenerateResponse]:
        hold_generation(request)
        self.requests.append(request)
        if self.refusal is not None:
            raise self.refusal
        if self.errors:
            raise self.errors.pop(0)
        if request.seed in self.errors_by_seed:
            raise self.errors_by_seed[request.seed]
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        ended = False
        try:
            yield generator.GenerateResponse(queued=generator.Queued(position=0))
            yield generator.GenerateResponse(started=generator.Started(queue_seconds=0.0))
            preview = b"\xff\xd8 a preview" if request.preview_every else b""
            yield generator.GenerateResponse(step=generator.StepDone(step=1, total_steps=2, preview=preview))
            if request.seed in self.held_seeds:
                await self._hold_for_ever()
            if self._permits is not None:
                await self._permits.acquire()
            image = await self._painted(request)
            ended = True
            yield generator.GenerateResponse(image=image)
        finally:
            self.running -= 1
            self.stopped += 0 if ended else 1

    async def _painted(self, request: generator.GenerateRequest) -> generator.GeneratedImage:
        content = self.pictures.get(request.seed) or image_of(request)
        sha256 = hashlib.sha256(content).hexdigest()
        key = f"{request.output_prefix}/{sha256}.png"
        await self.store.put(key, content)
        self.finished[request.prompt, request.seed] += 1
        return generator.GeneratedImage(
            key=key,
            sha256=sha256,
            size_bytes=len(content),
            content_type="image/png",
            width_px=8,
            height_px=8,
            seed=request.seed,
            mark_id=self.marks.get(request.seed, ""),
            frame_missed=self.missed.get(request.seed, ""),
        )

    async def _hold_for_ever(self) -> None:
        self.held += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.held -= 1

    async def CheckGeneration(
        self, request: generator.CheckGenerationRequest, context: Any
    ) -> generator.CheckGenerationResponse:
        hold_generation(request.request)
        self.checks.append(request.request)
        if self.check_failure is not None:
            raise self.check_failure
        asked = request.request
        steps = asked.steps or STEPS
        if asked.width_px % 64 or asked.height_px % 64:
            rule = FieldViolation("width_px" if asked.width_px % 64 else "height_px", "use a multiple of 64")
            raise InvalidArgumentError("SIZE_INVALID", "this engine cannot paint it", violations=[rule])
        repaint = asked.source.repaint if asked.source.HasField("repaint") else 0.8
        if asked.HasField("source") and int(steps * repaint) < 1:
            rule = FieldViolation("source.repaint", f"at least {1 / steps:.3g}")
            raise InvalidArgumentError("REPAINT_TOO_LITTLE", "less than one step", violations=[rule])
        return generator.CheckGenerationResponse(
            prompt=self._read(asked.prompt),
            negative_prompt=self._read(asked.negative_prompt),
            width_px=asked.width_px or NATIVE_PX,
            height_px=asked.height_px or NATIVE_PX,
            steps=steps,
            guidance_scale=asked.guidance_scale if asked.HasField("guidance_scale") else GUIDANCE,
            guidance_interval=asked.guidance_interval if asked.HasField("guidance_interval") else INTERVAL,
        )

    def _read(self, text: str) -> generator.TextReading:
        """A word is a token."""
        words = text.split()
        room = self.window_tokens - 2
        plain = re.findall("[a-z]+", text.lower())
        unknown = dict.fromkeys(word for word in plain if self.vocabulary and word not in self.vocabulary)
        return generator.TextReading(tokens=len(words) + 2, lost=" ".join(words[room:]), unknown_words=unknown)

    async def DescribeGenerator(
        self, request: generator.DescribeGeneratorRequest, context: Any
    ) -> generator.DescribeGeneratorResponse:
        return generator.DescribeGeneratorResponse(
            foundation="fake",
            foundation_digest=self.foundation_digest,
            slots=16,
            max_rank=self.max_rank,
            native_width_px=NATIVE_PX,
            native_height_px=NATIVE_PX,
            prompt_template=TEMPLATE,
            negative_prompt=self.negative_prompt,
            trigger="sks",
            min_width_px=64,
            max_width_px=1024,
            min_height_px=64,
            max_height_px=1024,
            size_multiple_px=64,
            steps=STEPS,
            sampler=generator.SAMPLER_DPMPP_2M,
            adapter_guidance_scale=GUIDANCE,
            guidance_interval=INTERVAL,
            class_nouns=["person", "man", "woman"],
            vocabulary=sorted(self.vocabulary),
            window_tokens=self.window_tokens,
            **self.heads,
        )

    async def EvictAdapter(
        self, request: generator.EvictAdapterRequest, context: Any
    ) -> generator.EvictAdapterResponse:
        hold_eviction(request)
        await self.answers_evictions.wait()
        self.evicted.append(request.sha256)
        return generator.EvictAdapterResponse(evicted=True)
