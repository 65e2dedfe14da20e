"""Digests of what was made: engine packages, galleries and the object store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Items = dict[str, str]
"""What is compared: digests, and a few numbers as text, by what they are of."""


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def folder_digest(folder: Path) -> str:
    """SHA-256 over the relative path and the content of every file of a folder."""
    files = sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if path.is_file())
    return digest("".join(f"{digest(path.read_bytes())}  {name}\n" for name, path in files).encode())


def package_items(package: Path) -> Items:
    """An engine package as a whole, each of its files, and the key that ``engine.json`` carries."""
    items = {path.name: digest(path.read_bytes()) for path in sorted(package.iterdir())}
    key = json.loads((package / "engine.json").read_text("utf-8"))["key"]
    return {**items, "engine.json key": key, "package": folder_digest(package)}


def gallery_items(answer: Mapping[str, Any]) -> Items:
    """The files that ``headshots generate --json`` wrote, by their names STYLE-SEED, and likenesses where measured."""
    items = Items()
    for file, image in zip(map(Path, answer["files"]), answer["gallery"]["images"], strict=True):
        items[file.name] = digest(file.read_bytes())
        if image["likeness"] is not None:
            items[f"{file.name} likeness"] = str(image["likeness"])
    return items


def store_items(objects: Path, names: Mapping[str, str]) -> Items:
    """The objects of an embedded store: each file of a training, and the pictures of any other folder together.

    Args:
        objects: folder of the store.
        names: what to write for the ids of this run, which are drawn anew in every run; also within JSON files.
    """
    items = Items()
    for path in sorted(path for path in objects.rglob("*") if path.is_file()):
        folder = _renamed(path.parent.relative_to(objects).as_posix(), names)
        if "/adapters/" not in folder:
            items[folder] = folder_digest(path.parent)
        elif path.suffix == ".json":
            items[f"{folder}/{path.name}"] = digest(_renamed(path.read_text("utf-8"), names).encode())
        else:
            items[f"{folder}/{path.name}"] = digest(path.read_bytes())
    return items


def _renamed(text: str, names: Mapping[str, str]) -> str:
    for old, new in names.items():
        text = text.replace(old, new)
    return text
