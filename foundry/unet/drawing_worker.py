"""Draws orders in a process of its own: ``python -m foundry.unet.drawing_worker``, started by ``Workers``.

Reads pickled orders from stdin and answers each with pickled portraits on stdout, until stdin ends, as it does when its
parent ends.
"""

from __future__ import annotations

import os
import pickle
import sys

from foundry.unet.drawing import draw


def main() -> None:
    """Serve until stdin ends."""
    answers = sys.stdout.buffer
    # Whatever a library prints would else be taken for an answer.
    sys.stdout = sys.stderr
    # The trainer goes first: a late portrait is waited for once a round, a late gradient at every step.
    os.nice(5)
    while True:
        try:
            order = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(draw(order), answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


if __name__ == "__main__":
    main()
