"""Checks a request against the engine's limits and fills in its defaults.

Shapes: N images of a request, C latent channels, H, W latent cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from headshots.diffusion.package import EnginePackage
from headshots.diffusion.sampling.schedule import initial_noise, make_schedule, steps_of_share
from headshots.diffusion.sampling.tables import Schedule
from headshots.errors import FieldViolation, InvalidArgumentError
from services.generator.requests.request import DEFAULT_QUALITY, GenerationRequest, Source

FloatArray = npt.NDArray[np.float32]

_REPAINT = 0.8
"""Share of the steps that repaint a whole picture, as stock image-to-image pipelines have it; under a mask all do."""


@dataclass(frozen=True, eq=False)
class Plan:
    """A request with its defaults filled in and its numbers checked against the engine.

    Attributes:
        steps: of the whole schedule.
        schedule: of the steps that are taken; with a source these may be the last ones only.
        starts_from_noise: whether the masked region starts from noise alone, so that nothing of the source shows
            through.
        guidance: its scale, at the steps that have it.
        interval: where in the noise schedule those lie, see :meth:`.Schedule.guided`.
        strength, negative_strength: of the adapter where the prompt is seen, and where the negative one is.
        given_noise_NCHW: what the caller brought; None draws it from the seeds.
    """

    request: GenerationRequest
    steps: int
    schedule: Schedule
    guidance: float
    interval: tuple[float, float]
    strength: float
    negative_strength: float
    width_px: int
    height_px: int
    quality: int
    latent_shape: tuple[int, int, int]
    starts_from_noise: bool
    given_noise_NCHW: FloatArray | None

    @cached_property
    def guided(self) -> tuple[bool, ...]:
        """For each step that is taken whether it has guidance."""
        return self.schedule.guided(self.interval) if self.guidance > 1 else (False,) * self.schedule.steps

    @property
    def rows(self) -> int:
        """Rows of a UNet call that one image takes, at most: guidance needs the negative prompt's beside."""
        return 2 if any(self.guided) else 1

    @property
    def row_steps(self) -> int:
        """Rows that one image takes over all its steps."""
        return self.schedule.steps + sum(self.guided)

    def drawing_seed(self, index: int) -> int:
        """The seed of what image ``index`` draws at its steps; its number where the caller brought the noise."""
        return (self.request.seed + index) % 2**32

    def seed(self, index: int) -> int:
        """The seed of image ``index``; 0 where the caller brought the noise."""
        return 0 if self.given_noise_NCHW is not None else self.drawing_seed(index)

    def noise_CHW(self, index: int) -> FloatArray:
        """What image ``index`` starts from, of unit variance."""
        if self.given_noise_NCHW is not None:
            given_CHW: FloatArray = self.given_noise_NCHW[index]
            return given_CHW
        return initial_noise(self.seed(index), self.latent_shape)


