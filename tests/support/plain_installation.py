"""Runs the command line as a plain `pip install headshots` has it, without what the extras bring."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from headshots.cli.extras import MODULES

_PLAIN = """
import importlib.machinery, sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {modules!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name in {modules!r} else find(name)
from headshots.cli import main
sys.argv = ["headshots", *{arguments!r}]
main()
"""


def run_plain(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """How `headshots` ends with these arguments, and what it says."""
    modules = sorted({name for names in MODULES.values() for name in names})
    program = _PLAIN.format(modules=modules, arguments=list(arguments))
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
