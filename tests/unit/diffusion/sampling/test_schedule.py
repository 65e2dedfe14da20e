"""Sampler tables against diffusers' own schedulers, with a made-up model in place of the UNet."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np
import pytest
import torch

from headshots.diffusion.checking.stock_sampling import scheduler_for
from headshots.diffusion.sampling.options import SAMPLERS, sampler_of, with_spacing
from headshots.diffusion.sampling.schedule import initial_noise, make_schedule, step_noise, steps_of_share
from headshots.diffusion.sampling.tables import Schedule, denoise
from headshots.errors import InvalidArgumentError
from tests.support.diffusers_schedulers import DRAWING, InDouble

# diffusers hands torch tensors to numpy in a way that numpy 2 deprecates; not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

BASE = {"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
CONFIGS: list[dict[str, Any]] = [
    {},
    {"timestep_spacing": "leading", "steps_offset": 1, "set_alpha_to_one": False},
    {"timestep_spacing": "trailing"},
    {"timestep_spacing": "linspace", "beta_schedule": "linear"},
    {"timestep_spacing": "trailing", "rescale_betas_zero_snr": True, "prediction_type": "v_prediction"},
    {"beta_schedule": "squaredcos_cap_v2"},
]
KARRAS: list[dict[str, Any]] = [
    {"use_karras_sigmas": True},
    {"use_karras_sigmas": True, "timestep_spacing": "leading", "steps_offset": 1},
    {"use_karras_sigmas": True, "timestep_spacing": "trailing"},
    {"use_karras_sigmas": True, "final_sigmas_type": "sigma_min"},
]
OWN: dict[str, list[dict[str, Any]]] = {
    "euler": [*KARRAS, {"use_karras_sigmas": True, "sigma_min": 0.1, "sigma_max": 11.0}],
    "dpmpp_2m": [
        *KARRAS,
        {"solver_type": "heun"},
        {"euler_at_final": True, "final_sigmas_type": "sigma_min"},
        {"solver_order": 1},
        {"solver_type": "bh2"},
    ],
    "dpmpp_2m_sde": [*KARRAS, {"solver_type": "heun"}, {"lower_order_final": False, "final_sigmas_type": "sigma_min"}],
    "lcm": [{"original_inference_steps": 100, "timestep_scaling": 0.001}],
    "tcd": [{"original_inference_steps": 40}],
}
CASES = [(sampler, extra) for sampler in SAMPLERS for extra in (*CONFIGS, *OWN.get(sampler, ()))]
STEPS = (1, 2, 4, 8, 20, 30)
SHAPE = (2, 4, 8, 8)


def _model(x: torch.Tensor, t: float) -> torch.Tensor:
    """Some smooth function of sample and timestep, so that a wrong timestep or input scale shows."""
    return torch.tanh(x * (0.5 + t / 2000)) + 0.1 * x.roll(1, -1)


@functools.cache
def _noise(seed: int) -> torch.Tensor:
    return torch.from_numpy(initial_noise(seed, SHAPE)).double()


@functools.cache
def _drawn(step: int, shape: tuple[int, ...] = SHAPE) -> torch.Tensor:
    return torch.from_numpy(step_noise(3, step, shape)).double()


def _theirs(scheduler: Any, timesteps: torch.Tensor, x: torch.Tensor, eta: float | None) -> tuple[torch.Tensor, int]:
    """x after all steps, and how often noise was drawn."""
    told = {} if eta is None else {"eta": eta}
    with InDouble(_drawn) as injected:
        for t in timesteps:
            out = _model(scheduler.scale_model_input(x, t), float(t))
            x = scheduler.step(out, t, x, **told).prev_sample
    return x, injected.drawn


def _ours(table: Schedule, x: torch.Tensor) -> torch.Tensor:
    return denoise(table, x, lambda i, x: _model(x, float(table.timestep[i])), _drawn)


def _error(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def _compare(sampler: str, config: dict[str, Any], steps: int, eta: float | None = None, scheduler: Any = None) -> int:
    """How often diffusers drew noise. ``scheduler``: theirs, where it is made already."""
    scheduler = scheduler or scheduler_for(sampler, config)
    scheduler.set_timesteps(steps)
    expected, drawn = _theirs(scheduler, scheduler.timesteps, _noise(steps) * scheduler.init_noise_sigma, eta)
    table = make_schedule(config, sampler, steps, eta=eta)
    found = _ours(table, _noise(steps) * table.initial_scale)
    assert table.steps == len(scheduler.timesteps) == steps
    assert torch.isfinite(found).all()
    error = _error(found, expected)
    assert error < 1e-5, f"{steps} steps: {error:.1e}"
    return drawn


def _rounds_to_no_number(sampler: str, extra: dict[str, Any], steps: int) -> bool:
    """diffusers takes the root of less than nothing."""
    return sampler == "euler_ancestral" and extra == {"beta_schedule": "squaredcos_cap_v2"} and steps == 4


@pytest.mark.parametrize(("sampler", "extra"), CASES, ids=str)
def test_every_sampler_lands_where_diffusers_does(sampler: str, extra: dict[str, Any]) -> None:
    for prediction in ("epsilon", "v_prediction"):
        config = {**BASE, "clip_sample": False, "prediction_type": prediction, **extra}
        scheduler = scheduler_for(sampler, config)
        for steps in STEPS:
            if _rounds_to_no_number(sampler, extra, steps):
                continue
            drawn = _compare(sampler, config, steps, scheduler=scheduler)
            assert (drawn > 0) == (sampler in DRAWING and (steps > 1 or sampler not in ("lcm", "tcd")))


@pytest.mark.parametrize(("sampler", "eta"), [("ddim", 0.5), ("ddim", 1.0), ("tcd", 0.0), ("tcd", 1.0)])
def test_a_share_of_the_noise_is_drawn_anew(sampler: str, eta: float) -> None:
    for extra, steps in itertools.product(CONFIGS[:3], STEPS):
        _compare(sampler, {**BASE, "clip_sample": False, **extra}, steps, eta)


def test_a_missing_spacing_means_what_the_named_sampler_means_by_it() -> None:
    """SD 1.5's own file names no spacing; diffusers then takes each class's default."""
    for sampler in SAMPLERS:
        _compare(sampler, {**BASE, "steps_offset": 1, "set_alpha_to_one": False, "clip_sample": False}, 10)


@pytest.mark.parametrize(("sampler", "extra"), CASES, ids=str)
def test_a_source_enters_at_the_noise_level_of_diffusers(sampler: str, extra: dict[str, Any]) -> None:
    """The way of stock image-to-image pipelines: the last steps only, from the picture's own noised latents."""
    steps, clean, noise = 8, _noise(1) * 0.7, _noise(2)
    for prediction in ("epsilon", "v_prediction"):
        config = {**BASE, "clip_sample": False, "prediction_type": prediction, **extra}
        scheduler = scheduler_for(sampler, config)
        for share in (0.34, 0.75, 1.0):
            skip = steps - steps_of_share(steps, share)
            table = make_schedule(config, sampler, steps, skip)
            levels = [float(s) * clean + float(n) * noise for s, n in zip(table.signal, table.noise, strict=True)]
            # Where a mask keeps the source, it enters again at every step.
            for i in reversed(range(table.steps)):
                timesteps = _begin(scheduler, steps, skip + i)
                start = scheduler.add_noise(clean, noise, timesteps[:1])
                assert _error(levels[i], start) < 1e-5, f"step {i}"
            assert table.steps == len(timesteps) == steps - skip
            expected, _ = _theirs(scheduler, timesteps, start, None)
            assert _error(_ours(table, levels[0]), expected) < 1e-5


