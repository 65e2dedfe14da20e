"""`python -m headshots.cli.child PARENT MODULE` runs a module that ends when its parent does, however that ends."""

from __future__ import annotations

import runpy
import sys

from headshots.parent_death import end_with_parent

if __name__ == "__main__":
    end_with_parent(int(sys.argv[1]))
    module = sys.argv[2]
    sys.argv = [module, *sys.argv[3:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
