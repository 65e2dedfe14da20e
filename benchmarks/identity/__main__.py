"""Prints the digests of what a revision makes, or compares two such lists.

``python -m benchmarks.identity --tree FOLDER > before.json`` exports engine packages, trains and paints with the
checkout in FOLDER, and prints the SHA-256 of every file that comes out. ``--compare before.json after.json`` tells
which of them are equal and ends with 1 where any is not.

A run takes about three minutes of CPU time. Bytes may differ between machines and between versions of torch and
onnxruntime: compare runs of one machine and one environment.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.identity.checkout import Checkout
from benchmarks.identity.comparing import compare
from benchmarks.identity.making import measure


def main() -> None:
    """Measure or compare, as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.identity", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tree", type=Path, default=Path.cwd(), help="checkout to measure (the current folder)")
    parser.add_argument("--compare", type=Path, nargs=2, metavar=("BEFORE", "AFTER"), help="files of two runs")
    given = parser.parse_args()
    if given.compare:
        before, after = (json.loads(path.read_text("utf-8"))["items"] for path in given.compare)
        lines, are_equal = compare(before, after)
        print("\n".join(lines))
        sys.exit(0 if are_equal else 1)
    checkout = Checkout(given.tree.resolve())
    with tempfile.TemporaryDirectory(prefix="headshots-identity-") as work:
        items = measure(checkout, Path(work).resolve())
    print(json.dumps({"revision": checkout.revision(), "items": items}, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
