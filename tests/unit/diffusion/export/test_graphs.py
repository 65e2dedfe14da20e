"""Traced graphs: checked against torch before they are accepted, and without nodes that only the tracer needs."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
import torch

from headshots.diffusion.export.graphs import Traceable, trace
from headshots.errors import InternalError
from tests.support.foundations.engines import tiny_package


class Branching(torch.nn.Module):
    """A branch on a value, of which the tracer sees one side."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor, bank: torch.Tensor) -> torch.Tensor:
        return x * self.weight + bank.sum() if float(x.sum()) > 0 else -x


class Remembering(Branching):
    """Adapters kept where the tracer takes them for constants."""

    def forward(self, x: torch.Tensor, bank: torch.Tensor) -> torch.Tensor:
        return x * self.weight + float(bank.sum())


@pytest.mark.parametrize(("network", "sign"), [(Branching, -1.0), (Remembering, 1.0)])
def test_a_graph_that_disagrees_with_torch_is_not_accepted(
    tmp_path: Path, network: type[torch.nn.Module], sign: float
) -> None:
    """What the tracer bakes in must not go unseen: it is checked on other values and another bank."""
    traced = {"x": torch.ones(2), "bank": torch.ones(3)}
    check = {"x": sign * torch.ones(3), "bank": 2 * torch.ones(3)}
    item = Traceable("network", network(), traced, {"x": {0: "n"}, "y": {0: "n"}}, ["y"], [check])
    with pytest.raises(InternalError) as caught:
        trace(item, tmp_path)
    assert caught.value.reason == "EXPORT_MISMATCH"


def test_adapters_are_found_without_a_node_for_each_index() -> None:
    """What the tracer makes of `unbind` and `flatten` would be as right and cost a tenth of the bank's time."""
    nodes = onnx.load(tiny_package().folder / "unet.onnx", load_external_data=False).graph.node
    splits = [node for node in nodes if any(attribute.name == "num_outputs" for attribute in node.attribute)]
    taken = {name for node in splits for name in node.output}
    readers = [node.op_type for node in nodes if taken & set(node.input)]
    assert readers == ["Gather"] * len(taken), "each index is used as it comes"
    alone = [site for site in tiny_package().layout.sites if site.heads == 1]
    assert len(taken) > len(alone), "A and B of nearly every layer that is adapted alone"
