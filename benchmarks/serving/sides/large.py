"""Merges an adapter into a UNet that is too large for a graph in one file: before it is traced."""

from __future__ import annotations

import time
from typing import Any

import onnxruntime as ort

from benchmarks.serving.sides.calls import Timed, random_call
from benchmarks.serving.sides.plain import export_plain
from benchmarks.serving.sides.side import Spec
from benchmarks.serving.world import Subject
from headshots.diffusion.backends import OnnxRuntimeOptions
from headshots.diffusion.backends.cores import Graph
from headshots.diffusion.backends.providers import session_options_for


class MergedLarge:
    """One session, of the world's first subject."""

    def __init__(self, spec: Spec) -> None:
        world = spec.world
        path = export_plain(world.foundation, world.package, world.plain_folder, world.subjects[0].data)
        self._package = world.package
        options = session_options_for(OnnxRuntimeOptions(threads=spec.threads))
        self._unet = Graph(ort.InferenceSession(str(path), options))

    async def cold(self, subject: Subject) -> Timed:
        """A call of two rows; the subject's session is there."""
        return await self.call(2)

    async def call(self, rows: int) -> Timed:
        """One UNet call."""
        inputs = random_call(self._package, rows)
        begin = time.perf_counter()
        prediction: Any = self._unet.run(inputs)[0]
        return Timed(time.perf_counter() - begin, 0.0, prediction)
