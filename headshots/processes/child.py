"""Runs a module in a process that ends when its parent does, however the parent ends.

``python -m headshots.processes.child PARENT MODULE ARGUMENTS``, where PARENT is the parent's process id.
"""

from __future__ import annotations

import runpy
import sys

from headshots.processes.parent_death import end_with_parent

if __name__ == "__main__":
    end_with_parent(int(sys.argv[1]))
    module = sys.argv[2]
    sys.argv = [module, *sys.argv[3:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
