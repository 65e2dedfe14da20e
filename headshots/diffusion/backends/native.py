"""Runs the UNet at the native size by graphs of its own: the context once an image, then its steps.

Shapes: B rows, T tokens, D context width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from headshots.diffusion.backends.graphs import Array, RunnableGraph

_OF_CONTEXT = ("context", "slot", "strength")
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class NativeUNet:
    """The graphs for the native size, and the one for all sizes, which is opened when the first other size comes.

    What the context gave is kept for as long as the same rows come again. One call at a time, as backends are called.
    """

    def __init__(
        self,
        cells: tuple[int, int],
        context: RunnableGraph,
        step: RunnableGraph,
        others: Callable[[], RunnableGraph],
    ) -> None:
        """``cells``: height and width of the native latents. ``others``: opens the graph for all sizes."""
        self._cells, self._step, self._open = cells, step, others
        self._projections = _Projections(context)
        self._others: RunnableGraph | None = None

    def run(self, inputs: Mapping[str, Array], resident: Mapping[str, Any] = _NOTHING) -> list[Array]:
        """Outputs in order."""
        if inputs["sample"].shape[2:] != self._cells:
            self._others = self._others or self._open()
            return self._others.run(inputs, resident)
        projected = self._projections.of({name: inputs[name] for name in _OF_CONTEXT}, resident)
        step = {name: array for name, array in inputs.items() if name != "context"}
        groups = {f"projected_{number}": array for number, array in enumerate(projected)}
        return self._step.run({**step, **groups}, resident)

    def forget(self, slot: int) -> None:
        """Another adapter lies in ``slot``."""
        self._projections.forget(slot)


class _Projections:
    """Keys and values of the rows of the last call."""

    def __init__(self, graph: RunnableGraph) -> None:
        self._graph = graph
        self._rows: dict[str, Array] = {}
        self._projected: list[Array] = []
        self._valid = np.zeros(0, bool)

    def of(self, rows: Mapping[str, Array], resident: Mapping[str, Any]) -> Sequence[Array]:
        """Of ``rows``, context, slot and strength [B, ...]: those that the last call had too are not made again."""
        if not self._are_those_before(rows):
            places = self._places(rows)
            new = np.flatnonzero(places < 0)
            made = self._graph.run({name: array[new] for name, array in rows.items()}, resident) if len(new) else []
            self._projected = [
                self._joined(group, places, made[number] if made else None)
                for number, group in enumerate(self._projected or made)
            ]
            self._rows = {name: array.copy() for name, array in rows.items()}
            self._valid = np.ones(len(places), bool)
        return self._projected

    def forget(self, slot: int) -> None:
        """Rows of ``slot`` are to be made again."""
        if len(self._valid):
            self._valid &= self._rows["slot"] != slot

    def _are_those_before(self, rows: Mapping[str, Array]) -> bool:
        """At most steps they are, and this is quick."""
        if len(self._valid) != len(rows["slot"]) or not self._valid.all():
            return False
        return all(np.array_equal(self._rows[name], array) for name, array in rows.items())

    def _places(self, rows: Mapping[str, Array]) -> Array:
        """Where each of ``rows`` was in the last call, -1 for those that were not there."""
        return np.asarray([self._place(number, rows) for number in range(len(rows["slot"]))])

    def _place(self, number: int, rows: Mapping[str, Array]) -> int:
        if not len(self._valid):
            return -1
        same = self._valid & (self._rows["slot"] == rows["slot"][number])
        same &= self._rows["strength"] == rows["strength"][number]
        candidates = np.flatnonzero(same)
        # Most rows are where they were.
        ordered = sorted(candidates, key=lambda place: place != number)
        context_TD = rows["context"][number]
        return next((int(p) for p in ordered if np.array_equal(self._rows["context"][p], context_TD)), -1)

    @staticmethod
    def _joined(known: Array, places: Array, made: Array | None) -> Array:
        found: Array = np.empty((len(places), *known.shape[1:]), known.dtype)
        old = places >= 0
        found[old] = known[places[old]]
        if made is not None:
            found[~old] = made
        return found
