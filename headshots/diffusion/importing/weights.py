"""Finds the weights of a pipeline's part among plain, variant and sharded files, and checks that they are whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from headshots.diffusion.foundations.files import PICKLES, invalid_foundation, read_json
from headshots.errors import InvalidArgumentError

_NAME = re.compile(
    r"^(?P<base>diffusion_pytorch_model|model)"
    r"(?:\.(?P<variant>\w+))?(?:-(?P<number>\d{5})-of-(?P<count>\d{5}))?(?:\.(?P<late>\w+))?\.safetensors$"
)
_SHOWN = 4
# Taken where nobody asks for another: the plain files, else half precision.
_PREFERRED = ("", "fp16")


@dataclass(frozen=True)
class Weights:
    """The files of one part's weights.

    ``variant``: what stands in their names, as ``fp16``; empty for plain names. ``files``: one, or the shards in order.
    """

    base: str
    variant: str
    files: tuple[Path, ...]

    def plain_name(self, file: Path) -> str:
        """The name of a file without the variant, under which everything finds it."""
        if len(self.files) == 1:
            return f"{self.base}.safetensors"
        return f"{self.base}-{self.files.index(file) + 1:05d}-of-{len(self.files):05d}.safetensors"


def find_weights(part: Path, variant: str | None) -> Weights:
    """The weights of the part in the folder ``part``, whose files are whole.

    Raises:
        InvalidArgumentError: as :func:`choose_weights`; FOUNDATION_INVALID, where a file is cut short.
    """
    chosen = choose_weights(part, sorted(part.glob("*")), variant)
    for file in chosen.files:
        tensor_names(file)
    return chosen


def choose_weights(part: Path, files: Sequence[Path], variant: str | None) -> Weights:
    """The weights of a part by the names of its files, which need not be there yet.

    ``variant``: which to take where a part has several: a variant's name, or empty for the plain files. A part that
    has it not gives what it has. None: the plain files before ``fp16`` before any other.

    Raises:
        InvalidArgumentError: FOUNDATION_PICKLED, FOUNDATION_INVALID (none, a shard is missing).
    """
    whole, broken = _sets(files)
    if not whole:
        raise invalid_foundation(part, f"{broken[0]}; get the rest and try again") if broken else _none(part, files)
    order = [*(() if variant is None else (variant,)), *_PREFERRED]
    return min(
        whole, key=lambda each: (order.index(each.variant) if each.variant in order else len(order), len(each.files))
    )


def _sets(files: Sequence[Path]) -> tuple[list[Weights], list[str]]:
    """Every set of weights, one file or all shards; and what is missing of others, which nobody may need."""
    shards: dict[tuple[str, str, int], dict[int, Path]] = {}
    for file in files:
        name = _NAME.match(file.name)
        if name is not None:
            key = (name["base"], name["variant"] or name["late"] or "", int(name["count"] or 1))
            shards.setdefault(key, {})[int(name["number"] or 1)] = file
    whole, broken = [], []
    for (base, variant, count), numbered in shards.items():
        missing = [f"{number} of {count}" for number in range(1, count + 1) if number not in numbered]
        if missing:
            more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
            broken.append(f"the shard {', '.join(missing[:_SHOWN])}{more} of {base} is missing")
        else:
            whole.append(Weights(base, variant, tuple(numbered[number] for number in sorted(numbered))))
    return whole, broken


def _none(part: Path, files: Sequence[Path]) -> InvalidArgumentError:
    pickles = [path.name for path in files if path.suffix in PICKLES]
    return pickled(part, pickles) if pickles else invalid_foundation(part, "it holds no .safetensors weights")


def pickled(path: Path, names: Sequence[str]) -> InvalidArgumentError:
    """FOUNDATION_PICKLED."""
    return InvalidArgumentError(
        "FOUNDATION_PICKLED",
        f"{path}: {', '.join(names)} can run code when it is opened, and is not opened. Get the model's safetensors "
        "files, or convert it where you trust it: load it with diffusers and "
        "save_pretrained(safe_serialization=True)",
    )


def tensor_names(file: Path) -> frozenset[str]:
    """Names of the tensors of a safetensors file that is whole.

    Raises:
        InvalidArgumentError: FOUNDATION_INVALID, where it is not.
    """
    try:
        with safe_open(file, framework="numpy") as opened:
            return frozenset(opened.keys())
    except SafetensorError as error:
        raise invalid_foundation(
            file, f"not a whole safetensors file ({error}), as a download that broke off; get it again"
        ) from error


def shard_index(weights: Weights) -> dict[str, object]:
    """What ``….safetensors.index.json`` says: which file has each tensor, and the bytes of all of them.

    Raises:
        InvalidArgumentError: FOUNDATION_INVALID, where the source's own index names a tensor that no shard has.
    """
    where = {name: weights.plain_name(file) for file in weights.files for name in tensor_names(file)}
    folder = weights.files[0].parent
    infix = f".{weights.variant}" if weights.variant else ""
    own = folder / f"{weights.base}.safetensors.index{infix}.json"
    if own.is_file():
        lost = sorted(set(read_json(own, "weight_map")["weight_map"]) - set(where))
        if lost:
            raise invalid_foundation(own, f"no shard has {', '.join(lost[:3])}; get the shards again")
    total = sum(file.stat().st_size for file in weights.files)
    return {"metadata": {"total_size": total}, "weight_map": dict(sorted(where.items()))}
