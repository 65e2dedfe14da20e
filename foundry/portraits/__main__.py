"""Command line: `python -m foundry.portraits selfies --person 7 --count 10 --out DIR`, or `sheet --out FILE`."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from foundry.portraits import held_out_seed, render, sample_identity, sample_scene, sample_selfies


def main() -> None:
    """Parse the command line and write the files."""
    parser = argparse.ArgumentParser(prog="python -m foundry.portraits", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    selfies = commands.add_parser("selfies", help="casual photos of one person no model was trained on")
    selfies.add_argument("--person", type=int, default=7, help="which person, 0 ..")
    selfies.add_argument("--count", type=int, default=10, help="how many photos")
    selfies.add_argument("--size", type=int, default=256, help="pixels a side")
    selfies.add_argument("--out", type=Path, required=True, help="folder for selfie_00.jpg ..")
    sheet = commands.add_parser("sheet", help="a contact sheet: one person a row")
    sheet.add_argument("--out", type=Path, required=True, help="image file to write")
    sheet.add_argument("--people", type=int, default=6, help="rows")
    sheet.add_argument("--scenes", type=int, default=8, help="columns")
    options = parser.parse_args()
    if options.command == "selfies":
        write_selfies(options.out, options.person, options.count, options.size)
    else:
        contact_sheet(options.people, options.scenes).save(options.out, quality=82)


def write_selfies(folder: Path, person: int, count: int, size: int) -> None:
    """Write selfie_00.jpg .. into `folder`, which is made if missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, data in enumerate(sample_selfies(held_out_seed(person), count, size)):
        (folder / f"selfie_{index:02d}.jpg").write_bytes(data)


def contact_sheet(people: int, scenes: int) -> Image.Image:
    """Held-out people in studio scenes."""
    rng = np.random.default_rng(3)
    rows = []
    for person in range(people):
        identity = sample_identity(held_out_seed(person))
        rows.append(np.concatenate([render(identity, sample_scene(rng)) for _ in range(scenes)], 1))
    return Image.fromarray(np.concatenate(rows))


if __name__ == "__main__":
    main()
