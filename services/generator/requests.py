"""What the generator is asked and what it answers, without protobuf; and the checks against the engine's limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headshots.diffusion.package import EnginePackage
from headshots.diffusion.schedule import Schedule, make_schedule
from headshots.errors import FieldViolation, InvalidArgumentError
from services.generator.adapters import AdapterRef
from services.generator.images import DEFAULT_QUALITY


@dataclass(frozen=True)
class PaintRequest:
    """Images to paint. Zero, empty and None take the foundation's default.

    ``seed`` 0 to 2^32-1, image i takes ``seed + i``; ``extension`` png, jpg or webp; ``deadline_seconds``: time left
    for the whole request, None for no limit; ``output_prefix``: where in the object store images go, empty to answer
    their bytes.
    """

    tenant: str
    prompt: str
    adapter: AdapterRef | None = None
    strength: float = 1.0
    negative_prompt: str = ""
    seed: int = 0
    steps: int = 0
    guidance_scale: float | None = None
    width_px: int = 0
    height_px: int = 0
    sampler: str = ""
    extension: str = "png"
    quality: int = 0
    images: int = 1
    preview_every: int = 0
    output_prefix: str = ""
    high: bool = False
    deadline_seconds: float | None = None


@dataclass(frozen=True)
class Plan:
    """A request with its defaults filled in and its numbers checked against the engine."""

    request: PaintRequest
    schedule: Schedule
    guidance: float
    width_px: int
    height_px: int
    quality: int
    latent_shape: tuple[int, int, int]

    @property
    def rows(self) -> int:
        """Rows of a UNet call that one image takes: classifier-free guidance needs the empty prompt's beside."""
        return 2 if self.guidance > 1 else 1

    def seed(self, index: int) -> int:
        """The seed of image ``index``."""
        return (self.request.seed + index) % 2**32


@dataclass(frozen=True)
class Queued:
    """Accepted; ``place``: requests ahead."""

    place: int


@dataclass(frozen=True)
class Started:
    """Every image of the request has its rows; ``queue_seconds``: how long it waited."""

    queue_seconds: float


@dataclass(frozen=True)
class StepDone:
    """Image ``index`` has ``step`` of ``total_steps`` steps done; ``preview``: a small JPEG where asked for."""

    index: int
    step: int
    total_steps: int
    preview: bytes = b""


@dataclass(frozen=True)
class Painted:
    """Image ``index``: ``content`` or, where a prefix was given, ``key``."""

    index: int
    content: bytes
    key: str
    sha256: str
    size_bytes: int
    content_type: str
    width_px: int
    height_px: int
    seed: int


Event = Queued | Started | StepDone | Painted


def make_plan(request: PaintRequest, package: EnginePackage) -> Plan:
    """Fill in defaults and check against the engine.

    Raises:
        InvalidArgumentError: SIZE_INVALID, STEPS_INVALID, OUTPUT_PREFIX_INVALID, with the fields.
    """
    width, height = request.width_px or package.native_width_px, request.height_px or package.native_height_px
    _check_sizes({"width_px": width, "height_px": height}, package)
    _check_prefix(request.output_prefix)
    schedule = make_schedule(package.scheduler, request.sampler or package.sampler, request.steps or package.steps)
    factor = package.vae_scale_factor
    given = request.guidance_scale
    return Plan(
        request=request,
        schedule=schedule,
        guidance=package.guidance_scale if given is None else given,
        width_px=width,
        height_px=height,
        quality=request.quality or DEFAULT_QUALITY,
        latent_shape=(package.latent_channels, height // factor, width // factor),
    )


def _check_sizes(sizes: Mapping[str, int], package: EnginePackage) -> None:
    multiple, largest = package.size_multiple_px, package.max_size_px
    rule = f"use a multiple of {multiple} from {multiple} to {largest}"
    wrong = [
        FieldViolation(field, f"{size} px; {rule}")
        for field, size in sizes.items()
        if size % multiple or not multiple <= size <= largest
    ]
    if wrong:
        raise InvalidArgumentError(
            "SIZE_INVALID", f"this engine cannot paint {' x '.join(map(str, sizes.values()))}; {rule}", violations=wrong
        )


def _check_prefix(prefix: str) -> None:
    """Only plain folders: no way out of the owner's prefix."""
    if prefix and any(part in ("", ".", "..") for part in prefix.split("/")):
        raise InvalidArgumentError(
            "OUTPUT_PREFIX_INVALID",
            f"output_prefix {prefix!r}; use folders without empty parts, . or ..",
            violations=[FieldViolation("output_prefix", "a path of plain folder names, no slash at either end")],
        )
