"""Traces a foundation's networks into ONNX graphs, and checks each against torch before it is accepted.

The tracer is torch's TorchScript-based one: it takes seconds where the torch.export-based one takes minutes on two
cores, and traces any number of rows and any size at once (docs/decisions/0003).

Shapes: B rows, C latent channels, H, W latent cells, T tokens, D context width, S slots, P floats of an adapter row.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from torch import Tensor, nn

from headshots.diffusion.export.external_data import externalize, pin_outputs
from headshots.errors import InternalError

OPSET = 18
PROTOBUF_LIMIT = 1_800_000_000
"""Bytes of weights above which they move out of the graph's file, which can hold 2 GiB at most."""
_TOLERANCE = {torch.float32: 1e-4, torch.float16: 2e-2}
"""Largest relative error (of norms) against torch that is accepted."""


@dataclass(frozen=True)
class Traceable:
    """A network to trace.

    Attributes:
        name: file stem.
        module: the network; its parameters give the precision.
        inputs: example inputs by name, in the order of ``forward``'s parameters.
        dynamic: for each input and output, the names of its dynamic axes.
        outputs: names of the outputs, in order.
        checks: other inputs (other rows, sizes, slots, banks) that the graph must agree with torch on.
        expected: what torch answers to each check; empty: what ``module`` answers.
        changed: changes the graph's file, before it is checked.
    """

    name: str
    module: nn.Module
    inputs: Mapping[str, Tensor]
    dynamic: Mapping[str, Mapping[int, str]]
    outputs: Sequence[str]
    checks: Sequence[Mapping[str, Tensor]]
    expected: Sequence[tuple[Tensor, ...]] = ()
    changed: Callable[[Path], None] | None = None


def trace(item: Traceable, folder: Path) -> Path:
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
    with torch.no_grad():
        # Before a session is there: torch's intermediate results and a second copy of the weights need not both fit.
        expected = item.expected or [_as_tuple(item.module(*inputs.values())) for inputs in item.checks]
    pin_outputs(
        path, {name: tensor.shape for name, tensor in zip(item.outputs, expected[0], strict=True)}, item.dynamic
    )
    if item.changed is not None:
        item.changed(path)
    externalize(path, limit=PROTOBUF_LIMIT)
    _check(item, path, expected)
    return path


def _check(item: Traceable, path: Path, expected: Sequence[tuple[Tensor, ...]]) -> None:
    """Compare the graph with what torch answers to every check of ``item``."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    # Packed weights are a second copy of them all, which a check of seconds does not earn back.
    options.add_session_config_entry("session.disable_prepacking", "1")
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    lost = set(item.inputs) - {given.name for given in session.get_inputs()}
    if lost:
        raise _mismatch(path, f"the tracer took its input {', '.join(sorted(lost))} for a constant")
    tolerance = _TOLERANCE[next(item.module.parameters()).dtype]
    for inputs, wanted in zip(item.checks, expected, strict=True):
        found = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
        for name, one, other in zip(item.outputs, wanted, found, strict=True):
            error = _relative_error(one.double().numpy(), other.astype(np.float64))
            if not error < tolerance:
                raise _mismatch(path, f"output {name} differs from torch by {error:.1e} (relative)")


def _mismatch(path: Path, why: str) -> InternalError:
    return InternalError(
        "EXPORT_MISMATCH",
        f"{path.name}: {why}; not accepted. Report it with the model's config.json: it is a defect of the export",
    )


def _as_tuple(output: Any) -> tuple[Tensor, ...]:
    return output if isinstance(output, tuple) else (output,)


def _relative_error(expected: np.ndarray[Any, Any], found: np.ndarray[Any, Any]) -> float:
    if expected.shape != found.shape:
        return float("inf")
    return float(np.linalg.norm(found - expected)) / max(float(np.linalg.norm(expected)), 1e-12)
