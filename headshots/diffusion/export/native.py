"""Traces a UNet for one size on a CPU, in two graphs: what no step changes, and a step.

The keys and values of the context depend on the prompt and the adapter alone. One graph makes them, once an image; the
other takes them. With a size that is known, shapes are constants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from headshots.diffusion.banked.unet import BankedUNet
from headshots.diffusion.export.external_data import signature
from headshots.diffusion.export.graphs import Traceable, trace
from headshots.diffusion.export.told_shapes import tell_shapes
from headshots.diffusion.package_files import CONTEXT, NATIVE_STEP

_OF_CONTEXT = ("context", "slot", "strength", "bank")
_OF_STEP = ("sample", "timestep", "slot", "strength", "bank")
_MORE = ("pooled", "time_ids")
_TRACED, _CHECKED = 2, (1, 3)
"""Rows of the call that is traced, and of those that are checked."""


class _Context(nn.Module):
    """:meth:`BankedUNet.project` as a network."""

    def __init__(self, banked: BankedUNet) -> None:
        super().__init__()
        self.banked = banked

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return self.banked.project(*inputs)


class _Step(nn.Module):
    """:meth:`BankedUNet.predict` as a network; the context's ``groups`` come after the bank."""

    def __init__(self, banked: BankedUNet, groups: int) -> None:
        super().__init__()
        self.banked = banked
        self._groups = groups

    def forward(self, *inputs: Tensor) -> Tensor:
        sample, timestep, slot, strength, bank, *more = inputs
        projected, added = more[: self._groups], more[self._groups :]
        return self.banked.predict(sample, timestep, slot, strength, bank, projected, *added)


def trace_native(banked: BankedUNet, calls: Mapping[int, Mapping[str, Tensor]], folder: Path) -> None:
    """Write both graphs, checked against the UNet as a whole.

    ``calls``: inputs by name of a call of :data:`_TRACED` rows and of those that are checked, by their rows.

    Raises:
        InternalError: EXPORT_MISMATCH.
    """
    with torch.no_grad():
        expected = [(banked(*calls[rows].values()),) for rows in _CHECKED]
        projected = {rows: banked.project(*(call[name] for name in _OF_CONTEXT)) for rows, call in calls.items()}
    groups = [f"projected_{number}" for number in range(len(projected[_TRACED]))]
    contexts = {rows: {name: call[name] for name in _OF_CONTEXT} for rows, call in calls.items()}
    steps = {
        rows: {name: call[name] for name in _OF_STEP}
        | dict(zip(groups, projected[rows], strict=True))
        | {name: call[name] for name in _MORE if name in call}
        for rows, call in calls.items()
    }
    _trace(CONTEXT, _Context(banked), contexts, groups, [projected[rows] for rows in _CHECKED], folder)
    _trace(NATIVE_STEP, _Step(banked, len(groups)), steps, ["prediction"], expected, folder)


def graphs_of(folder: Path) -> dict[str, Any]:
    """What ``engine.json`` says of the graphs: those for CPUs alone by their names, of the others what they take."""
    natives = tuple(name for name in (CONTEXT, NATIVE_STEP) if (folder / name).is_file())
    others = [path for path in sorted(folder.glob("*.onnx")) if path.name not in natives]
    return {"native_graphs": natives, "graphs": {path.name: signature(path) for path in others}}


def _trace(
    file: str,
    module: nn.Module,
    calls: Mapping[int, Mapping[str, Tensor]],
    outputs: Sequence[str],
    expected: Sequence[tuple[Tensor, ...]],
    folder: Path,
) -> None:
    example = calls[_TRACED]
    arrays = [{name: tensor.numpy() for name, tensor in calls[rows].items()} for rows in (_TRACED, _CHECKED[-1])]
    trace(
        Traceable(
            name=Path(file).stem,
            module=module,
            inputs=example,
            dynamic={name: {0: "rows"} for name in (*example, *outputs) if name != "bank"},
            outputs=outputs,
            checks=[calls[rows] for rows in _CHECKED],
            expected=expected,
            changed=partial(tell_shapes, calls=arrays),
        ),
        folder,
    )
