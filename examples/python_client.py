"""Selfies to the best portraits from Python: make a subject, upload selfies, order a shoot, fetch the best.

While `headshots serve all` runs, from the repository's root, on the selfies that `make demo` left:

    export HEADSHOTS_API_KEY=$(cat ~/.local/share/headshots/api-key)
    .venv/bin/python examples/python_client.py out/demo/selfies out/portraits business 40

`headshots.client.AsyncHeadshots` has the same methods for asyncio.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from headshots.client import Consent, Headshots, Shoot
from headshots.errors import HeadshotsError

PHOTOS = {".jpg", ".jpeg", ".png", ".webp", ".heic"}
USAGE = "usage: python_client.py SELFIES_FOLDER PORTRAITS_FOLDER PACK [COUNT]  (with HEADSHOTS_API_KEY set)"


def show(shoot: Shoot) -> None:
    """A line for each change."""
    trained = f"step {shoot.training_step}/{shoot.training_total_steps}"
    painted = f"painted {shoot.completed_shots}/{shoot.asked}, accepted {shoot.delivered}"
    print(f"{shoot.stage} {trained}, {painted}", file=sys.stderr)


def main(selfies: Path, portraits: Path, pack: str, count: int) -> None:
    """Order portraits of the person in `selfies` and write the ten best into `portraits`."""
    address = os.environ.get("HEADSHOTS_ADDRESS", "127.0.0.1:50051")
    with Headshots(address, os.environ["HEADSHOTS_API_KEY"]) as headshots:
        # A wrong folder or pack is reported before anything is made.
        photos = sorted(path for path in selfies.iterdir() if path.suffix.lower() in PHOTOS)
        if not photos:
            sys.exit(
                f"failed: {selfies} has no photos, {' '.join(sorted(PHOTOS))}; name the folder of one person's selfies"
            )
        headshots.get_pack(pack)
        # Show the person your statement and keep what they signed; the gateway trains nobody who did not agree.
        agreed = Consent("Portraits of me may be made of these photos.", version="2026-11", reference="form 4711")
        subject = headshots.create_subject("From Python", class_noun="person", consent=agreed)
        headshots.upload_photos(subject, photos)
        shoot = headshots.shoot(subject, pack=pack, count=count, on_progress=show)
        print(f"{shoot.guarantee}: {shoot.delivered} of {shoot.asked} accepted", file=sys.stderr)
        for file in headshots.download_images(shoot.gallery, portraits, best=10):
            print(file)


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5) or "HEADSHOTS_API_KEY" not in os.environ:
        sys.exit(USAGE)
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]) if len(sys.argv) == 5 else 40)
    except (HeadshotsError, OSError) as error:
        sys.exit(f"failed: {error}")