def _begin(scheduler: Any, steps: int, first: int) -> torch.Tensor:
    """The timesteps from the step ``first`` on, as image-to-image pipelines begin."""
    scheduler.set_timesteps(steps)
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(first)
    timesteps: torch.Tensor = scheduler.timesteps[first:]
    return timesteps


@pytest.mark.parametrize(("steps", "share", "taken"), [(20, 0.35, 7), (20, 1.0, 20), (10, 0.19, 1), (10, 0.05, 0)])
def test_steps_of_a_share_are_counted_as_diffusers_counts(steps: int, share: float, taken: int) -> None:
    assert steps_of_share(steps, share) == taken


@pytest.mark.parametrize(
    ("sampler", "wrong", "cure"),
    [
        ("ddim", {"thresholding": True}, "sampler"),
        ("ddim", {"clip_sample": True}, "sampler"),
        ("lcm", {"clip_sample": True}, "sampler"),
        ("euler", {"beta_schedule": "cubic"}, "beta_schedule"),
        ("euler", {"timestep_spacing": "random"}, "spacing"),
        ("euler", {"use_beta_sigmas": True}, "spacing"),
        ("euler", {"interpolation_type": "log_linear"}, "sampler"),
        ("dpmpp_2m", {"solver_order": 3}, "supported: 2, 1"),
        ("dpmpp_2m", {"use_lu_lambdas": True}, "spacing"),
        ("dpmpp_2m", {"use_flow_sigmas": True}, "sampler"),
        ("dpmpp_2m_sde", {"lambda_min_clipped": -5.1}, "sampler"),
        ("tcd", {"prediction_type": "sample"}, "epsilon, v_prediction"),
        ("ddim", {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}, "predicts v"),
        ("lcm", {"rescale_betas_zero_snr": True}, "predicts v"),
    ],
    ids=str,
)  # fmt: skip
def test_what_has_no_table_is_refused_by_name(sampler: str, wrong: dict[str, Any], cure: str) -> None:
    with pytest.raises(InvalidArgumentError, match=next(iter(wrong))) as caught:
        make_schedule({**BASE, **wrong}, sampler, 5)
    assert caught.value.reason == "SCHEDULER_UNSUPPORTED"
    assert cure in str(caught.value)


