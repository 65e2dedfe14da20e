"""Sampler tables against diffusers' own schedulers, with a made-up model in place of the UNet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler

from headshots.diffusion.sampling.schedule import Schedule, initial_noise, make_schedule, steps_of_share
from headshots.errors import InvalidArgumentError

# diffusers hands torch tensors to numpy in a way that numpy 2 deprecates; not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

BASE = {"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
CLASSES = {"ddim": DDIMScheduler, "euler": EulerDiscreteScheduler, "dpmpp_2m": DPMSolverMultistepScheduler}
CONFIGS: list[dict[str, Any]] = [
    {},
    {"timestep_spacing": "leading", "steps_offset": 1, "set_alpha_to_one": False},
    {"timestep_spacing": "trailing"},
    {"timestep_spacing": "linspace", "beta_schedule": "linear"},
    {"timestep_spacing": "trailing", "rescale_betas_zero_snr": True, "prediction_type": "v_prediction"},
    {"beta_schedule": "squaredcos_cap_v2"},
]
SIGMA_CONFIGS: list[dict[str, Any]] = [
    {"use_karras_sigmas": True},
    {"use_karras_sigmas": True, "timestep_spacing": "leading", "steps_offset": 1},
    {"use_karras_sigmas": True, "timestep_spacing": "trailing"},
    {"final_sigmas_type": "sigma_min"},
    {"solver_type": "heun"},
    {"euler_at_final": True},
]


def _model(x: torch.Tensor, t: float) -> torch.Tensor:
    """Some smooth function of sample and timestep, so that a wrong timestep or input scale shows."""
    return torch.tanh(x * (0.5 + t / 2000)) + 0.1 * x.roll(1, -1)


def _theirs(sampler: str, config: dict[str, Any], steps: int, noise: torch.Tensor) -> torch.Tensor:
    scheduler = CLASSES[sampler].from_config(config)
    scheduler.set_timesteps(steps)
    x = noise * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        x = scheduler.step(_model(scheduler.scale_model_input(x, t), float(t)), t, x).prev_sample
    return x


def _ours(sampler: str, config: dict[str, Any], steps: int, noise: torch.Tensor) -> torch.Tensor:
    table = make_schedule(config, sampler, steps)
    return _run(table, noise * table.initial_scale)


def _run(table: Schedule, x: torch.Tensor) -> torch.Tensor:
    previous = torch.zeros_like(x)
    for i in range(table.steps):
        out = _model(x * float(table.input_scale[i]), float(table.timestep[i]))
        d = float(table.p[i]) * x + float(table.q[i]) * out
        x = float(table.a[i]) * x + float(table.b[i]) * d + float(table.c[i]) * previous
        previous = d
    return x


@pytest.mark.parametrize("steps", [1, 2, 7, 14, 15, 30])
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("sampler", list(CLASSES))
@pytest.mark.parametrize("extra", CONFIGS, ids=str)
def test_every_sampler_lands_where_diffusers_does(
    sampler: str, extra: dict[str, Any], prediction: str, steps: int
) -> None:
    config = {**BASE, "clip_sample": False, "prediction_type": prediction, **extra}
    _compare(sampler, config, steps)


@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m"])
@pytest.mark.parametrize("extra", SIGMA_CONFIGS, ids=str)
@pytest.mark.parametrize("steps", [3, 20])
def test_settings_of_the_sigma_samplers(sampler: str, extra: dict[str, Any], steps: int) -> None:
    _compare(sampler, {**BASE, **extra}, steps)


def test_a_missing_spacing_means_what_the_named_sampler_means_by_it() -> None:
    """SD 1.5's own file names no spacing; diffusers then takes each class's default."""
    for sampler in CLASSES:
        _compare(sampler, {**BASE, "steps_offset": 1, "set_alpha_to_one": False, "clip_sample": False}, 10)


def _compare(sampler: str, config: dict[str, Any], steps: int) -> None:
    noise = torch.from_numpy(initial_noise(steps, (2, 4, 8, 8)))
    expected, found = _theirs(sampler, config, steps, noise), _ours(sampler, config, steps, noise)
    assert torch.isfinite(found).all()
    error = float((found - expected).norm() / expected.norm())
    # diffusers' Euler adds and takes away sigmas of thousands in single precision, and loses digits that we keep.
    vanishing = config.get("rescale_betas_zero_snr") or config["beta_schedule"] == "squaredcos_cap_v2"
    assert error < (3e-3 if sampler == "euler" and vanishing else 1e-4), f"{error:.1e}"


@pytest.mark.parametrize("share", [0.34, 0.75, 1.0])
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("sampler", list(CLASSES))
@pytest.mark.parametrize("extra", CONFIGS[:4], ids=str)
def test_a_source_enters_at_the_noise_level_of_diffusers(
    sampler: str, extra: dict[str, Any], prediction: str, share: float
) -> None:
    """The way of stock image-to-image pipelines: the last steps only, from the picture's own noised latents."""
    config = {**BASE, "clip_sample": False, "prediction_type": prediction, **extra}
    steps = 12
    skip = steps - steps_of_share(steps, share)
    clean = torch.from_numpy(initial_noise(1, (2, 4, 8, 8))) * 0.7
    noise = torch.from_numpy(initial_noise(2, (2, 4, 8, 8)))
    scheduler = CLASSES[sampler].from_config(config)
    scheduler.set_timesteps(steps)
    timesteps = scheduler.timesteps[skip:]
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(skip)
    expected = start = scheduler.add_noise(clean, noise, timesteps[:1])
    table = make_schedule(config, sampler, steps, skip)
    assert table.steps == len(timesteps) == steps - skip
    kept = []
    for i, t in enumerate(timesteps):
        out = _model(scheduler.scale_model_input(expected, t), float(t))
        expected = scheduler.step(out, t, expected).prev_sample
        if i + 1 < len(timesteps):
            kept.append(scheduler.add_noise(clean, noise, timesteps[i + 1 : i + 2]))
    levels = [float(s) * clean + float(n) * noise for s, n in zip(table.signal, table.noise, strict=True)]
    for found, wanted in zip(levels, [start, *kept], strict=True):
        assert float((found - wanted).norm() / wanted.norm()) < 1e-5
    found = _run(table, levels[0])
    assert float((found - expected).norm() / expected.norm()) < 1e-4


