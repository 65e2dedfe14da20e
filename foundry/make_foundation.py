"""Runs all stages in order, each with its share of the time: `python -m foundry.make_foundation --minutes 180`.

Every stage is a command of its own, resumes from its checkpoint and stops at its budget; running this again with
more minutes goes on where it stopped.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from foundry.latents import CHANNELS
from foundry.model_settings import FRAMING, LATENT_CHANNELS
from foundry.portraits import DEFAULT_FRAMING, FRAMINGS

SHARES = {"unet": 0.5, "autoencoder": 0.2, "probe": 0.02, "landmarker": 0.04, "embedder": 0.09, "start": 0.15}
PICTURES_A_FAMILY = 6  # so many pictures of the other stages stand for one family that the judges learn from


def stages(options: argparse.Namespace) -> list[list[str]]:
    """The commands to run, as arguments for `python -m`."""
    work = ["--work", str(options.work), "--pictures", str(options.pictures)]

    def budget(stage: str, option: str = "--minutes") -> list[str]:
        return [option, f"{options.minutes * SHARES[stage]:.2f}"]

    ranks = ["--ranks", str(options.ranks)]
    nets = [part for net in ("probe", "landmarker", "embedder") for part in budget(net, f"--{net}-minutes")]
    families = ["--families", str(options.pictures // PICTURES_A_FAMILY)]

    judges = options.out.with_name(options.out.name + "-judges") if options.toy else None
    framed, channels = ["--framing", options.framing], ["--channels", str(options.channels)]
    # Kept portraits are of one framing, in latents of one width. Of drawn ones it is known where the eyes are.
    is_kept = (options.framing, options.channels) == (DEFAULT_FRAMING, CHANNELS)
    fresh = [] if is_kept else ["--fresh", "--passes", "3", "--face-weight", "1", "--features-weight", "4"]
    where = ["--out", str(judges)] if judges else []
    read = ["--judges", str(judges)] if judges else []
    measure = ["--prompts", "10", "--seeds", "10"] if options.toy else []
    return [
        ["foundry.train_unet", *work, *budget("unet"), *ranks, *framed, *channels, *fresh],
        ["foundry.train_autoencoder", *work, *budget("autoencoder"), *framed],
        ["foundry.train_judges", *work[:2], *families, *nets, *where],
        ["foundry.export", "--work", str(options.work), "--out", str(options.out), *framed],
        ["foundry.train_initial_weights", *work[:2], "--model", str(options.out), *budget("start"), *ranks],
        ["foundry.evaluate", "--model", str(options.out), *read, *measure],
    ]


def main() -> None:
    """Parse the command line and run the stages, stopping at the first that fails."""
    parser = argparse.ArgumentParser(prog="python -m foundry.make_foundation", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("out/foundry"), help="where pictures and checkpoints live")
    parser.add_argument("--out", type=Path, default=Path("models/tiny-portrait"), help="the folder to write")
    parser.add_argument("--pictures", type=int, default=36_000, help="training pictures")
    parser.add_argument("--minutes", type=float, default=180, help="training time of all stages together")
    parser.add_argument(
        "--ranks", type=int, default=1, help="processes to share a CPU's cores among (UNet, initial weights)"
    )
    parser.add_argument("--framing", default=FRAMING, choices=tuple(FRAMINGS), help="how near the camera is")
    parser.add_argument("--channels", type=int, default=LATENT_CHANNELS, help="of the latents")
    parser.add_argument("--toy", action="store_true", help="few pictures to judge by, judges beside --out: for tests")
    options = parser.parse_args()
    for stage in stages(options):
        print("→", " ".join(stage), flush=True)
        subprocess.run([sys.executable, "-m", *stage], check=True)


if __name__ == "__main__":
    main()
