"""What a foundation's start cost: the initial weights of adapters, which ours have and the peer has not.

It is learned once for a foundation (``python -m foundry.train_initial_weights``) and no part of a training: figures of
equal time leave it out, so what it cost stands beside them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Start:
    """Minutes of wall time and cores that they took, people it was learned on, and where this is written."""

    minutes: float
    cores: int
    people: int
    source: str


# By the SHA-256 of the file.
_KNOWN = {
    "a5f2a2b2244a27d79c0a0c79fc8d9f633c061f243b0bc406ca708bb4d028f67a": Start(
        116, 2, 1777, "models/tiny-portrait/README.md"
    ),
}


def start_cost(sha256: str | None) -> dict[str, Any] | None:
    """What is known of a start, as JSON; ``sha256``: of its file, None where adapters start from noise.

    ``minutes`` and the rest are absent where nobody wrote down what the start cost.
    """
    if sha256 is None:
        return None
    known = _KNOWN.get(sha256)
    return {"sha256": sha256, **({} if known is None else asdict(known))}
