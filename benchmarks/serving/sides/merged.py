"""(e) Serves as the strongest rival without a bank would: LoRA merged into ONNX Runtime sessions, one a subject.

Text encoder and decoder are the package's own graphs; the sampler is ours. So only the UNet differs.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from benchmarks.serving.sides.calls import Timed, noise_of, random_call, resident_bytes
from benchmarks.serving.sides.plain import Merger, export_plain
from benchmarks.serving.sides.side import Spec
from benchmarks.serving.world import Subject, Wanted
from headshots.diffusion.backends import OnnxRuntimeOptions
from headshots.diffusion.backends.cores import Graph
from headshots.diffusion.backends.providers import session_options_for
from headshots.diffusion.sampling.schedule import make_schedule
from headshots.diffusion.sampling.tables import Schedule, rows_at_once
from headshots.diffusion.text import ContextEncoder
from services.generator.images import encoding


class Merged:
    """A process with a session for each subject that it was asked for."""

    def __init__(self, spec: Spec) -> None:
        world, package = spec.world, spec.world.package
        self._world, self._package = world, package
        self._options = OnnxRuntimeOptions(threads=spec.threads)
        self._merger = Merger(export_plain(world.foundation, package, world.plain_folder), world.foundation, package)
        self._sessions: dict[str, Graph] = {}
        encoders = [self._open(package.folder / encoder.graph) for encoder in package.text_encoders]
        self._text = ContextEncoder(package.folder, package.text_encoders, encoders)
        self._decoder = self._open(package.folder / package.vae_decoder)
        self._call = random_call(package)

    async def paint(self, wanted: Sequence[Wanted]) -> list[bytes]:
        """The PNG of each, all of one subject."""
        unet, schedule = self._session(wanted[0].subject), self._schedule()
        context_BTD = np.stack(
            [self._text.encode("").context_TD for _ in wanted]
            + [self._text.encode(one.prompt).context_TD for one in wanted]
        )
        latents_NCHW: Any = noise_of(wanted, self._package) * np.float32(schedule.initial_scale)
        clean_NCHW = np.zeros_like(latents_NCHW)
        rows, fresh = 2 * len(wanted), np.zeros_like(latents_NCHW)
        for step in range(schedule.steps):
            scaled_NCHW = latents_NCHW * schedule.input_scale[step]
            inputs = {
                "sample": np.concatenate([scaled_NCHW, scaled_NCHW]),
                "timestep": np.full(rows, schedule.timestep[step], np.float32),
                "context": context_BTD,
            }
            prediction: Any = unet.run(inputs)[0]
            negative, positive = prediction[: len(wanted)], prediction[len(wanted) :]
            guided = negative + np.float32(self._world.guidance) * (positive - negative)
            at_once = rows_at_once([schedule] * len(wanted), [step] * len(wanted))
            latents_NCHW, clean_NCHW = at_once.step(latents_NCHW, guided, clean_NCHW, fresh)
        return [encoding.encode(pixels, "png") for pixels in self._decoder.run({"latents": latents_NCHW})[0]]

    async def cold(self, subject: Subject) -> Timed:
        """From the file to the first UNet call's prediction, in a session made for it."""
        begin = time.perf_counter()
        session = self._made(subject)
        loaded = time.perf_counter()
        prediction: Any = session.run(self._call)[0]
        return Timed(time.perf_counter() - begin, loaded - begin, prediction)

    async def resident(self, subjects: int) -> int:
        """Bytes of memory that each of so many subjects takes: its session, once it has served a call."""
        sessions = [self._made(self._world.subjects[0])]
        sessions[0].run(self._call)
        before = resident_bytes()
        for number in range(subjects):
            sessions.append(self._made(self._world.subjects[number % len(self._world.subjects)]))
            sessions[-1].run(self._call)
        return (resident_bytes() - before) // subjects

    def _session(self, subject: Subject) -> Graph:
        """Kept from its first use on."""
        if subject.name not in self._sessions:
            self._sessions[subject.name] = self._made(subject)
        return self._sessions[subject.name]

    def _made(self, subject: Subject) -> Graph:
        return self._open(self._merger.merged(subject.data))

    def _open(self, graph: Path | bytes) -> Graph:
        given = graph if isinstance(graph, bytes) else str(graph)
        return Graph(ort.InferenceSession(given, session_options_for(self._options)))

    def _schedule(self) -> Schedule:
        package = self._package
        return make_schedule(package.scheduler, package.sampler, self._world.steps, eta=package.eta)
