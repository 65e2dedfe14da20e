"""Decodes one photo after another in a process of its own: `python -m headshots.imaging.workers.worker PARENT BYTES`.

PARENT is the process that started it and with which it ends; BYTES is how much memory it may take beyond its own. It
reads requests from its standard input and answers them on its standard output, in order.
"""

from __future__ import annotations

import importlib
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from headshots.errors import InvalidPhotoError
from headshots.imaging import PhotoLimits, decode_photo, open_photo
from headshots.imaging.files.refusals import too_costly
from headshots.imaging.workers.frames import read_frame, write_frame
from headshots.processes.cores import leave_no_core
from headshots.processes.parent_death import end_with_parent


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answers requests until they end. The first message says that the process is ready."""
    write_frame(answers, {"ready": True})
    while (request := read_frame(requests)) is not None:
        header, body = request
        # The kernel ends the process, whatever library is at work, when the photo's CPU time is used up.
        signal.setitimer(signal.ITIMER_PROF, header["cpu_seconds"])
        answer, picture = _answer(header, body)
        signal.setitimer(signal.ITIMER_PROF, 0)
        del request, body
        write_frame(answers, answer, picture)
        del picture


def _answer(header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        limits = PhotoLimits(**header["limits"])
        if "function" in header:
            return _function(header["function"])(body, limits, **header["arguments"]), b""
        if header["what"] == "png":
            photo = decode_photo(body, limits)
            digests = {"png_sha256": photo.png_sha256, "sha256": photo.sha256}
            return {"width": photo.width, "height": photo.height, **digests}, photo.png
        picture = open_photo(body, limits)
        return {"width": picture.width, "height": picture.height}, picture.tobytes()
    except InvalidPhotoError as error:
        return {"reason": error.reason, "message": error.message}, b""
    except MemoryError:
        refusal = too_costly("decoding the photo ran out of the memory that a photo may take")
        return {"reason": refusal.reason, "message": refusal.message}, b""
    except Exception:  # noqa: BLE001 - a defect of ours is told to the parent, which serves on
        traceback.print_exc()
        return {"defect": True}, b""


def _function(name: str) -> Callable[..., dict[str, Any]]:
    """What the pool's owner named as `module:function`."""
    module, _, function = name.partition(":")
    found: Callable[..., dict[str, Any]] = getattr(importlib.import_module(module), function)
    return found


def limit_memory(beyond: int) -> None:
    """Lets the process take `beyond` bytes more than it has now; an allocation above that fails. Linux only."""
    if sys.platform.startswith("linux"):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
        limit = pages * resource.getpagesize() + beyond
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    leave_no_core()


def main() -> None:
    """Serves standard input and output. What libraries print goes to standard error."""
    end_with_parent(int(sys.argv[1]), signal.SIGKILL)
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    limit_memory(int(sys.argv[2]))
    serve(requests, answers)


if __name__ == "__main__":
    main()
