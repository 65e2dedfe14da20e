"""The main job from Python: make a subject, upload selfies, train, receive a gallery.

While `headshots serve all` runs, from the repository's root, on the selfies that `make demo` left:

    export HEADSHOTS_API_KEY=$(cat ~/.local/share/headshots/api-key)
    .venv/bin/python examples/python_client.py out/demo/selfies out/gallery studio-navy-suit park-denim-jacket

`headshots.client.AsyncHeadshots` has the same methods for asyncio.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from headshots.client import Headshots, Training
from headshots.errors import HeadshotsError

PHOTOS = {".jpg", ".jpeg", ".png", ".webp", ".heic"}
USAGE = "usage: python_client.py SELFIES_FOLDER GALLERY_FOLDER STYLE…  (with HEADSHOTS_API_KEY set)"


def show(training: Training) -> None:
    """A line for each change."""
    print(f"{training.state} {training.step}/{training.total_steps} loss {training.loss:.4f}", file=sys.stderr)


def main(selfies: Path, gallery: Path, styles: list[str]) -> None:
    """Train on the photos in `selfies` and write portraits into `gallery`."""
    gallery.mkdir(parents=True, exist_ok=True)
    address = os.environ.get("HEADSHOTS_ADDRESS", "127.0.0.1:50051")
    with Headshots(address, os.environ["HEADSHOTS_API_KEY"]) as headshots:
        for style in styles:
            headshots.get_style(style)  # a wrong one is reported before the training, not after it
        subject = headshots.create_subject("From Python", class_noun="person")
        headshots.upload_photos(subject, sorted(path for path in selfies.iterdir() if path.suffix.lower() in PHOTOS))
        headshots.train(subject, on_progress=show)
        for painted in headshots.generate(subject, styles, shots_per_style=2):
            file = gallery / f"{painted.image.style.removeprefix('styles/')}-{painted.image.seed}.png"
            file.write_bytes(painted.content)
            print(file)


if __name__ == "__main__":
    if len(sys.argv) < 4 or "HEADSHOTS_API_KEY" not in os.environ:
        sys.exit(USAGE)
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
    except (HeadshotsError, OSError) as error:
        sys.exit(f"failed: {error}")
