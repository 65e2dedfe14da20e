"""``headshots export``: a foundation's engine package, made once and kept by digest.

Nothing here imports torch until a package really has to be made, so that the serving process can ask for a package that
is there already. To make one without torch in the asking process run ``python -m headshots.diffusion.export``.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from headshots.diffusion.foundation import Foundation, foundation_digest
from headshots.diffusion.package import FORMAT, MANIFEST
from headshots.errors import HeadshotsError, InvalidArgumentError, UnavailableError
from headshots.settings import make_private

Progress = Callable[[str, float], None]
"""Called with what is being done now and the share done, 0 to 1."""

REVISION = 4
"""Grows whenever the export writes something else for the same foundation and options."""
DEFAULT_MAX_RANK = 16


@dataclass(frozen=True)
class ExportOptions:
    """What an engine is made for.

    Attributes:
        max_rank: largest LoRA rank that fits; 0 takes the foundation's training recipe's, else 16. Every call pays
            for it, so no more than is needed.
        slots: S of the bank, slot 0 (the bare foundation) included; 2 to 1024.
        max_rows: rows a UNet call takes at most, 2 to 256 (an image with guidance takes two).
        precision: ``fp32`` or ``fp16``; the UNet's, which is where the time goes. In fp16 its normalisations and
            timestep embedding stay fp32, as do the text encoders (cached) and the VAE (which overflows in fp16).
    """

    max_rank: int = 0
    slots: int = 16
    max_rows: int = 16
    precision: str = "fp32"

    def resolved(self, foundation: Foundation) -> ExportOptions:
        """With ``max_rank`` filled in, and checked.

        Raises:
            InvalidArgumentError: EXPORT_OPTIONS_INVALID.
        """
        rank = self.max_rank or int(foundation.training.get("rank", DEFAULT_MAX_RANK))
        limits = ((rank, 1, 128, "max_rank"), (self.slots, 2, 1024, "slots"), (self.max_rows, 2, 256, "max_rows"))
        for value, low, high, name in limits:
            if not low <= value <= high:
                raise InvalidArgumentError("EXPORT_OPTIONS_INVALID", f"{name}={value}; use {low} to {high}")
        if self.precision not in ("fp32", "fp16"):
            raise InvalidArgumentError("EXPORT_OPTIONS_INVALID", f"precision {self.precision!r}; use fp32 or fp16")
        return ExportOptions(rank, self.slots, self.max_rows, self.precision)


def ensure_package(
    foundation: Path, cache_dir: Path, options: ExportOptions | None = None, progress: Progress | None = None
) -> Path:
    """The package of ``foundation`` within ``cache_dir``, exported if it is not there yet.

    Safe under several processes at once: one exports, the others wait for it. A package appears whole or not at all.

    Raises:
        InvalidArgumentError: FOUNDATION_*, EXPORT_OPTIONS_INVALID.
        InternalError: EXPORT_MISMATCH.
    """
    described = Foundation.read(foundation)
    chosen = (options or ExportOptions()).resolved(described)
    digest = foundation_digest(foundation)
    folder = cache_dir / package_name(described, digest, chosen)
    if (folder / MANIFEST).is_file():
        return folder
    # An export may be the first to make the home, where photos and the key will lie.
    make_private(cache_dir)
    with _lock(cache_dir / f"{folder.name}.lock"):
        if not (folder / MANIFEST).is_file():
            write_package(described, digest, folder, chosen, progress or _silent)
    return folder


def ensure_package_in_child(
    foundation: Path, cache_dir: Path, options: ExportOptions | None = None, progress: Progress | None = None
) -> Path:
    """:func:`ensure_package`, with torch in a child process only.

    Raises:
        InvalidArgumentError: as :func:`ensure_package`.
        UnavailableError: EXPORT_FAILED, with the end of what the child said.
    """
    described = Foundation.read(foundation)
    chosen = (options or ExportOptions()).resolved(described)
    folder = cache_dir / package_name(described, foundation_digest(foundation), chosen)
    if (folder / MANIFEST).is_file():
        return folder
    command = [sys.executable, "-m", "headshots.diffusion.export", "--foundation", str(foundation)]
    command += ["--cache", str(cache_dir), "--options", json.dumps(asdict(chosen))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        assert child.stdout is not None
        said = [line for line in child.stdout if not _report(line, progress or _silent)]
    if child.returncode != 0:
        tail = "".join(said[-20:]).strip()
        raise UnavailableError("EXPORT_FAILED", f"the export ended with status {child.returncode}: {tail}")
    return folder


def package_name(foundation: Foundation, digest: str, options: ExportOptions) -> str:
    """Folder name of a package: readable, and unique to foundation, options and exporter."""
    key = json.dumps([digest, asdict(options), FORMAT, REVISION], sort_keys=True)
    return f"{foundation.name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"


def write_package(
    foundation: Foundation, digest: str, folder: Path, options: ExportOptions, progress: Progress
) -> None:
    """Export into ``folder``, which appears whole or not at all and replaces nothing that is whole."""
    # torch, diffusers and transformers come in here and nowhere else.
    from headshots.diffusion.exporter import export_into

    partial = folder.with_name(f"{folder.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        export_into(partial, foundation, digest, options, progress)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on ``path`` between processes; it falls with the process that holds it."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _silent(stage: str, share: float) -> None:
    """No progress wanted."""


def _report(line: str, progress: Progress) -> bool:
    """Pass on a progress line of the child; whether it was one."""
    if not line.startswith("progress\t"):
        return False
    _, share, stage = line.rstrip("\n").split("\t", 2)
    progress(stage, float(share))
    return True


def main() -> int:
    """Entry of the child process: progress as lines ``progress<TAB>share<TAB>stage``."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--foundation", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--options", default="{}")
    given = parser.parse_args()
    try:
        ensure_package(
            given.foundation,
            given.cache,
            ExportOptions(**json.loads(given.options)),
            lambda stage, share: print(f"progress\t{share:.3f}\t{stage}", flush=True),
        )
    except HeadshotsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
