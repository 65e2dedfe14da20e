"""Runs the gateway on a local object store whose folders can be made to refuse deletes.

A folder that may not be written to refuses them: the kernel answers EACCES, as a bucket whose policy forbids deletions
answers 403. Unlike such a bucket, the folder refuses new objects too; other folders take them.

``python -m tests.support.gateway.refusing_store`` is the gateway, bound by the permissions of folders. Root is not, so
it runs without root's capabilities to pass over them.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

_WITHOUT = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner")


@contextlib.contextmanager
def refusing_deletes(folder: Path) -> Iterator[None]:
    """Nothing that lies in ``folder`` or below it can be deleted meanwhile; it can be read and listed."""
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    modes = [each.stat().st_mode for each in folders]
    for each in folders:
        each.chmod(0o500)
    try:
        yield
    finally:
        for each, mode in zip(folders, modes, strict=True):
            each.chmod(mode)


if __name__ == "__main__":
    # It still ends with the tests' process: exec keeps the parent.
    gateway = (sys.executable, "-m", "headshots.processes.child", str(os.getppid()), "services.gateway")
    command = (*(_WITHOUT if os.geteuid() == 0 else ()), *gateway)
    os.execvp(command[0], command)
