"""Tracing a foundation's networks into ONNX graphs, and holding each against torch before it is accepted.

The tracer is torch's TorchScript-based one: it takes seconds where the torch.export-based one takes minutes on two
cores, and traces any number of rows and any size at once (docs/decisions/0003).

Shapes: B rows, C latent channels, H, W latent cells, T tokens, D context width, S slots, P floats of an adapter row.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch import Tensor, nn

from headshots.errors import InternalError

OPSET = 18
_PROTOBUF_LIMIT = 1_800_000_000
_TOLERANCE = {torch.float32: 1e-4, torch.float16: 2e-2}
"""Largest relative error (of norms) against torch that is accepted."""


@dataclass(frozen=True)
class Traced:
    """A network to trace.

    Attributes:
        name: file stem.
        module: the network; its parameters give the precision.
        inputs: example inputs by name, in the order of ``forward``'s parameters.
        dynamic: for each input, the names of its dynamic axes.
        output: name of the one output; ``outputs`` more, for the encoders.
        checks: other inputs (other rows, sizes, slots, banks) that the graph must agree with torch on.
    """

    name: str
    module: nn.Module
    inputs: Mapping[str, Tensor]
    dynamic: Mapping[str, Mapping[int, str]]
    outputs: Sequence[str]
    checks: Sequence[Mapping[str, Tensor]]


def trace(item: Traced, folder: Path) -> Path:
    """Write ``{name}.onnx``, checked; external data in ``{name}.onnx.data`` where one file could not hold it.

    Raises:
        InternalError: EXPORT_MISMATCH, when the graph disagrees with torch.
    """
    path = folder / f"{item.name}.onnx"
    axes = {name: dict(dynamic) for name, dynamic in item.dynamic.items()}
    # The tracer says of each Python branch that it is fixed by the trace, and that the newer exporter exists.
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            item.module,
            tuple(item.inputs.values()),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=list(item.inputs),
            output_names=list(item.outputs),
            dynamic_axes=axes,
        )
    _gather_external_data(path, item.module)
    _check(item, path)
    return path


def _gather_external_data(path: Path, module: nn.Module) -> None:
    """Put the one-file-a-tensor data that torch writes for large models into one file beside the graph."""
    if sum(p.numel() * p.element_size() for p in module.parameters()) < _PROTOBUF_LIMIT:
        return
    model = onnx.load(str(path))
    written = {
        entry.value for tensor in model.graph.initializer for entry in tensor.external_data if entry.key == "location"
    }
    onnx.save_model(model, str(path), save_as_external_data=True, location=path.name + ".data", size_threshold=1024)
    for name in written:
        (path.parent / name).unlink()


def _check(item: Traced, path: Path) -> None:
    """Compare the graph with torch on every check of ``item``."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    dtype = next(item.module.parameters()).dtype
    for inputs in item.checks:
        with torch.no_grad():
            expected = item.module(*inputs.values())
        expected = expected if isinstance(expected, tuple) else (expected,)
        found = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
        for name, one, other in zip(item.outputs, expected, found, strict=True):
            error = _relative_error(one.double().numpy(), other.astype(np.float64))
            if not error < _TOLERANCE[dtype]:
                raise InternalError(
                    "EXPORT_MISMATCH",
                    f"{path.name}: output {name} differs from torch by {error:.1e} (relative); not accepted",
                )


def _relative_error(expected: np.ndarray[Any, Any], found: np.ndarray[Any, Any]) -> float:
    if expected.shape != found.shape:
        return float("inf")
    return float(np.linalg.norm(found - expected)) / max(float(np.linalg.norm(expected)), 1e-12)
