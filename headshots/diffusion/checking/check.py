"""Checks a foundation's engine package: the same images by stock diffusers and by the engine, stage by stage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headshots.diffusion.checking.painting import ADAPTERS, SideFacts, Stages, Task
from headshots.diffusion.child_errors import error_of
from headshots.diffusion.foundations.foundation import foundation_digest
from headshots.diffusion.package import EnginePackage
from headshots.errors import InvalidArgumentError, UnavailableError

LEAST_DB = {"fp32": 60.0, "fp16": 30.0}
"""What each stage and the image must reach, by the package's precision."""
STAGES = ("text encoders", "UNet, first step", "UNet and sampler, all steps", "VAE decoder")
"""In the order in which one feeds the next."""
_SHOWN_LINES = 20


@dataclass(frozen=True)
class Comparison:
    """One image of both sides.

    Attributes:
        adapter: ``bare`` or ``adapter``.
        psnr_db: of the images, of 8 bits; infinite where they are equal.
        stages_db: signal-to-noise ratio of each of :data:`STAGES`, the decoder's on the same latents.
        stock_seconds, engine_seconds: of the painting.
    """

    adapter: str
    psnr_db: float
    stages_db: dict[str, float]
    stock_seconds: float
    engine_seconds: float

    def differing(self, least_db: float) -> str | None:
        """The first stage that is below ``least_db``, or the image; None: all reach it."""
        stage = next((name for name in STAGES if not self.stages_db[name] >= least_db), None)
        return stage or (None if self.psnr_db >= least_db else "image")


@dataclass(frozen=True)
class Report:
    """What a check has found.

    Attributes:
        images: without an adapter, and with a random one.
        stock, engine: what the sides tell of themselves.
        least_db: what was to be reached.
        adapter_shows_db: PSNR of stock's two images; where it is as high as the limit, the second says nothing.
    """

    images: tuple[Comparison, ...]
    stock: SideFacts
    engine: SideFacts
    least_db: float
    adapter_shows_db: float

    @property
    def passed(self) -> bool:
        """Whether every stage of every image reaches the limit."""
        return all(image.differing(self.least_db) is None for image in self.images)


def check_foundation(task: Task, least_db: float, tell: Callable[[str], object]) -> Report:
    """Paint by both sides, each in a process of its own, and compare.

    Args:
        task: what to paint; its ``work`` is not looked at.
        least_db: what every stage and the image must reach.
        tell: gets a line before each side.

    Raises:
        InvalidArgumentError: CHECK_OTHER_FOUNDATION; FOUNDATION_*, ENGINE_*, PROVIDER_*.
        HeadshotsError: what else the backend raises.
        UnavailableError: CHECK_FAILED, with the end of what a side's process said.
    """
    package = EnginePackage.read(Path(task.package))
    if package.foundation_digest != foundation_digest(Path(task.foundation)):
        raise InvalidArgumentError(
            "CHECK_OTHER_FOUNDATION",
            f"{task.package} was exported from another foundation than {task.foundation}, or that has changed since; "
            "export it again",
        )
    with tempfile.TemporaryDirectory(prefix="headshots-check-") as work:
        shared = replace(task, work=work)
        tell("painting by the engine")
        engine = _run("engine", shared)
        tell("painting by stock diffusers")
        return compare(shared, _run("stock", shared), engine, least_db)


def compare(task: Task, stock: SideFacts, engine: SideFacts, least_db: float) -> Report:
    """What both sides have left in ``task.work``."""
    images = tuple(_compare(task, number, stock, engine) for number in range(len(ADAPTERS)))
    bare, adapted = (Stages.load(task.stages("stock", adapter)).pixels_HWC for adapter in ADAPTERS)
    return Report(images, stock, engine, least_db, psnr_db(bare, adapted))


def _run(side: str, task: Task) -> SideFacts:
    command = [sys.executable, "-m", "headshots.diffusion.checking", side, task.to_json(), str(os.getpid())]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = done.stdout.splitlines()
    if (raised := next(filter(None, map(error_of, lines)), None)) is not None:
        raise raised
    told = next((line for line in lines if line.startswith("side\t")), None)
    if done.returncode != 0 or told is None:
        end = "\n".join(lines[-_SHOWN_LINES:])
        raise UnavailableError("CHECK_FAILED", f"the {side}'s process ended with status {done.returncode}: {end}")
    value: dict[str, Any] = json.loads(told.partition("\t")[2])
    return SideFacts(**value)


def _compare(task: Task, number: int, stock: SideFacts, engine: SideFacts) -> Comparison:
    adapter = ADAPTERS[number]
    theirs, ours = (Stages.load(task.stages(side, adapter)) for side in ("stock", "engine"))
    decoded = np.load(task.decoded(adapter))
    ratios = (
        ratio_db(theirs.context_TD, ours.context_TD),
        ratio_db(theirs.first_2CHW, ours.first_2CHW),
        ratio_db(theirs.latents_CHW, ours.latents_CHW),
        psnr_db(decoded, ours.pixels_HWC),
    )
    return Comparison(
        adapter,
        psnr_db(theirs.pixels_HWC, ours.pixels_HWC),
        dict(zip(STAGES, ratios, strict=True)),
        stock.seconds[number],
        engine.seconds[number],
    )


def psnr_db(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of two images of 8 bits, in dB."""
    error = float(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def ratio_db(true: npt.NDArray[Any], found: npt.NDArray[Any]) -> float:
    """Signal-to-noise ratio in dB; minus infinity where something is no number."""
    signal = float(np.mean(np.square(true, dtype=np.float64)))
    error = float(np.mean(np.square(true.astype(np.float64) - found.astype(np.float64))))
    if not (np.isfinite(signal) and np.isfinite(error)):
        return float("-inf")
    return float("inf") if error == 0 else 10 * float(np.log10(signal / error)) if signal else float("-inf")
