"""benchmarks/tensorrt.py counts what was built, and what stopped a build."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks import tensorrt
from benchmarks.tensorrt import Tally
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.tensorrt.rtx.building import Built
from headshots.errors import InvalidArgumentError, UnavailableError
from tests.support.foundations.engines import tiny_package

FELL_BACK = InvalidArgumentError("ENGINE_PRECISION", "x: FP16 became FP32")
UNKNOWN = InvalidArgumentError("ENGINE_NODE_UNSUPPORTED", "Unique")
CRASHED = UnavailableError("ENGINE_BUILD_FAILED", "status -11")


@pytest.mark.parametrize(
    ("ends", "share", "fallen"),
    [
        ([None, None], 1.0, 0),
        ([None, FELL_BACK], 5 / 8, 1),
        ([UNKNOWN, FELL_BACK], 2 / 8, 2),
        ([CRASHED, None], 5 / 8, 0),
    ],
)
def test_what_stops_a_build_lowers_the_share_and_counts_where_a_node_fell_back(
    monkeypatch: pytest.MonkeyPatch, ends: list[Exception | None], share: float, fallen: int
) -> None:
    left = list(ends)

    def build(package: EnginePackage, targets: Any, memory: int, told: Callable[[Built], None]) -> None:
        graphs, error = sorted(package.graphs), left.pop(0)
        assert all((package.folder / name).is_file() for name in package.files)
        for graph in graphs if error is None else graphs[:1]:
            told(Built(graph, 100, 1.0, 10**9))
        if error is not None:
            raise error

    monkeypatch.setattr(tensorrt, "build_engines", build)
    tally = Tally()
    for target in ("sm89", "sm120"):
        tally.add("tiny", tiny_package(), (target,))
    assert tally.figures() == {"graphs_built": pytest.approx(share), "layers_fallen_back": fallen}
    assert [each["message"] for each in tally.failed] == [error.message for error in ends if error is not None]
