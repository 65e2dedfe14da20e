"""Exports a foundation in a process of its own: ``python -m headshots.diffusion.export``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from headshots.diffusion.child_errors import error_line, progress_line
from headshots.diffusion.export.ensure import ensure_package, export_to
from headshots.diffusion.export.options import ExportOptions
from headshots.errors import HeadshotsError
from headshots.processes.parent_death import end_with_parent


def main() -> int:
    """Entry of the child process: progress as lines ``progress<TAB>share<TAB>stage``; an error as one line."""
    given = _parser().parse_args()
    if given.parent is not None:
        end_with_parent(given.parent)
    options = ExportOptions(**json.loads(given.options))
    make, folder = (ensure_package, given.cache) if given.cache is not None else (export_to, given.out)
    try:
        make(given.foundation, folder, options, _print_progress)
    except HeadshotsError as error:
        print(error_line(error), flush=True)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--foundation", type=Path, required=True)
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--cache", type=Path, help="folder that packages are kept in")
    place.add_argument("--out", type=Path, help="folder that becomes the package")
    parser.add_argument("--options", default="{}")
    parser.add_argument("--parent", type=int, help="process that this one ends with")
    return parser


def _print_progress(stage: str, share: float) -> None:
    print(progress_line(stage, share), flush=True)


if __name__ == "__main__":
    sys.exit(main())
