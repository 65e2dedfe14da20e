"""Fetches what a foundation needs of a repository into the hub's cache, and holds it to the digests that were told.

Configurations and headers come first, so that what cannot be used is refused before gigabytes are fetched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import hf_hub_download, snapshot_download
from huggingface_hub.errors import LocalEntryNotFoundError
from huggingface_hub.utils.tqdm import tqdm

from headshots.diffusion.foundations.files import (
    INITIAL_WEIGHTS,
    MOST_TEXT_BYTES,
    invalid_foundation,
    read_json,
    too_large,
)
from headshots.diffusion.foundations.kinds import check_pipeline
from headshots.diffusion.importing.folders import FolderPlan, Pipeline
from headshots.diffusion.importing.fusing.folding import Folding
from headshots.diffusion.importing.hub import choosing
from headshots.diffusion.importing.hub.bars import bar_of
from headshots.diffusion.importing.hub.digests import check_digest, is_digest
from headshots.diffusion.importing.hub.headers import RemotePipeline, remote_checkpoint
from headshots.diffusion.importing.hub.repository import Pinned, RemoteFile, remote_files
from headshots.diffusion.importing.hub.telling import is_away, no_file, telling
from headshots.diffusion.importing.request import ImportOptions, Progress, check_options
from headshots.diffusion.importing.single_file.plan import SingleFilePlan
from headshots.errors import HeadshotsError, InvalidArgumentError

# What more files would not change.
_NO_MATTER_OF_FILES = (
    "FOUNDATION_UNSUPPORTED",
    "FOUNDATION_SETTINGS_INVALID",
    "FUSE_OTHER_FAMILY",
    "IMPORT_OPTIONS_INVALID",
    "SCHEDULER_UNSUPPORTED",
)
_SHOWN = 3


@dataclass(frozen=True)
class Fetched:
    """What lies in the cache.

    Attributes:
        path: a diffusers folder, or one safetensors file.
        top: the folder that is the repository at the commit; its licences lie there.
        notes: what the operator should know.
    """

    path: Path
    top: Path
    notes: tuple[str, ...]


def fetch(pinned: Pinned, options: ImportOptions, progress: Progress) -> Fetched:
    """Have all that a foundation needs in the cache; what is there and whole is not fetched again.

    Args:
        pinned: what to fetch.
        options: of the import; nothing is fetched where they do not fit.
        progress: called with the file that is fetched and the share of bytes done.

    Raises:
        InvalidArgumentError: FOUNDATION_UNSUPPORTED (the kind, by name), FOUNDATION_PICKLED, FOUNDATION_INVALID,
            HUB_FILES_AMBIGUOUS, IMPORT_OPTIONS_INVALID; SCHEDULER_UNSUPPORTED, FOUNDATION_SETTINGS_INVALID; FUSE_*.
        FailedPreconditionError: FOUNDATION_DIGEST_WRONG, HUB_OFFLINE, FOUNDATION_NO_ROOM.
        NotFoundError, PermissionDeniedError, UnavailableError: as
            :func:`headshots.diffusion.importing.hub.telling.telling`.
    """
    try:
        files = remote_files(pinned)
    except HeadshotsError as error:
        if not is_away(error):
            raise
        return _cached(pinned, options, error)
    download = _Download(pinned, files, progress)
    name = pinned.name
    if name.file:
        choosing.check_file(name)
        if name.file not in files:
            raise no_file(name, pinned.hub.url)
    is_folder = choosing.INDEX in files and not name.file
    check_options(str(name), options, is_folder=is_folder)
    if is_folder:
        return _pipeline(download, options)
    return _single(download, name.file or choosing.single_file(name, files), options)


def _pipeline(download: _Download, options: ImportOptions) -> Fetched:
    name, files = download.pinned.name, download.files
    top = download.text(choosing.INDEX).parent
    check_pipeline(Path(str(name)), read_json(top / choosing.INDEX))
    download.small(choosing.texts(files))
    pipeline = Pipeline.read(top)
    pipeline.check_sampling(top, options, str(name))
    weights = choosing.weights(name, files, pipeline.weighted, options.variant)
    if options.fusion is not None:
        Folding(RemotePipeline(download.pinned, top, pipeline.family, weights), options.fusion).check()
    large = [path.as_posix() for part in weights.values() for path in part.files]
    download.all([*large, *(file for file in files if file == INITIAL_WEIGHTS)])
    return Fetched(top, top, download.notes())


def _single(download: _Download, file: str, options: ImportOptions) -> Fetched:
    pinned = download.pinned
    plan = SingleFilePlan(remote_checkpoint(pinned, file), options, ())
    plan.check()
    if options.fusion is not None:
        Folding(plan, options.fusion).check()
    download.small(choosing.licences(download.files))
    (path,) = download.all([file])
    top = path.parents[file.count("/")]
    notes = () if pinned.name.file else (f"the repository's one file was taken: {file}",)
    return Fetched(path, top, (*notes, *download.notes()))


def _cached(pinned: Pinned, options: ImportOptions, away: HeadshotsError) -> Fetched:
    """What an earlier fetch of the same commit has left, where nobody can be asked.

    Raises:
        HeadshotsError: ``away``, where it is not all there.
    """
    name, hub = pinned.name, pinned.hub
    try:
        top = Path(
            snapshot_download(name.repository, revision=pinned.commit, cache_dir=hub.cache, local_files_only=True)
        )
    except LocalEntryNotFoundError:
        raise away from None
    is_folder = (top / choosing.INDEX).is_file() and not name.file
    check_options(str(name), options, is_folder=is_folder)
    try:
        path = (
            top if is_folder else top / (name.file or choosing.single_file(name, [each.name for each in top.iterdir()]))
        )
        needed = FolderPlan(top, options).sources().values() if is_folder else [path]
    except InvalidArgumentError as error:
        if error.reason in _NO_MATTER_OF_FILES:
            raise
        raise _in_part(away, error.message) from error
    for each in needed:
        if not each.is_file():
            raise _in_part(away, f"{each.relative_to(top)} is missing")
        check_digest(each, each.resolve().name, pinned)
    why = "HF_HUB_OFFLINE is set" if away.reason == "HUB_OFFLINE" else f"{hub.url} cannot be reached"
    return Fetched(path, top, (f"{why}: what the cache has of {name} was taken",))


def _in_part(away: HeadshotsError, why: str) -> HeadshotsError:
    return type(away)(away.reason, f"{away.message}. The cache has it in part: {why}")


class _Download:
    """Files of one commit on their way into the cache."""

    def __init__(self, pinned: Pinned, files: Mapping[str, RemoteFile], progress: Progress) -> None:
        self.pinned = pinned
        self.files = files
        self._progress = progress
        self._unchecked: list[str] = []

    def notes(self) -> tuple[str, ...]:
        """What the operator should know of the files that were fetched."""
        if not self._unchecked:
            return ()
        names = ", ".join(self._unchecked[:_SHOWN]) + (" …" if len(self._unchecked) > _SHOWN else "")
        return (f"{self.pinned.hub.url} tells no digest of {names}: what came could not be checked",)

    def small(self, names: Sequence[str]) -> None:
        """Have these, which take no time beside weights."""
        for name in names:
            self._progress(f"fetching {name}", 0.0)
            self.text(name)

    def text(self, name: str) -> Path:
        """Have a configuration, a vocabulary or a licence.

        Raises:
            InvalidArgumentError: FOUNDATION_INVALID, where it is far too large for one.
        """
        if (size := self.files[name].size) > MOST_TEXT_BYTES:
            raise invalid_foundation(Path(f"{self.pinned.name}/{name}"), too_large(size))
        return self.one(name)

    def all(self, names: Sequence[str]) -> list[Path]:
        """Have these, one after the other, and tell how far; where they lie."""
        total = sum(self.files[name].size for name in names) or 1
        done, paths = 0, []
        for name in names:
            before = done

            def tell(count: int, name: str = name, before: int = before) -> None:
                self._progress(f"fetching {name}", min(1.0, (before + count) / total))

            paths.append(self.one(name, bar_of(tell)))
            done += self.files[name].size
        return paths

    def one(self, name: str, bar: type[tqdm] | None = None) -> Path:
        """Where a file lies; ``bar``: is told of the bytes that come."""
        pinned = self.pinned
        with telling(pinned.name, pinned.hub.url):
            path = Path(
                hf_hub_download(
                    pinned.name.repository,
                    name,
                    revision=pinned.commit,
                    cache_dir=pinned.hub.cache,
                    endpoint=pinned.hub.endpoint,
                    library_name="headshots",
                    tqdm_class=bar or bar_of(_silent),
                )
            )
        check_digest(path, self.files[name].digest, pinned)
        if not is_digest(self.files[name].digest):
            self._unchecked.append(name)
        return path


def _silent(count: int) -> None:
    """No progress wanted."""
