"""The UNet at its native size: the same predictions from graphs of its own, and contexts that are made once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from headshots.diffusion.backends import OnnxRuntimeBackend, OnnxRuntimeOptions, UNetBatch
from headshots.diffusion.backends.native import NativeUNet
from headshots.diffusion.package import EnginePackage
from tests.support.foundations.engines import tiny_package, tiny_sdxl_package

Array = np.ndarray[Any, Any]


def batch(package: EnginePackage, rows: int, cells: tuple[int, int] = (8, 8)) -> UNetBatch:
    random, sdxl = np.random.default_rng(rows), package.family == "sdxl"
    return UNetBatch(
        random.standard_normal((rows, 4, *cells), dtype=np.float32),
        random.integers(0, 1000, rows).astype(np.float32),
        random.standard_normal((rows, package.window_tokens, package.context_width), dtype=np.float32),
        np.arange(rows, dtype=np.int64) % package.slots,
        np.linspace(0.5, 1.5, rows, dtype=np.float32),
        random.standard_normal((rows, 24), dtype=np.float32) if sdxl else None,
        np.full((rows, 6), 64, np.float32) if sdxl else None,
    )


@pytest.mark.parametrize("made", [tiny_package, tiny_sdxl_package])
def test_predictions_are_those_of_the_graph_for_all_sizes(made: Any) -> None:
    package = made()
    options, random = OnnxRuntimeOptions(threads=1), np.random.default_rng(0)
    native, general = (
        OnnxRuntimeBackend(package, options),
        OnnxRuntimeBackend(replace(package, native_graphs=()), options),
    )
    rows = [random.standard_normal(package.layout.row_size).astype(np.float32) * 0.05 for _ in range(4)]
    for backend in (native, general):
        for slot in range(1, package.slots):
            backend.write_slot(slot, rows[slot])
    for given in (batch(package, 3), batch(package, 5), batch(package, 3, (8, 16))):
        one, other = native.unet(given), general.unet(given)
        assert np.linalg.norm(one - other) < 1e-5 * np.linalg.norm(other)
    # Another adapter in a slot of a row that was there before.
    given = batch(package, 3)
    before = native.unet(given)
    for backend in (native, general):
        backend.write_slot(1, rows[0])
    after = native.unet(given)
    assert np.linalg.norm(after - general.unet(given)) < 1e-5 * np.linalg.norm(after)
    assert not np.allclose(before[1], after[1])
    assert np.array_equal(before[[0, 2]], after[[0, 2]])


class Fake:
    """A graph that remembers what it was asked, and answers what ``answer`` makes of it."""

    def __init__(self, answer: Any) -> None:
        self.calls: list[dict[str, Array]] = []
        self._answer = answer

    def run(self, inputs: Mapping[str, Array], resident: Mapping[str, Any] = {}) -> list[Array]:
        self.calls.append({name: array.copy() for name, array in inputs.items()})
        return self._answer(inputs)  # type: ignore[no-any-return]


def context_of(inputs: Mapping[str, Array]) -> list[Array]:
    mark = inputs["context"].sum((1, 2)) + 100 * inputs["slot"] + 1000 * inputs["strength"]
    return [mark[:, None], -mark[:, None]]


def rows_of(*rows: tuple[int, int, float]) -> dict[str, Array]:
    """Of each row its context's value, its slot and its strength."""
    values, slots, strengths = zip(*rows, strict=True)
    return {
        "sample": np.zeros((len(rows), 4, 2, 2), np.float32),
        "context": np.asarray(values, np.float32)[:, None, None] * np.ones((1, 2, 3), np.float32),
        "slot": np.asarray(slots),
        "strength": np.asarray(strengths, np.float32),
    }


def test_a_context_is_projected_once_for_as_long_as_its_row_is_there() -> None:
    context, step = Fake(context_of), Fake(lambda inputs: [inputs["projected_0"], inputs["projected_1"]])
    unet = NativeUNet((2, 2), context, step, lambda: Fake(lambda _: []))
    a, b, c, stronger, elsewhere = (1, 1, 1.0), (2, 1, 1.0), (3, 2, 1.0), (1, 1, 0.5), (1, 2, 1.0)
    made = 0
    for rows, new in [
        ([a, b], 2),
        ([a, b], 0),
        ([c, a, b], 1),  # one joins before the others
        ([b, c], 0),  # one leaves
        ([b, a], 1),
        ([a, stronger, elsewhere], 2),  # the same prompt with less of the adapter, and for another one
        ([b, b], 2),  # a lone row is doubled
        ([b, b], 0),
    ]:
        given = rows_of(*rows)
        found = unet.run(given)
        expected = context_of(given)
        assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))
        assert sum(len(call["slot"]) for call in context.calls) - made == new, rows
        made += new
    unet.forget(2)
    unet.run(rows_of(b, b))
    assert sum(len(call["slot"]) for call in context.calls) == made, "no row of that slot is there"
    unet.forget(1)
    unet.run(rows_of(b, b))
    assert sum(len(call["slot"]) for call in context.calls) == made + 2
    assert all("context" not in call for call in step.calls)


def test_other_sizes_take_the_graph_for_all_opened_once() -> None:
    opened: list[Fake] = []

    def general() -> Fake:
        opened.append(Fake(lambda inputs: [inputs["sample"]]))
        return opened[-1]

    unet = NativeUNet((2, 2), Fake(context_of), Fake(lambda inputs: [inputs["slot"]]), general)
    unet.run(rows_of((1, 1, 1.0)))
    assert opened == []
    for _ in range(2):
        wide = {**rows_of((1, 1, 1.0)), "sample": np.zeros((1, 4, 2, 4), np.float32)}
        assert unet.run(wide)[0].shape == (1, 4, 2, 4)
    assert len(opened) == 1
    assert len(opened[0].calls) == 2
