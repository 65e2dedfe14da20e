"""Reads and writes the engine package: what ``export`` makes and all that the generator needs at run time.

A folder with ``engine.json``, the ONNX graphs it lists, and the tokenizers. ``engine.json`` is written last: a folder
without it is not a package.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from headshots.diffusion.lora.layout import Layout
from headshots.diffusion.package_files import check_files
from headshots.errors import InvalidArgumentError

FORMAT = 5
"""Version of engine.json; grows when a reader of the old one could not use the new one."""
MANIFEST = "engine.json"
_UNTOLD = {"tensorrt_rtx": None, "head_height": None, "eye_line": None, "adapter_strength": 1.0}
ENGINE_SUFFIX = ".engine"
"""Of engines that were built ahead of time, beside the graphs."""
MAX_VAE_ROWS = 8


@dataclass(frozen=True)
class TextEncoder:
    """One text encoder of the package: its graph, its tokenizer file, window in tokens, and special token ids."""

    graph: str
    tokenizer: str
    max_tokens: int
    pad_id: int


@dataclass(frozen=True)
class Port:
    """An input or output of a graph.

    ``dtype`` as numpy spells it; a dimension of ``shape`` is a number, or the name of a dynamic axis: ``rows``, latent
    ``cells_high`` and ``cells_wide``, or ``height`` and ``width`` in pixels.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class Signature:
    """What a graph takes and gives."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Signature:
        """Inverse of ``asdict``."""
        sides = (value["inputs"], value["outputs"])
        return cls(*(tuple(Port(port["name"], port["dtype"], tuple(port["shape"])) for port in side) for side in sides))


@dataclass(frozen=True)
class RtxEngine:
    """An engine of TensorRT for RTX: its file, its graph, and the SHA-256 of what it was built from (``source``)."""

    file: str
    graph: str
    source: str


@dataclass(frozen=True)
class RtxEngines:
    """Engines of TensorRT for RTX: its version, which alone can run them, and the GPUs that they are for (``sm89``)."""

    version: str
    targets: tuple[str, ...]
    engines: tuple[RtxEngine, ...]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RtxEngines:
        """Inverse of ``asdict``."""
        return cls(value["version"], tuple(value["targets"]), tuple(RtxEngine(**entry) for entry in value["engines"]))


@dataclass(frozen=True)
class EnginePackage:
    """``engine.json``, typed.

    Attributes:
        folder: where the package lies.
        foundation, foundation_digest, family: what it was exported from.
        precision: ``fp32`` or ``fp16``, the type of the UNet's weights, bank, sample and context.
        opset: of the ONNX graphs.
        slots: S of the bank; slot 0 is all zeros.
        max_rows: rows a UNet call takes at most.
        latent_channels, vae_scale_factor, context_width, tokens: shapes.
        native_width_px, native_height_px: default size: the foundation's, or the first of ``sizes`` not spanning it.
        size_multiple_px, max_size_px: widths and heights are multiples of the one, and at most the other.
        zero_empty_prompt: an empty prompt is all zeros instead of the encoded empty text.
        prediction_type, scheduler: the sampler's constants.
        sampler, eta, steps, guidance_scale, guidance_interval, trigger, prompt_template, class_nouns, head_height,
            eye_line: as :class:`headshots.diffusion.foundations.foundation.Foundation` has them.
        vocabulary: the only words that the foundation was taught; empty where its vocabulary is open.
        adapter_guidance_scale, adapter_strength, negative_adapter_share: the same of a request with an adapter.
        unet, vae_decoder, vae_encoder: file names of the graphs.
        native_graphs: those that stand for the UNet's at the native size on a CPU, see :mod:`.package_files`; or none.
        negative_prompt: what images are led away from by default, if anything.
        text_encoders: one, or two for SDXL.
        preview_matrix, preview_bias: latent cell [C] @ matrix [C, 3] + bias [3] is its mean colour, 0 to 1.
        layout: where adapters lie in a row.
        files: SHA-256 of every file of the package.
        sizes: widths and heights in pixels that the package is for, the one to tune for first; empty: the native size,
            and any other up to ``max_size_px`` where no profiles are needed.
        vae_rows: images that the VAE's graphs take at most, so that their memory stays bounded.
        graphs: what each graph takes and gives, by file name.
        key: of what was asked for, see :func:`headshots.diffusion.export.ensure.package_key`.
        tensorrt_rtx: engines that were built ahead of time; None: none were asked for.
    """

    folder: Path
    foundation: str
    foundation_digest: str
    family: str
    precision: str
    opset: int
    slots: int
    max_rows: int
    latent_channels: int
    vae_scale_factor: int
    context_width: int
    native_width_px: int
    native_height_px: int
    size_multiple_px: int
    max_size_px: int
    zero_empty_prompt: bool
    prediction_type: str
    scheduler: Mapping[str, Any]
    sampler: str
    steps: int
    guidance_scale: float
    adapter_guidance_scale: float
    negative_adapter_share: float
    trigger: str
    prompt_template: str
    class_nouns: tuple[str, ...]
    unet: str
    vae_decoder: str
    vae_encoder: str
    text_encoders: tuple[TextEncoder, ...]
    preview_matrix: tuple[tuple[float, ...], ...]
    preview_bias: tuple[float, ...]
    layout: Layout
    files: Mapping[str, str]
    sizes: tuple[tuple[int, int], ...] = ()
    negative_prompt: str = ""
    vae_rows: int = MAX_VAE_ROWS
    graphs: Mapping[str, Signature] = field(default_factory=dict)
    key: str = ""
    vocabulary: tuple[str, ...] = ()
    tensorrt_rtx: RtxEngines | None = None
    native_graphs: tuple[str, ...] = ()
    eta: float | None = None
    guidance_interval: tuple[float, float] = (0.0, 1.0)
    head_height: float | None = None
    eye_line: float | None = None
    adapter_strength: float = 1.0

    @classmethod
    def read(cls, folder: Path) -> EnginePackage:
        """Read ``folder``.

        Raises:
            InvalidArgumentError: ENGINE_NOT_FOUND, ENGINE_FORMAT, ENGINE_DAMAGED.
        """
        path = folder / MANIFEST
        if not path.is_file():
            raise InvalidArgumentError(
                "ENGINE_NOT_FOUND",
                f"{folder} holds no {MANIFEST}; make one with `headshots export --foundation DIR --out {folder}`",
            )
        try:
            return cls._from_json(folder, json.loads(path.read_text("utf-8")))
        except InvalidArgumentError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidArgumentError(
                "ENGINE_DAMAGED", f"{path} cannot be read ({error}); delete the folder and export again"
            ) from error

    @classmethod
    def _from_json(cls, folder: Path, value: dict[str, Any]) -> EnginePackage:
        if value.pop("format", None) != FORMAT:
            raise InvalidArgumentError("ENGINE_FORMAT", f"{folder} has another format than {FORMAT}; export again")
        check_files(folder, value)
        value["layout"] = Layout.from_json(value["layout"])
        value["text_encoders"] = tuple(TextEncoder(**entry) for entry in value["text_encoders"])
        value["vocabulary"], value["native_graphs"] = tuple(value.get("vocabulary", ())), tuple(value["native_graphs"])
        value["preview_matrix"] = tuple(tuple(row) for row in value["preview_matrix"])
        for name in ("class_nouns", "preview_bias", "guidance_interval"):
            value[name] = tuple(value[name])
        value["sizes"] = tuple((width, height) for width, height in value["sizes"])
        value["graphs"] = {name: Signature.from_json(graph) for name, graph in value["graphs"].items()}
        engines = value.pop("tensorrt_rtx", None)
        value["tensorrt_rtx"] = engines and RtxEngines.from_json(engines)
        return cls(folder=folder, **value)

    def write(self) -> None:
        """Write ``engine.json`` into ``folder``, sorted, so that equal packages are equal bytes."""
        value = {"format": FORMAT, **asdict(self), "layout": self.layout.to_json()}
        # As in older packages, whose bytes stay the same.
        for name in ("folder", *(name for name, meant in _UNTOLD.items() if value[name] == meant)):
            del value[name]
        (self.folder / MANIFEST).write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", "utf-8")

    @property
    def profile_sizes(self) -> tuple[tuple[int, int], ...]:
        """Widths and heights that TensorRT's profiles span, the one to tune for first."""
        return self.sizes or ((self.native_width_px, self.native_height_px),)

    @property
    def window_tokens(self) -> int:
        """Tokens of a prompt that every text encoder reads, start and end included."""
        return min((encoder.max_tokens for encoder in self.text_encoders), default=0)

    @property
    def width_range_px(self) -> tuple[int, int]:
        """Smallest and largest width that is taken."""
        return self._range(0)

    @property
    def height_range_px(self) -> tuple[int, int]:
        """Smallest and largest height that is taken."""
        return self._range(1)

    def within_profiles(self) -> EnginePackage:
        """As a backend serves it that can only take what its profiles span, as TensorRT."""
        return replace(self, sizes=self.profile_sizes)

    def _range(self, axis: int) -> tuple[int, int]:
        sides = [size[axis] for size in self.sizes] or [self.size_multiple_px, self.max_size_px]
        return min(sides), max(sides)

    @property
    def digest(self) -> str:
        """SHA-256 of ``engine.json``, which holds every other file's."""
        return hashlib.sha256((self.folder / MANIFEST).read_bytes()).hexdigest()
