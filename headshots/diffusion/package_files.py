"""Holds what an engine package says of its files to the folder that it lies in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headshots.errors import InvalidArgumentError

CONTEXT, NATIVE_STEP = "unet_context.onnx", "unet_step.onnx"
"""Graphs for the native size on a CPU: the context's keys and values, and a step that takes them."""
SMALL_BYTES = 256 << 20
"""Weights of a package that is made for CPUs too: a graph of its own for the native size, rows spread over the cores. A
large one keeps all cores busy layer by layer, and its weights should be neither held twice nor read by every core."""


def check_files(folder: Path, value: Mapping[str, Any]) -> None:
    """Every file that ``engine.json`` names lies in its folder and is there, and every engine has a digest.

    Args:
        folder: of the package.
        value: what ``engine.json`` holds.

    Raises:
        InvalidArgumentError: ENGINE_DAMAGED, naming the files.
    """
    engines = [engine["file"] for engine in (value.get("tensorrt_rtx") or {"engines": ()})["engines"]]
    graphs = [value[name] for name in ("unet", "vae_decoder", "vae_encoder")]
    encoders = [encoder[name] for encoder in value["text_encoders"] for name in ("graph", "tokenizer")]
    named = (*value["files"], *value["graphs"], *value["native_graphs"], *engines, *graphs, *encoders)
    # First, so that no file elsewhere is looked for.
    _refuse(f"{folder} names files outside of it:", {name for name in named if Path(name).name != name})
    _refuse(f"{folder} lacks", {name for name in value["files"] if not (folder / name).is_file()})
    _refuse(f"{folder} has no digest of", {name for name in engines if name not in value["files"]})


def check_digests(folder: Path, files: Mapping[str, str]) -> None:
    """Every file of the package is what was exported. Reads all of them, which takes as long as they are large.

    Args:
        folder: of the package.
        files: their SHA-256 by name, as ``engine.json`` lists them.

    Raises:
        InvalidArgumentError: ENGINE_DAMAGED, naming the files.
        OSError: one cannot be read.
    """
    _refuse(
        f"{folder} was changed since it was exported:", {n for n, sha in files.items() if _sha256(folder / n) != sha}
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse(why: str, names: set[str]) -> None:
    if names:
        raise InvalidArgumentError(
            "ENGINE_DAMAGED", f"{why} {', '.join(sorted(names))}; delete the folder and export again"
        )
