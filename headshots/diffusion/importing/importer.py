"""Imports a foundation: into a folder that appears whole or not at all, and from where a killed import was."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from headshots.diffusion.foundations.files import PICKLES, invalid_foundation
from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.foundations.names import HubName, hub_name
from headshots.diffusion.importing.folders import FolderPlan
from headshots.diffusion.importing.fusing.plan import FusedPlan
from headshots.diffusion.importing.hub.fetching import fetch
from headshots.diffusion.importing.hub.repository import Hub, pin
from headshots.diffusion.importing.licences import licence_files, licences_of
from headshots.diffusion.importing.pieces import JOURNAL, Piece, write_pieces
from headshots.diffusion.importing.plans import PlainPlan, Plan
from headshots.diffusion.importing.record import (
    RECORD,
    hub_key,
    import_key,
    is_import,
    record_text,
    recorded_key,
    source_digests,
)
from headshots.diffusion.importing.request import Imported, ImportOptions, Progress, check_options
from headshots.diffusion.importing.single_file.checkpoints import read_checkpoint
from headshots.diffusion.importing.single_file.plan import SingleFilePlan
from headshots.diffusion.importing.single_file.vocabulary import Packages
from headshots.diffusion.importing.weights import pickled
from headshots.diffusion.publish import exclusive, publish_resumed, sweep
from headshots.errors import FailedPreconditionError, InvalidArgumentError

# Of the whole, what reading the source for its digest takes; and of a hub's what comes before.
_READING = 0.2
_FETCHING, _FETCHED_AND_READ = 0.7, 0.75


def import_foundation(
    source: Path,
    out: Path,
    options: ImportOptions | None = None,
    progress: Progress | None = None,
    packages: Packages | None = None,
    hub: Hub | None = None,
) -> Imported:
    """Make ``out`` the foundation that ``source`` holds, unless it is that already.

    Started again after it was killed, it goes on with the file that it had not finished, and the result has the same
    bytes.

    Args:
        source: a diffusers folder, one safetensors file, or what a hub calls one
            (:func:`headshots.diffusion.foundations.names.named`).
        out: becomes the foundation's; its parents are made.
        options: what the source does not say of itself.
        progress: called as it goes on.
        packages: where CLIP's vocabulary is brought from, which a single file lacks.
        hub: where models are fetched from that are not on this machine.

    Raises:
        InvalidArgumentError: FOUNDATION_NOT_FOUND, FOUNDATION_UNSUPPORTED (the kind, by name), FOUNDATION_PICKLED,
            FOUNDATION_INVALID (damaged or not whole), FOUNDATION_OUT_NOT_EMPTY, FOUNDATION_DIGEST_WRONG,
            SCHEDULER_UNSUPPORTED (it has no table; ``sampler`` names one), IMPORT_OPTIONS_INVALID; FUSE_*, of LoRA that
            are to be fused.
        FailedPreconditionError: FOUNDATION_CHANGED (while it was read), FOUNDATION_NO_ROOM; PACKAGE_MISSING,
            PACKAGE_CHANGED.
        HeadshotsError: as :func:`headshots.diffusion.importing.hub.fetching.fetch`.
    """
    chosen, tell = options or ImportOptions(), progress or _silent
    # Where it is a link, what it leads to: that is where the operator wants the gigabytes.
    out = out.expanduser().resolve()
    if (asked := hub_name(source)) is not None:
        return _import_from_hub(asked, out, chosen, tell, packages, hub)
    return _import_from_here(source.expanduser().absolute(), out, chosen, tell, packages)


def _import_from_here(
    source: Path, out: Path, options: ImportOptions, tell: Progress, packages: Packages | None
) -> Imported:
    plan = make_plan(source, options)
    plan.check()
    digests = source_digests(plan.sources(), _part(tell, 0, _READING))
    _check_digest(source, digests, options)
    key = import_key(digests, options)
    _check_replaceable(out, key)
    record = partial(record_text, source=str(source), key=key, digests=digests, fusion=options.fusion, origin=None)
    is_new = _make(out, key, _pieces(plan, digests, out, packages), record, _part(tell, _READING, 1))
    return Imported(out, is_new, plan.notes if is_new else ())


def _import_from_hub(
    asked: HubName, out: Path, options: ImportOptions, tell: Progress, packages: Packages | None, hub: Hub | None
) -> Imported:
    """As :func:`import_foundation`; what was imported of the same commit is known without any of its files."""
    pinned = pin(asked, hub or Hub())
    key = hub_key(pinned.name, options)
    if is_import(out, key):
        return Imported(out, False, ())
    _check_replaceable(out, key)
    fetched = fetch(pinned, options, _part(tell, 0, _FETCHING))
    plan = make_plan(fetched.path, options, licence_files(fetched.top))
    plan.check()
    digests = source_digests(plan.sources(), _part(tell, _FETCHING, _FETCHED_AND_READ))
    _check_digest(fetched.path, digests, options)
    origin = {"endpoint": pinned.hub.url, "asked": str(asked), "commit": pinned.commit}
    record = partial(
        record_text, source=str(pinned.name), key=key, digests=digests, fusion=options.fusion, origin=origin
    )
    is_new = _make(out, key, _pieces(plan, digests, out, packages), record, _part(tell, _FETCHED_AND_READ, 1))
    notes = (*filter(None, [pinned.note()]), *fetched.notes, *plan.notes)
    return Imported(out, is_new, notes if is_new else ())


def _pieces(plan: Plan, digests: Mapping[str, str], out: Path, packages: Packages | None) -> Callable[[], list[Piece]]:
    brought = packages or Packages()
    return partial(plan.pieces, digests, lambda: brought.vocabulary(out.parent, out.name))


def _part(tell: Progress, begin: float, end: float) -> Progress:
    """The progress of a part of the whole."""
    return lambda what, share: tell(what, begin + share * (end - begin))


def _make(
    out: Path, key: str, pieces: Callable[[], list[Piece]], record: Callable[[Path], str], tell: Progress
) -> bool:
    """Whether ``out`` was not there yet."""

    def write(folder: Path) -> None:
        write_pieces(folder, key, wanted, tell)
        Foundation.read(folder)
        (folder / RECORD).write_text(record(folder), "utf-8")

    out.parent.mkdir(parents=True, exist_ok=True)
    sweep(out.parent, out.name)
    with exclusive(out):
        if is_import(out, key):
            return False
        with _telling_of_room(out.parent):
            wanted = pieces()
            publish_resumed(out, write)
            # Not before: whoever is killed while the disk takes all of it begins where it was.
            (out / JOURNAL).unlink()
    tell("done", 1.0)
    return True


def make_plan(source: Path, options: ImportOptions, licences: Sequence[Path] | None = None) -> Plan:
    """What is taken of ``source``; reads configurations and the headers of weights.

    ``licences``: those of a single file; None: those that lie beside it.

    Raises:
        InvalidArgumentError: FOUNDATION_NOT_FOUND, FOUNDATION_UNSUPPORTED, FOUNDATION_PICKLED, FOUNDATION_INVALID,
            FOUNDATION_SETTINGS_INVALID, SCHEDULER_UNSUPPORTED, IMPORT_OPTIONS_INVALID; FUSE_TWICE, FUSE_CHANGED,
            FUSE_CORRUPT, FUSE_UNSUPPORTED, FUSE_OTHER_FAMILY.
    """
    plain = _plain_plan(source, options, licences)
    return plain if options.fusion is None else FusedPlan(plain, options.fusion)


def _plain_plan(source: Path, options: ImportOptions, licences: Sequence[Path] | None) -> PlainPlan:
    if source.suffix in PICKLES and source.is_file():
        raise pickled(source.parent, [source.name])
    if source.is_dir():
        check_options(str(source), options, is_folder=True)
        return FolderPlan(source, options)
    if source.suffix == ".safetensors" and source.is_file():
        check_options(str(source), options, is_folder=False)
        beside = licences_of(source) if licences is None else licences
        return SingleFilePlan(read_checkpoint(source), options, beside)
    if not source.exists():
        raise InvalidArgumentError(
            "FOUNDATION_NOT_FOUND",
            f"{source} is not there, and a hub's model is named as org/name or org/name@revision",
        )
    raise invalid_foundation(source, "neither a diffusers folder nor a .safetensors file")


def _check_digest(source: Path, digests: Mapping[str, str], options: ImportOptions) -> None:
    found = digests.get(source.name, "")
    if options.sha256 and found != options.sha256.lower():
        raise InvalidArgumentError(
            "FOUNDATION_DIGEST_WRONG",
            f"{source} has the SHA-256 {found}, not {options.sha256.lower()}: get it again, from where that was told",
        )


def _check_replaceable(out: Path, key: str) -> None:
    """Only the same import, damaged, and empty folders are replaced: a mistyped path must not cost anybody's files."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())) or recorded_key(out) == key:
        return
    what = "another import" if recorded_key(out) else "something else"
    raise InvalidArgumentError(
        "FOUNDATION_OUT_NOT_EMPTY", f"{out} is there and holds {what}; name a new folder, or remove it"
    )


@contextmanager
def _telling_of_room(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise FailedPreconditionError(
            "FOUNDATION_NO_ROOM",
            f"the disk of {folder} is full; an import needs as much room as the model. Make room and import again: it "
            "goes on where it was",
        ) from error


def _silent(what: str, share: float) -> None:
    """No progress wanted."""
