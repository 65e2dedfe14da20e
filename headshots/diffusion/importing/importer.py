"""Imports a foundation: into a folder that appears whole or not at all, and from where a killed import was."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from headshots.diffusion.foundations.files import PICKLES, invalid_foundation
from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.importing.folders import FolderPlan
from headshots.diffusion.importing.fusing.few_steps import NO_FEWER
from headshots.diffusion.importing.fusing.plan import FusedPlan
from headshots.diffusion.importing.pieces import JOURNAL, Piece, write_pieces
from headshots.diffusion.importing.plans import PlainPlan, Plan
from headshots.diffusion.importing.record import (
    RECORD,
    import_key,
    is_whole,
    record_text,
    recorded_key,
    source_digests,
)
from headshots.diffusion.importing.request import Imported, ImportOptions, Progress
from headshots.diffusion.importing.single_file.plan import SingleFilePlan
from headshots.diffusion.importing.single_file.vocabulary import Packages
from headshots.diffusion.importing.weights import pickled
from headshots.diffusion.publish import exclusive, publish_resumed, sweep
from headshots.diffusion.sampling.options import SAMPLERS
from headshots.errors import FailedPreconditionError, InvalidArgumentError

# Of the whole, what reading the source for its digest takes.
_READING = 0.2


def import_foundation(
    source: Path,
    out: Path,
    options: ImportOptions | None = None,
    progress: Progress | None = None,
    packages: Packages | None = None,
) -> Imported:
    """Make ``out`` the foundation that ``source`` holds, unless it is that already.

    Started again after it was killed, it goes on with the file that it had not finished, and the result has the same
    bytes.

    Args:
        source: a diffusers folder, or one safetensors file.
        out: becomes the foundation's; its parents are made.
        options: what the source does not say of itself.
        progress: called as it goes on.
        packages: where CLIP's vocabulary is brought from, which a single file lacks.

    Raises:
        InvalidArgumentError: FOUNDATION_NOT_FOUND, FOUNDATION_UNSUPPORTED (the kind, by name), FOUNDATION_PICKLED,
            FOUNDATION_INVALID (damaged or not whole), FOUNDATION_OUT_NOT_EMPTY, FOUNDATION_DIGEST_WRONG,
            SCHEDULER_UNSUPPORTED (it has no table; ``sampler`` names one), IMPORT_OPTIONS_INVALID; FUSE_*, of LoRA that
            are to be fused.
        FailedPreconditionError: FOUNDATION_CHANGED (while it was read), FOUNDATION_NO_ROOM; PACKAGE_MISSING,
            PACKAGE_CHANGED.
    """
    chosen, tell = options or ImportOptions(), progress or _silent
    source, out = source.expanduser().absolute(), out.expanduser().absolute()
    plan = make_plan(source, chosen)
    plan.check()
    digests = source_digests(plan.sources(), lambda what, share: tell(what, _READING * share))
    _check_digest(source, digests, chosen)
    key = import_key(digests, chosen)
    _check_replaceable(out, key)
    record = partial(record_text, source=source, digests=digests, options=chosen)
    brought = packages or Packages()
    pieces = partial(plan.pieces, digests, lambda: brought.vocabulary(out.parent, out.name))
    is_new = _make(out, key, pieces, record, tell)
    return Imported(out, is_new, plan.notes if is_new else ())


def _make(
    out: Path, key: str, pieces: Callable[[], list[Piece]], record: Callable[[Path], str], tell: Progress
) -> bool:
    """Whether ``out`` was not there yet."""

    def write(folder: Path) -> None:
        write_pieces(folder, key, wanted, lambda what, share: tell(what, _READING + share * (1 - _READING)))
        Foundation.read(folder)
        (folder / RECORD).write_text(record(folder), "utf-8")

    out.parent.mkdir(parents=True, exist_ok=True)
    sweep(out.parent, out.name)
    with exclusive(out):
        if recorded_key(out) == key and is_whole(out):
            return False
        with _telling_of_room(out.parent):
            wanted = pieces()
            publish_resumed(out, write)
            # Not before: whoever is killed while the disk takes all of it begins where it was.
            (out / JOURNAL).unlink()
    tell("done", 1.0)
    return True


def make_plan(source: Path, options: ImportOptions) -> Plan:
    """What is taken of ``source``; reads configurations and the headers of weights.

    Raises:
        InvalidArgumentError: FOUNDATION_NOT_FOUND, FOUNDATION_UNSUPPORTED, FOUNDATION_PICKLED, FOUNDATION_INVALID,
            FOUNDATION_SETTINGS_INVALID, SCHEDULER_UNSUPPORTED, IMPORT_OPTIONS_INVALID; FUSE_TWICE, FUSE_CHANGED,
            FUSE_CORRUPT, FUSE_UNSUPPORTED, FUSE_OTHER_FAMILY.
    """
    plain = _plain_plan(source, options)
    return plain if options.fusion is None else FusedPlan(plain, options.fusion)


def _plain_plan(source: Path, options: ImportOptions) -> PlainPlan:
    if options.sampler and options.sampler not in SAMPLERS:
        raise _wrong_options(source, f"to have the sampler {options.sampler!r}; known are {', '.join(SAMPLERS)}")
    if options.sampler and options.few_steps != NO_FEWER:
        raise _wrong_options(source, f"to be sampled as {options.few_steps} wants; leave the sampler out")
    if source.suffix in PICKLES and source.is_file():
        raise pickled(source.parent, [source.name])
    if source.is_dir():
        if options != ImportOptions(options.variant, sampler=options.sampler, fusion=options.fusion):
            raise _wrong_options(source, "a folder: digest, prediction, SNR and size are of a single file")
        return FolderPlan(source, options)
    if source.suffix == ".safetensors" and source.is_file():
        if options.variant is not None:
            raise _wrong_options(source, "a single file: variants are of a folder's files")
        return SingleFilePlan(source, options)
    if not source.exists():
        raise InvalidArgumentError("FOUNDATION_NOT_FOUND", f"{source} is not there")
    raise invalid_foundation(source, "neither a diffusers folder nor a .safetensors file")


def _check_digest(source: Path, digests: Mapping[str, str], options: ImportOptions) -> None:
    found = digests.get(source.name, "")
    if options.sha256 and found != options.sha256.lower():
        raise InvalidArgumentError(
            "FOUNDATION_DIGEST_WRONG",
            f"{source} has the SHA-256 {found}, not {options.sha256.lower()}: get it again, from where that was told",
        )


def _wrong_options(source: Path, why: str) -> InvalidArgumentError:
    return InvalidArgumentError("IMPORT_OPTIONS_INVALID", f"{source} is {why}")


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
