"""Records beside an imported foundation what it was made of, so that a second import has nothing to do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from headshots.diffusion.foundations.foundation import file_digest
from headshots.diffusion.foundations.names import HubName
from headshots.diffusion.importing.fusing.request import Fusion
from headshots.diffusion.importing.request import REVISION, ImportOptions, Progress

RECORD = "import.yaml"
"""Not part of a foundation's digest, like ``headshots.yaml``."""


def import_key(digests: Mapping[str, str], options: ImportOptions) -> str:
    """What tells imports apart: the source's files by their digests, and what was asked for."""
    # Where LoRA lie and what they are called changes nothing. Without options that came later the key is what it was
    # before them: an import of then is still known.
    later = {"fusion": options.fusion and options.fusion.identity, "sampler": options.sampler}
    asked = {key: value for key, value in asdict(options).items() if key not in later}
    asked |= {key: value for key, value in later.items() if value}
    text = json.dumps([sorted(digests.items()), asked, REVISION])
    return hashlib.sha256(text.encode()).hexdigest()


def hub_key(name: HubName, options: ImportOptions) -> str:
    """As :func:`import_key`, of a hub's model: its commit stands for the digests of its files."""
    return import_key({str(name): name.revision}, options)


def record_text(
    folder: Path,
    source: str,
    key: str,
    digests: Mapping[str, str],
    fusion: Fusion | None,
    origin: Mapping[str, str] | None,
) -> str:
    """The text of the record of ``folder``, whose files are all there.

    ``key``: what tells the import apart; ``fusion``: what is fused into it; ``origin``: of a hub's model, where it is
    from and the commit that was meant.
    """
    value = {
        "source": source,
        **({"hub": dict(origin)} if origin else {}),
        "source_files": dict(sorted(digests.items())),
        **({} if fusion is None else {"fused": fusion.to_json()}),
        "key": key,
        "files": {
            path.relative_to(folder).as_posix(): path.stat().st_size
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.startswith(".") and path.name != RECORD
        },
    }
    return yaml.safe_dump(value, sort_keys=False)


def recorded_key(folder: Path) -> str | None:
    """The key of the import that ``folder`` is, damaged or not; None: it is none."""
    record = _read(folder)
    return None if record is None else str(record["key"])


def is_import(folder: Path, key: str) -> bool:
    """Whether ``folder`` is the import of that key, and whole."""
    return recorded_key(folder) == key and is_whole(folder)


def is_whole(folder: Path) -> bool:
    """Whether every file of the import is there, and its weights have their sizes.

    Other files may have changed: an edited ``headshots.yaml`` is the operator's.
    """
    record = _read(folder)
    return record is not None and all(_is_there(folder / name, size) for name, size in record["files"].items())


def _is_there(path: Path, size: int) -> bool:
    return path.is_file() and (path.suffix != ".safetensors" or path.stat().st_size == size)


def _read(folder: Path) -> dict[str, Any] | None:
    try:
        value = yaml.safe_load((folder / RECORD).read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError, yaml.YAMLError):
        return None
    return value if isinstance(value, dict) and {"key", "files"} <= set(value) else None


def source_digests(sources: Mapping[str, Path], progress: Progress) -> dict[str, str]:
    """SHA-256 of each source, by its name."""
    total = sum(path.stat().st_size for path in sources.values()) or 1
    read, digests = 0, {}
    for name, path in sources.items():
        progress(f"reading {name}", read / total)
        digests[name] = file_digest(path)
        read += path.stat().st_size
    return digests
