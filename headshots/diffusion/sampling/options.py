"""Tells which schedulers of diffusers have tables here, and which of their settings do; refuses the others by name.

Where a scheduler or a setting has no table, nothing is put in its place: the images would be those of another sampler.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headshots.errors import InvalidArgumentError

KARRAS = "karras"
"""A spacing: sigmas as in equation 5 of arXiv 2206.00364."""
_EVEN = ("leading", "trailing", "linspace")
_DPM = "DPMSolverMultistepScheduler"
# Other ways to place sigmas than by timesteps; at most one of them is on.
_SIGMA_SPACINGS = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas")
_Only = Mapping[str, tuple[Any, ...]]

# Settings that change a rule, and their values that have tables; the first is what a missing one means. A missing
# clip_sample means no clipping: latents have no bounds to clip to (diffusers' DDIM class alone would assume otherwise).
_EVERY: _Only = {"prediction_type": ("epsilon", "v_prediction")}
_UNCLIPPED: _Only = {**_EVERY, "thresholding": (False,), "clip_sample": (False,)}
_EULER: _Only = {
    **_EVERY,
    "use_exponential_sigmas": (False, None),
    "use_beta_sigmas": (False, None),
    "interpolation_type": ("linear",),
    "timestep_type": ("discrete",),
    "final_sigmas_type": ("zero", "sigma_min"),
}
_DPMPP: _Only = {
    **_EVERY,
    "thresholding": (False,),
    "use_exponential_sigmas": (False, None),
    "use_beta_sigmas": (False, None),
    "use_lu_lambdas": (False, None),
    "use_flow_sigmas": (False, None),
    "use_dynamic_shifting": (False,),
    "solver_order": (2, 1),
    # The last three are other solvers' names for it, which diffusers takes for midpoint too.
    "solver_type": ("midpoint", "heun", "logrho", "bh1", "bh2"),
    "final_sigmas_type": ("zero", "sigma_min"),
    "lambda_min_clipped": (-float("inf"), None),
    "variance_type": (None,),
}


@dataclass(frozen=True)
class Sampler:
    """A sampler that has tables.

    Attributes:
        scheduler: the class of diffusers that it equals.
        algorithm_types: of that class, what means it; empty: the class has no such setting.
        spacings: how its steps may be spread; none: it has steps of its own.
        defaults: what its class takes where a setting is missing.
        only: settings that change its rule, and which of their values have tables.
        eta: the share of the noise that is drawn anew at each step, 0 to 1, where nobody says it; None: it has no such
            setting.
    """

    scheduler: str
    only: _Only
    algorithm_types: tuple[str, ...] = ()
    spacings: tuple[str, ...] = _EVEN
    defaults: Mapping[str, Any] = field(default_factory=dict)
    eta: float | None = None


_LINSPACE: Mapping[str, Any] = {"timestep_spacing": "linspace"}
_DISTILLED: Mapping[str, Any] = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
SAMPLERS: Mapping[str, Sampler] = {
    "ddim": Sampler("DDIMScheduler", _UNCLIPPED, defaults={"timestep_spacing": "leading"}, eta=0.0),
    "euler": Sampler("EulerDiscreteScheduler", _EULER, spacings=(*_EVEN, KARRAS), defaults=_LINSPACE),
    "euler_ancestral": Sampler("EulerAncestralDiscreteScheduler", _EVERY, defaults=_LINSPACE),
    # diffusers takes deis for dpmsolver++ in this class.
    "dpmpp_2m": Sampler(_DPM, _DPMPP, ("dpmsolver++", "deis"), (*_EVEN, KARRAS), _LINSPACE),
    "dpmpp_2m_sde": Sampler(_DPM, _DPMPP, ("sde-dpmsolver++",), (*_EVEN, KARRAS), _LINSPACE),
    "lcm": Sampler("LCMScheduler", _UNCLIPPED, spacings=(), defaults=_DISTILLED),
    "tcd": Sampler("TCDScheduler", _UNCLIPPED, spacings=(), defaults=_DISTILLED, eta=0.3),
}
SPACINGS = (*_EVEN, KARRAS)
USUAL = "dpmpp_2m"
"""What to name where a scheduler has no table: good portraits in 20 to 30 steps, without fresh noise."""


def sampler_of(config: Mapping[str, Any], where: object = "scheduler_config.json", cure: str = "") -> str:
    """The sampler that a ``scheduler_config.json`` means by its class.

    Args:
        config: what the file holds.
        where: what an error names.
        cure: what an error says last, where the caller knows better than this.

    Raises:
        InvalidArgumentError: SCHEDULER_UNSUPPORTED.
    """
    named, kind = str(config.get("_class_name", "no _class_name")), str(config.get("algorithm_type", "dpmsolver++"))
    for name, sampler in SAMPLERS.items():
        if named == sampler.scheduler and (not sampler.algorithm_types or kind in sampler.algorithm_types):
            return name
    what = f"{named} of algorithm_type {kind}" if named == _DPM else named
    supported = sorted({sampler.scheduler for sampler in SAMPLERS.values()})
    raise InvalidArgumentError(
        "SCHEDULER_UNSUPPORTED",
        f"{where}: {what} has no table here, and none is put in its place; supported are {', '.join(supported)} "
        f"(algorithm_type dpmsolver++ or sde-dpmsolver++). {cure or _name_one()}",
    )


def check_options(config: Mapping[str, Any], sampler: str, where: object = "scheduler_config.json") -> None:
    """Refuse a setting that would change ``sampler``'s rule and has no table; ``where``: what the error names.

    Raises:
        InvalidArgumentError: SAMPLER_UNKNOWN, SCHEDULER_UNSUPPORTED.
    """
    if sampler not in SAMPLERS:
        raise InvalidArgumentError("SAMPLER_UNKNOWN", f"sampler {sampler!r}; known are {', '.join(SAMPLERS)}")
    known = SAMPLERS[sampler]
    allowed: _Only = {"timestep_spacing": _EVEN, **known.only} if known.spacings else known.only
    for key, values in allowed.items():
        if (value := config.get(key, values[0])) not in values:
            raise InvalidArgumentError(
                "SCHEDULER_UNSUPPORTED",
                f"{where}: {key}={value!r} has no table for the sampler {sampler}; supported: "
                f"{', '.join(map(str, values))}. {_cure(key)}",
            )


def _cure(key: str) -> str:
    if key in _SIGMA_SPACINGS or key == "timestep_spacing":
        return f"Name a `spacing` in headshots.yaml: {', '.join(SPACINGS)}"
    if key == "prediction_type":
        return "Models that predict something else cannot be painted with"
    return f"{_name_one()}, or change the setting"


def _name_one() -> str:
    return f"Name a sampler in headshots.yaml, or at the import with --sampler: {', '.join(SAMPLERS)}"


def with_spacing(config: Mapping[str, Any], spacing: str) -> dict[str, Any]:
    """The scheduler's configuration with another of :data:`SPACINGS`, as diffusers' classes read it."""
    others = {key: value for key, value in config.items() if key not in _SIGMA_SPACINGS}
    return {**others, "use_karras_sigmas": True} if spacing == KARRAS else {**others, "timestep_spacing": spacing}
