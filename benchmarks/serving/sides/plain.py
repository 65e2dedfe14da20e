"""Exports the UNet without a bank, and merges adapters into its weights: what a team would run on ONNX Runtime.

The exporter is ours, with its fused projections and told shapes: the peer gets what does not need the bank. Only the
context's keys and values are made at every step, as in any UNet that is exported whole.

I inputs, O outputs, N outputs of several joined layers, R rank.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from diffusers import UNet2DConditionModel
from onnx import numpy_helper
from torch import Tensor, nn

from benchmarks.serving.sides.calls import random_call
from headshots.diffusion.banked.unet import without_bank
from headshots.diffusion.export.graphs import Traceable, trace
from headshots.diffusion.export.told_shapes import tell_shapes
from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.lora.files import read_pairs
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.package_files import SMALL_BYTES

Array = npt.NDArray[Any]


class _Whole(nn.Module):
    """The UNet as the export changes it, without adapters."""

    def __init__(self, unet: nn.Module) -> None:
        super().__init__()
        self.unet: Any = unet
        self.context = without_bank(unet)

    def forward(self, sample_BCHW: Tensor, timestep_B: Tensor, context_BTD: Tensor) -> Tensor:
        prediction: Tensor = self.unet(sample_BCHW, timestep_B, context_BTD, return_dict=False)[0]
        return prediction


class _Step(_Whole):
    """The same, whose keys and values of the context are made."""

    def forward(self, sample_BCHW: Tensor, timestep_B: Tensor, *projected: Tensor) -> Tensor:
        self.context.give(projected)
        # Some context is wanted, and not read.
        return super().forward(sample_BCHW, timestep_B, projected[0])


def export_plain(foundation: Foundation, package: EnginePackage, folder: Path, lora: bytes = b"") -> Path:
    """The foundation's UNet at its native size, checked as every export is, only without a bank; once a folder.

    ``lora``: a file that is merged into the weights first.
    """
    path = folder / "unet_without_bank.onnx"
    if path.is_file():
        return path
    unet = _load(foundation)
    if lora:
        _merge(unet, lora, package)
    module = _Whole(unet).requires_grad_(False)
    return _trace(path, module, [_tensors(random_call(package, rows)) for rows in (2, 3)])


def export_plain_step(foundation: Foundation, package: EnginePackage, folder: Path) -> Path:
    """The same of what a package has for a CPU: a step, which is given the context's keys and values."""
    path = folder / "step_without_bank.onnx"
    if path.is_file():
        return path
    module = _Step(_load(foundation)).requires_grad_(False)
    calls = [_tensors(random_call(package, rows)) for rows in (2, 3)]
    for call in calls:
        projected = module.unet.context_projections.projected(call.pop("context"))
        call.update({f"projected_{number}": tensor for number, tensor in enumerate(projected)})
    return _trace(path, module, calls)


def _load(foundation: Foundation) -> nn.Module:
    unet: nn.Module = UNet2DConditionModel.from_pretrained(foundation.path / "unet", torch_dtype=torch.float32).eval()
    return unet


def _tensors(arrays: Mapping[str, Array]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _trace(path: Path, module: nn.Module, calls: Sequence[Mapping[str, Tensor]]) -> Path:
    """Traced with the first call, checked with the second, its shapes told as those of our own graphs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dynamic = {name: {0: "rows"} for name in (*calls[0], "prediction")}
    arrays = [{name: tensor.numpy() for name, tensor in call.items()} for call in calls]
    told = partial(tell_shapes, calls=arrays) if sum(p.nbytes for p in module.parameters()) <= SMALL_BYTES else None
    return trace(Traceable(path.stem, module, calls[0], dynamic, ["prediction"], calls[1:], changed=told), path.parent)


def _merge(unet: nn.Module, lora: bytes, package: EnginePackage) -> None:
    """Add a LoRA to the weights of the layers that it adapts."""
    for name, pair in read_pairs(lora, package.layout, package.foundation_digest).items():
        weight: Any = unet.get_submodule(name).weight
        delta = torch.from_numpy(np.float32(pair.scale) * (pair.b_OR @ pair.a_RI))
        weight.data += delta.reshape(weight.shape)


@dataclass(frozen=True)
class _Place:
    """Where a layer's weights are: ``rows`` of a tensor of the graph, once that is turned to [N, I]."""

    tensor: str
    turned: bool
    rows: slice


class Merger:
    """Puts adapters into a graph's weights. Finds each layer's by their values: joined layers have lost their names."""

    def __init__(self, path: Path, foundation: Foundation, package: EnginePackage) -> None:
        self._package = package
        self._model = onnx.load(str(path))
        tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in self._model.graph.initializer}
        weights = UNet2DConditionModel.from_pretrained(foundation.path / "unet", torch_dtype=torch.float32).state_dict()
        sites = {site.name: weights[f"{site.name}.weight"].numpy() for site in package.layout.sites}
        self._places = {name: _place(tensors, weight) for name, weight in sites.items()}
        self._weights = {place.tensor: tensors[place.tensor] for place in self._places.values()}

    def merged(self, data: bytes) -> bytes:
        """The graph with the LoRA file ``data`` in its weights."""
        pairs = read_pairs(data, self._package.layout, self._package.foundation_digest)
        changed = {name: np.array(weight) for name, weight in self._weights.items()}
        for name, pair in pairs.items():
            place = self._places[name]
            weight_NI = _turned(changed[place.tensor], place.turned)
            weight_NI[place.rows] += np.float32(pair.scale) * (pair.b_OR @ pair.a_RI)
        for tensor in self._model.graph.initializer:
            if tensor.name in changed:
                tensor.raw_data = changed[tensor.name].tobytes()
        graph: bytes = self._model.SerializeToString()
        return graph


def _place(tensors: Mapping[str, Array], weight: Array) -> _Place:
    weight_OI = weight.reshape(len(weight), -1)
    for name, tensor in tensors.items():
        for turned in (False, True):
            tensor_NI = _as_matrix(tensor, turned)
            if tensor_NI is None or tensor_NI.shape[1] != weight_OI.shape[1]:
                continue
            # A joined layer's parts need not be equally large: wherever the first row is.
            for start in np.flatnonzero((tensor_NI == weight_OI[0]).all(axis=1)):
                rows = slice(int(start), int(start) + len(weight_OI))
                if np.array_equal(tensor_NI[rows], weight_OI):
                    return _Place(name, turned, rows)
    raise AssertionError("a layer's weights are nowhere in the graph")


def _as_matrix(tensor: Array, turned: bool) -> Array | None:
    if tensor.ndim == 2:
        return tensor.T if turned else tensor
    pointwise = tensor.ndim == 4 and tensor.shape[2:] == (1, 1)
    return tensor[:, :, 0, 0] if pointwise and not turned else None


def _turned(tensor: Array, turned: bool) -> Array:
    matrix = _as_matrix(tensor, turned)
    assert matrix is not None
    return matrix
