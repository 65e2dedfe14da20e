"""Imports a foundation in a process of its own: ``python -m headshots.diffusion.importing SOURCE OUT PARENT``.

A fourth argument is the JSON of what is fused into it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from headshots.diffusion.child_errors import error_line, progress_line
from headshots.diffusion.foundations.names import named
from headshots.diffusion.importing.fusing.request import Fusion
from headshots.diffusion.importing.importer import import_foundation
from headshots.diffusion.importing.request import ImportOptions
from headshots.diffusion.importing.single_file.vocabulary import Packages
from headshots.errors import HeadshotsError
from headshots.processes.parent_death import end_with_parent


def main() -> int:
    """Entry of the child process: progress and an error as lines."""
    source, out, parent = named(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    fusion = Fusion.from_json(json.loads(sys.argv[4])) if len(sys.argv) > 4 else None
    end_with_parent(parent)
    try:
        import_foundation(
            source,
            out,
            ImportOptions(fusion=fusion),
            lambda what, share: print(progress_line(what, share), flush=True),
            Packages(environ=os.environ),
        )
    except HeadshotsError as error:
        print(error_line(error), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
