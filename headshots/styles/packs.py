"""Defines packs, which are styles that are ordered together, and reads the built-in ones.

These are the folder `packs` beside the styles, one YAML file a pack, which may be missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from headshots.errors import InvalidArgumentError
from headshots.styles.library import StyleLibrary
from headshots.styles.parsing import parse_yaml
from headshots.styles.recipe import NAME

MAX_SHOTS = 64
"""Shots of a style in a pack, at most, as in a gallery."""
MAX_TOTAL_SHOTS = 160
"""Shots in a pack, at most, as in a gallery."""
_FIELDS = ("display_name", "description", "styles")


@dataclass(frozen=True)
class Pack:
    """Styles that are ordered together."""

    name: str
    """1 to 64 characters of a-z, 0-9 and -; of a built-in pack its file's name without the suffix."""
    display_name: str
    description: str
    styles: tuple[tuple[str, int], ...]
    """(name of a style, shots of it from 1 to 64), in the order to order them; at least one."""
    version: int = 1
    """From 1; grows by one whenever a tenant changes the pack. Files have no other."""

    @property
    def total_shots(self) -> int:
        """1 to 160."""
        return sum(shots for _, shots in self.styles)

    def to_json(self) -> dict[str, Any]:
        """For a JSON column."""
        return {**asdict(self), "styles": [list(each) for each in self.styles]}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Pack:
        """From a JSON column."""
        return cls(**{**document, "styles": tuple((style, shots) for style, shots in document["styles"])})


class PackLibrary:
    """Packs by name, in the order of their names."""

    def __init__(self, packs: dict[str, Pack]) -> None:
        self._packs = dict(sorted(packs.items()))

    @classmethod
    def load(cls, directory: Path, styles: StyleLibrary) -> PackLibrary:
        """Reads every `packs/*.yaml` of a folder of styles.

        Raises:
            InvalidArgumentError: PACK_INVALID, naming file and field.
        """
        return cls({path.stem: _read(path, styles) for path in sorted((directory / "packs").glob("*.yaml"))})

    def __iter__(self) -> Iterator[Pack]:
        return iter(self._packs.values())

    def get(self, name: str) -> Pack | None:
        """One pack; None where there is none of that name."""
        return self._packs.get(name)


def _read(path: Path, library: StyleLibrary) -> Pack:
    try:
        document = parse_yaml(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _invalid(path, f"is not YAML: {error}") from error
    if not isinstance(document, dict) or set(document) != set(_FIELDS):
        raise _invalid(path, f"must have exactly {', '.join(_FIELDS)}")
    if not NAME.fullmatch(path.stem):
        raise _invalid(path, "must be called by a-z, 0-9 and - alone")
    for field in ("display_name", "description"):
        if not isinstance(document[field], str) or not document[field].strip():
            raise _invalid(path, f"{field} must be text")
    pack = Pack(path.stem, document["display_name"], document["description"], _styles(path, document, library))
    if pack.total_shots > MAX_TOTAL_SHOTS:
        raise _invalid(path, f"styles must have at most {MAX_TOTAL_SHOTS} shots in all; found {pack.total_shots}")
    return pack


def _styles(path: Path, document: dict[str, Any], library: StyleLibrary) -> tuple[tuple[str, int], ...]:
    counts = document["styles"]
    if not isinstance(counts, dict) or not counts:
        raise _invalid(path, "styles must map names of styles to shots")
    for style, shots in counts.items():
        if style not in library:
            raise _invalid(path, f"styles names {style!r}, which there is not beside it")
        if type(shots) is not int or not 1 <= shots <= MAX_SHOTS:
            raise _invalid(path, f"styles.{style} must be 1 to {MAX_SHOTS} shots; found {shots!r}")
    return tuple(counts.items())


def _invalid(path: Path, what: str) -> InvalidArgumentError:
    return InvalidArgumentError("PACK_INVALID", f"pack file {path}: {what}", metadata={"file": path.name})
