"""Finds the licence that lies beside a model: it stays with what is made of it."""

from __future__ import annotations

import re
from pathlib import Path

_NAMES = re.compile(r"^(licen[cs]e|copying|notice|use[_-]policy|readme)([._-].*)?$", re.IGNORECASE)
_MOST_BYTES = 1 << 20
NONE_FOUND = "no licence lies beside the model; look up what it allows, and put the text into the folder as LICENSE"


def licences_of(file: Path) -> list[Path]:
    """Licences beside a model of one file, by name: those that name it, and those that name none.

    A README there may be of anything.
    """
    own = re.compile(rf"^({re.escape(file.stem)}[._-])?licen[cs]e([._-].*)?$", re.IGNORECASE)
    return sorted(path for path in file.parent.iterdir() if path.is_file() and own.match(path.name))


def licence_files(folder: Path) -> list[Path]:
    """Licences, notices and model cards at the top of ``folder``, by name."""
    return sorted(path for path in folder.iterdir() if path.is_file() and is_licence(path.name, path.stat().st_size))


def is_licence(name: str, size: int) -> bool:
    """Whether a file at the top of a folder is a licence, a notice or a model card; ``size``: its bytes."""
    return _NAMES.match(name) is not None and size <= _MOST_BYTES
