"""A gateway that is killed at a certain point of storing photos: ``python -m tests.support.gateway.killed``.

The point stands in the environment. Without one it is a gateway as any other.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from typing import Any

import obstore

from services.gateway.__main__ import main

POINT = "KILLED_GATEWAY_POINT"
WRITING = "writing"
"""Half of the second photo's object is written."""
STORED = "stored"
"""The second photo's object is stored, and no row of any."""

_put = obstore.put
_photos = 0


def put(store: Any, key: str, data: bytes, **options: Any) -> Any:
    """As obstore's, but for the second photo."""
    global _photos
    _photos += "/photos/" in key
    if _photos == 2 and os.environ[POINT] == WRITING:
        # The kernel kills the process as it writes on.
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(data) // 2, len(data) // 2))
    done = _put(store, key, data, **options)
    if _photos == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return done


if __name__ == "__main__":
    if os.environ.get(POINT):
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        obstore.put = put
    sys.exit(main())