def test_settings_of_other_classes_mean_nothing_as_to_diffusers() -> None:
    """A folder's file serves every sampler of a request."""
    foreign = {**BASE, "use_beta_sigmas": True, "solver_order": 3, "clip_sample": False}
    for sampler in ("ddim", "euler_ancestral", "lcm", "tcd"):
        _compare(sampler, foreign, 6)


@pytest.mark.parametrize(
    ("config", "sampler"),
    [
        ({"_class_name": "DDIMScheduler"}, "ddim"),
        ({"_class_name": "EulerDiscreteScheduler"}, "euler"),
        ({"_class_name": "EulerAncestralDiscreteScheduler"}, "euler_ancestral"),
        ({"_class_name": "DPMSolverMultistepScheduler"}, "dpmpp_2m"),
        ({"_class_name": "LCMScheduler"}, "lcm"),
        ({"_class_name": "TCDScheduler"}, "tcd"),
        ({"_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "sde-dpmsolver++"}, "dpmpp_2m_sde"),
        ({"_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "deis"}, "dpmpp_2m"),
    ],
    ids=str,
)
def test_a_scheduler_is_known_by_its_class(config: dict[str, Any], sampler: str) -> None:
    assert sampler_of(config) == sampler


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"_class_name": "PNDMScheduler"}, "PNDMScheduler"),
        ({"_class_name": "UniPCMultistepScheduler"}, "UniPCMultistepScheduler"),
        ({"_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "sde-dpmsolver"}, "algorithm_type sde-dpm"),
        ({}, "no _class_name"),
    ],
    ids=str,
)
def test_a_scheduler_without_a_table_is_refused_with_the_cure(config: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidArgumentError, match=named) as caught:
        sampler_of(config)
    assert caught.value.reason == "SCHEDULER_UNSUPPORTED"
    assert "TCDScheduler" in str(caught.value)
    assert "--sampler" in str(caught.value)


def test_unknown_sampler_and_step_counts_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="ddim"):
        make_schedule(BASE, "heun", 5)
    for sampler, steps in (("ddim", 0), ("ddim", 1000), ("lcm", 51), ("tcd", 51)):
        with pytest.raises(InvalidArgumentError, match="steps"):
            make_schedule(BASE, sampler, steps)


def test_a_named_spacing_goes_before_what_the_file_says() -> None:
    """A distilled model's LoRA needs its own, whatever the foundation has."""
    file = {**BASE, "timestep_spacing": "leading", "use_karras_sigmas": True}
    trailing = {**BASE, "timestep_spacing": "trailing"}
    for sampler in ("euler", "dpmpp_2m"):
        expected = make_schedule(trailing, sampler, 4)
        assert np.array_equal(make_schedule(with_spacing(file, "trailing"), sampler, 4).timestep, expected.timestep)
    karras = make_schedule({**trailing, "use_karras_sigmas": True}, "euler", 4)
    assert np.array_equal(make_schedule(with_spacing(trailing, "karras"), "euler", 4).noise, karras.noise)


def test_an_interval_is_told_by_the_place_in_the_noise_schedule() -> None:
    """Timesteps over the last of 1000, both ends included; whatever the number of steps."""
    table = make_schedule({**BASE, "timestep_spacing": "trailing"}, "euler", 4)
    assert table.timestep.tolist() == [999, 749, 499, 249]
    assert table.guided((0.0, 1.0)) == (True,) * 4
    assert table.guided((0.4, 0.8)) == (False, True, True, False)
    assert table.after(2).guided((0.0, 499 / 999)) == (True, True)
    assert table.guided((0.76, 0.99)) == (False,) * 4


def test_noise_is_frozen_by_seed() -> None:
    """The documented rule, so that another program can draw the same noise."""
    expected = np.random.RandomState(7).standard_normal(6).astype(np.float32).reshape(1, 2, 3)
    assert np.array_equal(initial_noise(7, (1, 2, 3)), expected)
    assert np.array_equal(initial_noise(2**32 + 7, (1, 2, 3)), expected)
    assert not np.array_equal(initial_noise(8, (1, 2, 3)), expected)


def test_noise_of_a_step_is_frozen_by_seed_and_step() -> None:
    frozen = [0.60652596, -0.37069651, -0.17699671]
    assert step_noise(7, 2, (3,)).tolist() == pytest.approx(frozen, abs=1e-6)
    assert np.array_equal(step_noise(2**32 + 7, 2, (3,)), step_noise(7, 2, (3,)))
    drawn = [initial_noise(7, (64,)), *(step_noise(seed, step, (64,)) for seed in (6, 7, 8) for step in range(40))]
    assert len({noise.tobytes() for noise in drawn}) == 121, "no two steps of any seeds share noise"
    pairs = np.corrcoef(np.stack(drawn))
    assert np.abs(pairs - np.eye(121)).max() < 0.6
