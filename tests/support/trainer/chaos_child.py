"""Runs the child process of :mod:`tests.support.trainer.chaos`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.support.trainer.chaos import PLAN, Plan, work

if __name__ == "__main__":
    status = work(Plan(Path(os.environ[PLAN])))
    sys.stderr.flush()
    # The real child process ends in the same way.
    os._exit(status)
