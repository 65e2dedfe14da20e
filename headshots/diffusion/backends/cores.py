"""Spreads a call's rows over the cores of a CPU.

A small network has many layers that take microseconds each: threads that share every layer wait for each other a
thousand times a call, and the one on the busier core holds up all. So each core takes some of the rows through the
whole network, alone. Only where there are fewer rows than cores do all of them work on the layers of one call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from headshots.diffusion.backends.providers import OnnxRuntimeOptions
from headshots.processes.cpus import usable_cpus

Array = npt.NDArray[np.generic]
Arrays = Mapping[str, Array]
Resident = Mapping[str, ort.OrtValue]
Open = Callable[[OnnxRuntimeOptions], ort.InferenceSession]

_NOTHING: Resident = {}


class Graph:
    """One graph of the package in one session."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session

    def run(self, inputs: Arrays, resident: Resident = _NOTHING) -> list[Array]:
        """Outputs in order. ``inputs`` are copied to the device; ``resident`` are inputs that are there already."""
        binding = self._session.io_binding()
        # Named, so that they live until the run is over: a binding does not own them.
        arrays = {name: np.ascontiguousarray(array) for name, array in inputs.items()}
        for name, array in arrays.items():
            binding.bind_cpu_input(name, array)
        for name, value in resident.items():
            binding.bind_ortvalue_input(name, value)
        for output in self._session.get_outputs():
            binding.bind_output(output.name, "cpu")
        self._session.run_with_iobinding(binding)
        outputs: list[Array] = binding.copy_outputs_to_cpu()
        return outputs


class Cores:
    """A thread a core, for the parts of calls. The graphs of one backend share them, so that no core has two tasks."""

    def __init__(self, threads: int) -> None:
        """``threads``: 0 takes one for each CPU that this process may use, by its affinity and its quota."""
        self.threads = threads or usable_cpus()
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="core")

    def open(self, opened: Open, options: OnnxRuntimeOptions, least_rows: int) -> Graph:
        """A graph that spreads its rows; all of its inputs and its only output have rows first.

        ``least_rows``: of any call, so that a session for fewer rows than cores, which holds the weights once more, is
        opened only where it is used.
        """
        if self.threads == 1:
            return Graph(opened(replace(options, threads=1)))
        few = Graph(opened(replace(options, threads=self.threads))) if least_rows < self.threads else None
        return _Spread(opened(replace(options, threads=1)), few, self)

    def run(self, calls: list[Callable[[], Array]]) -> list[Array]:
        """What each of ``calls`` returns; ended all of them, also where one fails."""
        futures = [self._pool.submit(call) for call in calls]
        wait(futures)
        return [future.result() for future in futures]


class _Spread(Graph):
    """Rows over cores; ``few`` takes calls of fewer rows than cores."""

    def __init__(self, session: ort.InferenceSession, few: Graph | None, cores: Cores) -> None:
        super().__init__(session)
        self._few = few
        self._cores = cores

    def run(self, inputs: Arrays, resident: Resident = _NOTHING) -> list[Array]:
        rows = len(next(iter(inputs.values())))
        if self._few is not None and rows < self._cores.threads:
            return self._few.run(inputs, resident)
        count = min(rows, self._cores.threads)
        ends = [rows * part // count for part in range(count + 1)]
        parts = [{name: array[begin:end] for name, array in inputs.items()} for begin, end in pairwise(ends)]
        return [np.concatenate(self._cores.run([self._call(part, resident) for part in parts]))]

    def _call(self, part: Arrays, resident: Resident) -> Callable[[], Array]:
        return lambda: super(_Spread, self).run(part, resident)[0]
