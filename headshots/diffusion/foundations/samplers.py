"""Reads how a foundation is sampled: its scheduler's file, and what ``headshots.yaml`` says instead."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from headshots.diffusion.foundations.files import SETTINGS, invalid_foundation, is_count, short
from headshots.diffusion.sampling.options import SAMPLERS, USUAL, check_options, sampler_of, with_spacing
from headshots.diffusion.sampling.schedule import make_schedule
from headshots.diffusion.sampling.tables import COEFFICIENTS
from headshots.errors import InvalidArgumentError

_STEPS = 25
# What requests may ask for, and of trained timesteps what tables are made of.
_MOST_STEPS, _MOST_TRAINED = 150, 100_000
_COUNTED: Mapping[str, int] = {"num_train_timesteps": 1000, "original_inference_steps": 1}
SCHEDULER = "scheduler/scheduler_config.json"
GUIDED_THROUGHOUT = (0.0, 1.0)
"""The interval of guidance that is all of the noise schedule."""


def read_sampling(
    path: Path, family: str, settings: Mapping[str, Any], scheduler: Mapping[str, Any], source: str = ""
) -> dict[str, Any]:
    """``prediction_type``, ``scheduler``, ``sampler``, ``steps``, ``eta`` and ``guidance_interval`` of a foundation.

    The tables of its steps are made once, so that what has none is refused here, and not by every request.

    Args:
        path: its folder, which errors name.
        family: ``sd15`` or ``sdxl``.
        settings: ``headshots.yaml``.
        scheduler: ``scheduler_config.json``.
        source: what the operator calls the foundation; default: the path.

    Raises:
        InvalidArgumentError: FOUNDATION_INVALID, FOUNDATION_SETTINGS_INVALID, SCHEDULER_UNSUPPORTED.
    """
    kind = _prediction_type(path, scheduler)
    sampler = _sampler(path, settings, scheduler, source or str(path))
    read = _with_settings(path, settings, _as_its_pipeline(family, scheduler), sampler)
    check_options(read, sampler, path / SCHEDULER)
    steps, eta = settings.get("steps", _STEPS), _eta(path, settings, sampler)
    _check_tables(path, read, sampler, steps, eta)
    return {
        "prediction_type": kind,
        "scheduler": read,
        "sampler": sampler,
        "steps": steps,
        "eta": eta,
        "guidance_interval": _interval(path, settings),
    }


def _with_settings(path: Path, settings: Mapping[str, Any], read: dict[str, Any], sampler: str) -> dict[str, Any]:
    """The scheduler's configuration with what ``headshots.yaml`` says of the steps."""
    if (spacing := settings.get("spacing")) is not None:
        possible = SAMPLERS[sampler].spacings
        if spacing not in possible:
            rule = f"{', '.join(possible)} are possible" if possible else "it has steps of its own; leave spacing out"
            raise _wrong(path, f"spacing is {spacing!r} and the sampler {sampler}: {rule}")
        read = with_spacing(read, spacing)
    if (taught := settings.get("original_inference_steps")) is not None:
        if SAMPLERS[sampler].spacings or taught < 1:
            raise _wrong(path, f"original_inference_steps is {taught}; lcm and tcd have some, 1 or more")
        read = {**read, "original_inference_steps": taught}
    return read


def _check_tables(path: Path, scheduler: Mapping[str, Any], sampler: str, steps: int, eta: float | None) -> None:
    trained, taught = (scheduler.get(key, least) for key, least in _COUNTED.items())
    if not is_count(trained) or trained > _MOST_TRAINED or not is_count(taught) or taught > trained:
        raise invalid_foundation(
            path / SCHEDULER,
            f"num_train_timesteps is {short(trained)} and original_inference_steps {short(taught)}; numbers from 1 to "
            f"{_MOST_TRAINED} are needed, the latter not above the former",
        )
    if not 1 <= steps <= _MOST_STEPS:
        raise _wrong(path, f"steps is {steps}; 1 to {_MOST_STEPS} is possible")
    try:
        with np.errstate(all="ignore"):
            table = make_schedule(scheduler, sampler, steps, eta=eta)
    except InvalidArgumentError as error:
        raise _wrong(path, f"steps: {error.message}") if error.reason == "STEPS_INVALID" else error from error
    except (TypeError, ValueError, ArithmeticError) as error:
        raise invalid_foundation(path / SCHEDULER, f"it has no numbers where they are needed ({error})") from error
    if not all(np.isfinite(getattr(table, name)).all() for name in COEFFICIENTS):
        raise invalid_foundation(path / SCHEDULER, "its betas make no noise schedule: some level is no number")


def _as_its_pipeline(family: str, scheduler: Mapping[str, Any]) -> dict[str, Any]:
    """As diffusers' StableDiffusionPipeline corrects older files: an offset of one, and nothing is clipped."""
    return {**scheduler, "steps_offset": 1, "clip_sample": False} if family == "sd15" else dict(scheduler)


def _prediction_type(path: Path, scheduler: Mapping[str, Any]) -> str:
    kind = scheduler.get("prediction_type", "epsilon")
    if kind not in ("epsilon", "v_prediction"):
        raise invalid_foundation(
            path / "scheduler", f"prediction_type {kind!r}; epsilon and v_prediction are supported"
        )
    return str(kind)


def _sampler(path: Path, settings: Mapping[str, Any], scheduler: Mapping[str, Any], source: str) -> str:
    if "sampler" not in settings:
        return sampler_of(scheduler, path / SCHEDULER, _name_one(path, source))
    if settings["sampler"] not in SAMPLERS:
        raise _wrong(path, f"sampler {settings['sampler']!r}; known are {', '.join(SAMPLERS)}")
    return str(settings["sampler"])


def _name_one(path: Path, source: str) -> str:
    """What to type where a folder's scheduler has no table, as that of Stable Diffusion 1.5 itself, PNDM."""
    others = ", ".join(name for name in SAMPLERS if name != USUAL)
    if (path / SETTINGS).is_file():
        return f"Add the line `sampler: {USUAL}` to {source}/{SETTINGS}; instead of {USUAL} also {others}"
    command = f"headshots foundation import {shlex.quote(source)} --sampler {USUAL} --out FOLDER"
    return f"Type `{command}`, and name that folder as the foundation; instead of {USUAL} also {others}"


def _eta(path: Path, settings: Mapping[str, Any], sampler: str) -> float | None:
    if (eta := settings.get("eta")) is None:
        return None
    if not 0 <= eta <= 1:
        raise _wrong(path, f"eta is {eta:g}; 0 to 1 is possible")
    if SAMPLERS[sampler].eta is None:
        having = ", ".join(name for name, each in SAMPLERS.items() if each.eta is not None)
        raise _wrong(path, f"eta means nothing to the sampler {sampler}; {having} have one")
    return float(eta)


def _interval(path: Path, settings: Mapping[str, Any]) -> tuple[float, float]:
    ends = settings.get("guidance_interval", list(GUIDED_THROUGHOUT))
    numbers = [end for end in ends if isinstance(end, int | float) and not isinstance(end, bool)]
    if len(numbers) == len(ends) == 2 and 0 <= numbers[0] < numbers[1] <= 1:
        return float(numbers[0]), float(numbers[1])
    raise _wrong(path, f"guidance_interval is {short(ends)}; two numbers from 0 to 1, the lower first, are needed")


def _wrong(path: Path, why: str) -> InvalidArgumentError:
    return InvalidArgumentError("FOUNDATION_SETTINGS_INVALID", f"{path / SETTINGS}: {why}")