@pytest.mark.parametrize(("steps", "share", "taken"), [(20, 0.35, 7), (20, 1.0, 20), (10, 0.19, 1), (10, 0.05, 0)])
def test_steps_of_a_share_are_counted_as_diffusers_counts(steps: int, share: float, taken: int) -> None:
    assert steps_of_share(steps, share) == taken


@pytest.mark.parametrize(
    "wrong",
    [
        {"thresholding": True},
        {"clip_sample": True},
        {"beta_schedule": "cubic"},
        {"timestep_spacing": "random"},
        {"use_beta_sigmas": True},
    ],
    ids=str,
)
def test_what_is_not_implemented_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        make_schedule({**BASE, **wrong}, "euler", 5)
    assert caught.value.reason == "SCHEDULER_UNSUPPORTED"


def test_unknown_sampler_and_step_counts_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="ddim"):
        make_schedule(BASE, "heun", 5)
    for steps in (0, 1000):
        with pytest.raises(InvalidArgumentError, match="steps"):
            make_schedule(BASE, "ddim", steps)


def test_noise_is_frozen_by_seed() -> None:
    """The documented rule, so that another program can draw the same noise."""
    expected = np.random.RandomState(7).standard_normal(6).astype(np.float32).reshape(1, 2, 3)
    assert np.array_equal(initial_noise(7, (1, 2, 3)), expected)
    assert np.array_equal(initial_noise(2**32 + 7, (1, 2, 3)), expected)
    assert not np.array_equal(initial_noise(8, (1, 2, 3)), expected)
