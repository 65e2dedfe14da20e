"""Reads the library of built-in styles, one YAML file a style."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from headshots.errors import InvalidArgumentError, NotFoundError
from headshots.styles.parsing import parse_yaml
from headshots.styles.recipe import WORDS, Style, find_faults

_REQUIRED = ("name", "version", "display_name", "description")
# What a field of each type holds in a file.
_HELD: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float | None": (int, float),
    "tuple[float, float] | None": (list,),
}
_KINDS = {
    "str": "text",
    "int": "a whole number",
    "float | None": "a number",
    "tuple[float, float] | None": "a list of two numbers",
}


class StyleLibrary:
    """Styles by name, in the order of their names."""

    def __init__(self, styles: Iterable[Style]) -> None:
        self._styles = {style.name: style for style in sorted(styles, key=lambda style: style.name)}

    @classmethod
    def load(cls, directory: Path) -> StyleLibrary:
        """Reads every `*.yaml` of a folder.

        Raises:
            InvalidArgumentError: STYLE_INVALID, naming file and field; STYLES_MISSING, where there is none.
        """
        library = cls(_read(path) for path in sorted(directory.glob("*.yaml")))
        if not library._styles:
            raise InvalidArgumentError("STYLES_MISSING", f"{directory} holds no style; expected *.yaml files in it")
        return library

    def __iter__(self) -> Iterator[Style]:
        return iter(self._styles.values())

    def __len__(self) -> int:
        return len(self._styles)

    def __contains__(self, name: object) -> bool:
        return name in self._styles

    def get(self, name: str) -> Style:
        """One style.

        Raises:
            NotFoundError: STYLE_NOT_FOUND.
        """
        if name not in self._styles:
            raise NotFoundError("STYLE_NOT_FOUND", f"no style is called {name!r}; there are {', '.join(self._styles)}")
        return self._styles[name]


def _read(path: Path) -> Style:
    try:
        document = parse_yaml(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _invalid(path, f"is not YAML: {error}") from error
    if not isinstance(document, dict):
        raise _invalid(path, "must be a mapping of fields")
    wanted = {field.name: str(field.type) for field in dataclasses.fields(Style)}
    if unknown := sorted(map(str, document.keys() - wanted.keys())):
        raise _invalid(path, f"has unknown fields {', '.join(unknown)}; a style has {', '.join(wanted)}")
    required = _REQUIRED if "prompt" in document else (*_REQUIRED, *WORDS)
    if missing := sorted(set(required) - document.keys()):
        raise _invalid(path, f"lacks {', '.join(missing)}")
    for field, value in document.items():
        _check_value(path, field, value, wanted[field])
    style = Style(**document)
    for fault in find_faults(style):
        raise _invalid(path, f"{fault.field} {fault.description}")
    if style.name != path.stem:
        raise _invalid(path, f"name must be the file's; found {style.name!r}")
    return style


def _check_value(path: Path, field: str, value: Any, kind: str) -> None:
    if type(value) not in _HELD[kind] or (field in _REQUIRED and kind == "str" and not value.strip()):
        raise _invalid(path, f"{field} must be {_KINDS[kind]}; found {value!r}")


def _invalid(path: Path, what: str) -> InvalidArgumentError:
    return InvalidArgumentError("STYLE_INVALID", f"style file {path}: {what}", metadata={"file": path.name})
