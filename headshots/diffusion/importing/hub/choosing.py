"""Chooses the files of a repository that a foundation needs: neither pickles nor duplicates in other formats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from headshots.diffusion.foundations.files import PICKLES, SETTINGS, invalid_foundation
from headshots.diffusion.foundations.fusions import FUSION
from headshots.diffusion.foundations.names import HubName
from headshots.diffusion.importing.folders import OTHERS, TEXTS, WEIGHTED
from headshots.diffusion.importing.hub.repository import RemoteFile
from headshots.diffusion.importing.licences import is_licence
from headshots.diffusion.importing.weights import Weights, choose_weights, pickled
from headshots.errors import InvalidArgumentError

INDEX = "model_index.json"
"""Makes a repository a pipeline."""
_SHOWN = 12
_WEIGHTS = ".safetensors"


def licences(files: Mapping[str, RemoteFile]) -> list[str]:
    """Licences, notices and the model card, which says what is allowed, at the top of a repository."""
    return [name for name, file in files.items() if is_licence(name, file.size)]


def texts(files: Mapping[str, RemoteFile]) -> list[str]:
    """Of a pipeline all but its weights."""
    folders = [*WEIGHTED, *OTHERS]
    return [
        *(name for name in (INDEX, SETTINGS, FUSION) if name in files),
        *(name for name in files if PurePosixPath(name).suffix in TEXTS and str(PurePosixPath(name).parent) in folders),
        *licences(files),
    ]


def weights(name: HubName, files: Iterable[str], parts: Sequence[str], variant: str | None) -> Mapping[str, Weights]:
    """Of a pipeline its weights, of each part one set, whose paths are those within the repository.

    Raises:
        InvalidArgumentError: FOUNDATION_PICKLED, FOUNDATION_INVALID (none, or a shard is missing), naming the part.
    """
    listed = sorted(files)
    chosen = {}
    for part in parts:
        own = [Path(file) for file in listed if str(PurePosixPath(file).parent) == part]
        where = Path(f"{name.repository}/{part}")
        chosen[part] = choose_weights(where, own, variant)
    return chosen


def single_file(name: HubName, files: Iterable[str]) -> str:
    """The one checkpoint of a repository that is no pipeline.

    Raises:
        InvalidArgumentError: FOUNDATION_PICKLED; HUB_FILES_AMBIGUOUS, with their names; FOUNDATION_INVALID, where there
            is none.
    """
    top = sorted(file for file in files if "/" not in file)
    found = [file for file in top if file.endswith(_WEIGHTS)]
    if len(found) == 1:
        return found[0]
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise InvalidArgumentError(
            "HUB_FILES_AMBIGUOUS",
            f"{name} is no diffusers folder and has several files: name one of them, as "
            f"{name.repository}/{found[0]}@{name.revision}. There are {', '.join(found[:_SHOWN])}{more}",
        )
    if pickles := [file for file in top if file.endswith(PICKLES)]:
        raise pickled(Path(str(name)), pickles)
    raise invalid_foundation(
        Path(str(name)), f"it has neither {INDEX} nor a {_WEIGHTS} file at its top, and is no foundation"
    )


def check_file(name: HubName) -> None:
    """Refuse a named file that is no safetensors.

    Raises:
        InvalidArgumentError: FOUNDATION_PICKLED, FOUNDATION_INVALID.
    """
    if name.file.endswith(PICKLES):
        raise pickled(Path(name.repository), [name.file])
    if not name.file.endswith(_WEIGHTS):
        raise invalid_foundation(Path(str(name)), f"not a {_WEIGHTS} file")