def make_plan(request: GenerationRequest, package: EnginePackage) -> Plan:
    """Fill in defaults and check against the engine.

    ``request.noise`` is float32, little-endian, [N, C, H, W] for the images and the size that are asked for.

    Raises:
        InvalidArgumentError: SIZE_INVALID, STEPS_INVALID, REPAINT_TOO_LITTLE, NOISE_INVALID, OUTPUT_PREFIX_INVALID,
            GUIDANCE_INTERVAL_INVALID, with the fields; SCHEDULER_UNSUPPORTED, for another sampler than the package's.
    """
    width, height = request.width_px or package.native_width_px, request.height_px or package.native_height_px
    _check_sizes(width, height, package)
    _check_prefix(request.output_prefix)
    steps, share_of_steps = request.steps or package.steps, _share_of_steps(request.source)
    schedule = make_schedule(
        package.scheduler,
        request.sampler or package.sampler,
        steps,
        steps - _steps_taken(steps, share_of_steps),
        eta=package.eta,
    )
    factor = package.vae_scale_factor
    shape = (package.latent_channels, height // factor, width // factor)
    strength, negative_strength = _strengths(request, package)
    return Plan(
        request=request,
        steps=steps,
        schedule=schedule,
        guidance=_guidance(request, package, strength),
        interval=_interval(request, package),
        strength=strength,
        negative_strength=negative_strength,
        width_px=width,
        height_px=height,
        quality=request.quality or DEFAULT_QUALITY,
        latent_shape=shape,
        starts_from_noise=share_of_steps == 1 and request.source is not None and request.source.mask is not None,
        given_noise_NCHW=_given_noise(request, shape) if request.noise else None,
    )


def _strengths(request: GenerationRequest, package: EnginePackage) -> tuple[float, float]:
    """Of the adapter, where the prompt is seen, and where the negative one is."""
    strength = package.adapter_strength if request.adapter_strength is None else request.adapter_strength
    share = package.negative_adapter_share if request.negative_adapter_share is None else request.negative_adapter_share
    return strength, strength * share


def _guidance(request: GenerationRequest, package: EnginePackage, strength: float) -> float:
    """Its scale. An adapter at strength 0 is the bare foundation, in this too."""
    if request.guidance_scale is not None:
        return request.guidance_scale
    bare = request.adapter is None or strength == 0
    return package.guidance_scale if bare else package.adapter_guidance_scale


def _interval(request: GenerationRequest, package: EnginePackage) -> tuple[float, float]:
    if request.guidance_interval is None:
        return package.guidance_interval
    low, high = request.guidance_interval
    if not 0 <= low < high <= 1:
        rule = "two numbers from 0 to 1, the lower first"
        raise InvalidArgumentError(
            "GUIDANCE_INTERVAL_INVALID",
            f"guidance from {low:g} to {high:g} of the noise schedule; send {rule}",
            violations=[FieldViolation("guidance_interval", rule)],
        )
    return low, high


def _share_of_steps(source: Source | None) -> float:
    """Share of the steps that are taken."""
    if source is None:
        return 1.0
    if source.repaint is not None:
        return source.repaint
    return _REPAINT if source.mask is None else 1.0


def _steps_taken(steps: int, share: float) -> int:
    taken = steps_of_share(steps, share)
    if taken < 1:
        raise InvalidArgumentError(
            "REPAINT_TOO_LITTLE",
            f"a share of {share:g} of {steps} steps is less than one step; ask for more steps or repaint more",
            violations=[FieldViolation("source.repaint", f"at least {1 / steps:.3g} with {steps} steps")],
        )
    return taken


def _given_noise(request: GenerationRequest, shape: tuple[int, int, int]) -> FloatArray:
    """The caller's noise, [N, C, H, W]."""
    wanted = (request.images, *shape)
    size = 4 * int(np.prod(wanted))
    if request.seed:
        raise _bad_noise("noise and a seed exclude each other", "leave seed at 0")
    if len(request.noise) != size:
        raise _bad_noise(
            f"the noise has {len(request.noise)} bytes, {' x '.join(map(str, wanted))} float32 take {size}",
            f"{size} bytes: image, channel, row, column",
        )
    noise = np.frombuffer(request.noise, "<f4").astype(np.float32).reshape(wanted)
    if not np.isfinite(noise).all():
        raise _bad_noise("the noise has numbers that are not finite", "finite numbers, best standard normal ones")
    return noise


def _bad_noise(message: str, rule: str) -> InvalidArgumentError:
    return InvalidArgumentError("NOISE_INVALID", f"{message}; send {rule}", violations=[FieldViolation("noise", rule)])


def _check_sizes(width_px: int, height_px: int, package: EnginePackage) -> None:
    multiple, wrong = package.size_multiple_px, []
    for field, size, (smallest, largest) in (
        ("width_px", width_px, package.width_range_px),
        ("height_px", height_px, package.height_range_px),
    ):
        if size % multiple or not smallest <= size <= largest:
            rule = f"use a multiple of {multiple} from {smallest} to {largest}"
            wrong.append(FieldViolation(field, f"{size} px; {rule}"))
    if wrong:
        rules = "; ".join(f"{violation.field}: {violation.description}" for violation in wrong)
        raise InvalidArgumentError(
            "SIZE_INVALID", f"this engine cannot paint {width_px} x {height_px}: {rules}", violations=wrong
        )


def _check_prefix(prefix: str) -> None:
    """Only plain folders: no way out of the owner's prefix."""
    if prefix and any(part in ("", ".", "..") for part in prefix.split("/")):
        raise InvalidArgumentError(
            "OUTPUT_PREFIX_INVALID",
            f"output_prefix {prefix!r}; use folders without empty parts, . or ..",
            violations=[FieldViolation("output_prefix", "a path of plain folder names, no slash at either end")],
        )
