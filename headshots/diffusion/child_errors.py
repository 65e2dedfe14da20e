"""Carries progress and typed errors out of a child process, as lines of its output."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence

import grpc

from headshots.errors import HeadshotsError, error_class

_PREFIX = "error\t"
_PROGRESS = "progress\t"
_SHOWN_LINES = 20
_KILLED = "it was killed, as a system does that runs out of memory; give it more, or take a larger machine"


def error_line(error: HeadshotsError) -> str:
    """What the child prints, without the end of the line."""
    return _PREFIX + json.dumps({"code": error.code.name, "reason": error.reason, "message": error.message})


def error_of(line: str) -> HeadshotsError | None:
    """The error that a line of a child's output carries, of the class that was raised there; None: it carries none."""
    if not line.startswith(_PREFIX):
        return None
    value = json.loads(line.removeprefix(_PREFIX))
    return error_class(grpc.StatusCode[value["code"]], value["reason"])(value["reason"], value["message"])


def progress_line(what: str, share: float) -> str:
    """What the child prints of what it is doing and the share done, 0 to 1, without the end of the line."""
    return f"{_PROGRESS}{share:.3f}\t{what}"


def run_child(
    command: Sequence[str],
    environ: Mapping[str, str],
    progress: Callable[[str, float], None],
    failed: Callable[[str, str], HeadshotsError],
) -> None:
    """Run a child to its end, passing on its progress.

    Args:
        command: of the child.
        environ: its variables.
        progress: called with what its lines of :func:`progress_line` say.
        failed: makes the error for a child that ended with a status and told none: ``status 1``, and the end of what
            it said.

    Raises:
        HeadshotsError: what its line of :func:`error_line` says, else what ``failed`` makes.
    """
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        assert child.stdout is not None
        said = [line for line in child.stdout if not _pass_on(line, progress)]
    if child.returncode == 0:
        return
    if (raised := next(filter(None, map(error_of, said)), None)) is not None:
        raise raised
    end = _KILLED if child.returncode == -signal.SIGKILL else "".join(said[-_SHOWN_LINES:]).strip()
    raise failed(f"status {child.returncode}", end)


def _pass_on(line: str, progress: Callable[[str, float], None]) -> bool:
    """Whether the line was one of progress."""
    if not line.startswith(_PROGRESS):
        return False
    _, share, what = line.rstrip("\n").split("\t", 2)
    progress(what, float(share))
    return True
