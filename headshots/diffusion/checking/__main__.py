"""One side of a check, in a process of its own: ``python -m headshots.diffusion.checking SIDE TASK PARENT``.

Each in its own, because neither's memory shall count for the other, nor two large models be loaded at once.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from headshots.diffusion.checking.painting import Task
from headshots.diffusion.child_errors import error_line
from headshots.errors import HeadshotsError
from headshots.processes.parent_death import end_with_parent


def main() -> int:
    """Prints ``side<TAB>`` and what the side tells of itself, or an error as one line."""
    side, task, parent = sys.argv[1], Task(**json.loads(sys.argv[2])), int(sys.argv[3])
    end_with_parent(parent)
    try:
        if side == "engine":
            from headshots.diffusion.checking.engine import run
        else:
            from headshots.diffusion.checking.stock import run
        facts = run(task)
    except HeadshotsError as error:
        print(error_line(error), flush=True)
        return 1
    print(f"side\t{json.dumps(asdict(facts))}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
