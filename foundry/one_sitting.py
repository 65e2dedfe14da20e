"""Trains the foundation further in one sitting on a machine with a GPU, and brings its weights home in pieces.

There, in a checkout that also has the patch code of the pipeline that is gone on with:

    python -m foundry.one_sitting run --minutes 8 --start models/tiny-portrait --code patch_code.npz --out OUT

All cores but two draw portraits; the GPU trains the UNet on them and then the autoencoder. The code is brought along
because another machine's linear algebra may turn the signs of its channels. OUT then holds files of at most 15 MiB:
`weights_0.part`, `weights_1.part`, `sheet.png` and `report.json`. Here:

    python -m foundry.one_sitting join OUT --work DIR

checks the pieces and leaves in DIR what `foundry.export` and `foundry.unet.measure_faces` read.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch

from foundry.latents import PatchCode
from foundry.model_settings import LATENT_CHANNELS
from foundry.models import load_weights
from foundry.tokens import save_tokenizer
from foundry.training import save_atomically

PIECE_BYTES = 15 * 2**20
# Of the minutes; the rest is what starting, drawing the autoencoder's pictures, measuring and packing take.
SHARES = {"unet": 0.68, "autoencoder": 0.14}
_NAMES = {"unet": ("unet", "text"), "autoencoder": ("autoencoder",)}


def stages(options: argparse.Namespace) -> list[list[str]]:
    """The commands to run, as arguments for `python -m`."""
    cores = os.cpu_count() or 1
    where = ["--work", str(options.work), "--start", str(options.start), "--framing", options.framing]

    def budget(stage: str) -> list[str]:
        return ["--minutes", f"{options.minutes * SHARES[stage]:.3f}", "--save-every", "1e9", "--sheet-every", "1e9"]

    drawn = ["--fresh", "--eager", "--channels", str(options.channels), "--workers", str(max(cores - 2, 1))]
    drawn += ["--passes", str(options.passes), "--round-batches", "8"]
    rates = ["--batch", str(options.batch), "--lr", str(options.lr)]
    pictures = ["--pictures", str(options.pictures), "--batch", str(max(options.batch // 8, 1))]
    return [
        ["foundry.train_unet", *where, *budget("unet"), *drawn, *rates, *options.emphasis],
        ["foundry.train_autoencoder", *where, *budget("autoencoder"), *pictures],
    ]


def run(options: argparse.Namespace) -> None:
    """Train, measure and pack.

    Raises:
        subprocess.CalledProcessError: a stage failed; its own message stands above.
    """
    started = time.monotonic()
    options.work.mkdir(parents=True, exist_ok=True)
    shutil.copy(options.code, options.work / "patch_code.npz")
    for stage in stages(options):
        print("→", " ".join(stage), flush=True)
        subprocess.run([sys.executable, "-m", *stage], check=True)
    measure = ["foundry.unet.measure_faces", "--work", str(options.work), "--framing", options.framing]
    found = subprocess.run([sys.executable, "-m", *measure], check=True, stdout=subprocess.PIPE, text=True).stdout
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{os.cpu_count()} CPU cores"
    steps = torch.load(options.work / "unet_checkpoint.pt", map_location="cpu", weights_only=True)["step"]
    told = {"device": device, "steps": steps, "batch": options.batch, "passes": options.passes}
    told |= {"framing": options.framing, "minutes": round((time.monotonic() - started) / 60, 2)}
    pack(options.work, options.out, {**told, "face_errors": json.loads(found)})


def pack(work: Path, out: Path, report: dict[str, Any]) -> None:
    """Write the work folder's averaged weights and code to ``out``: fp16, in pieces, with the newest sheet."""
    out.mkdir(parents=True, exist_ok=True)
    weights: dict[str, Any] = {}
    for stage in _NAMES:
        for name, state in load_weights(work / f"{stage}.pt").items():
            weights[name] = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
    code = PatchCode.load(work / "patch_code.npz")
    weights["code"] = {"mean_D": code.mean_D, "basis_DC": code.basis_DC, "scale_C": code.scale_C}
    packed = io.BytesIO()
    torch.save(weights, packed)
    content = packed.getvalue()
    count = -(-len(content) // PIECE_BYTES)
    for number in range(count):
        (out / f"weights_{number}.part").write_bytes(content[number * PIECE_BYTES : (number + 1) * PIECE_BYTES])
    shutil.copy(max((work / "sheets").glob("step_*.png")), out / "sheet.png")
    known = {"pieces": count, "sha256": hashlib.sha256(content).hexdigest()}
    (out / "report.json").write_text(json.dumps({**report, **known}, indent=2) + "\n")


def join(out: Path, work: Path) -> None:
    """Inverse of `pack`: weights in fp32, code and tokenizer in ``work``.

    Raises:
        ValueError: a piece is missing, or they are not those of the report.
    """
    report = json.loads((out / "report.json").read_text())
    pieces = [out / f"weights_{number}.part" for number in range(report["pieces"])]
    if missing := [piece.name for piece in pieces if not piece.exists()]:
        raise ValueError(f"{out} lacks {', '.join(missing)}; bring all pieces of the sitting home together")
    content = b"".join(piece.read_bytes() for piece in pieces)
    if hashlib.sha256(content).hexdigest() != report["sha256"]:
        raise ValueError(
            f"the pieces in {out} are not those of its report.json; bring all of one sitting home together"
        )
    weights = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    code = PatchCode(**weights.pop("code"))
    work.mkdir(parents=True, exist_ok=True)
    code.save(work / "patch_code.npz")
    save_tokenizer(work / "tokenizer")
    for stage, names in _NAMES.items():
        states = {
            name: {key: value.float() if value.is_floating_point() else value for key, value in weights[name].items()}
            for name in names
        }
        save_atomically(states, work / f"{stage}.pt")


def parser() -> argparse.ArgumentParser:
    """The command line's."""
    arguments = argparse.ArgumentParser(prog="python -m foundry.one_sitting", description=__doc__)
    commands = arguments.add_subparsers(dest="command", required=True)
    train = commands.add_parser(
        "run", help="where the GPU is: train, measure, pack; what follows -- goes to train_unet"
    )
    train.add_argument("--minutes", type=float, default=8, help="of the whole sitting, about")
    train.add_argument("--start", type=Path, default=Path("models/tiny-portrait"), help="the pipeline to go on with")
    train.add_argument("--code", type=Path, required=True, help="its patch_code.npz, widened or not")
    train.add_argument("--out", type=Path, required=True, help="folder for what is brought home")
    train.add_argument("--work", type=Path, default=Path("out/sitting"), help="where checkpoints live meanwhile")
    train.add_argument("--framing", default="close", help="how near the camera is")
    train.add_argument("--channels", type=int, default=LATENT_CHANNELS, help="of the latents")
    train.add_argument("--batch", type=int, default=512, help="portraits a step")
    train.add_argument("--passes", type=int, default=6, help="steps that a drawn portrait is used in")
    train.add_argument("--lr", type=float, default=2e-3, help="peak learning rate")
    train.add_argument("--pictures", type=int, default=6000, help="that the autoencoder learns from")
    train.add_argument("emphasis", nargs="*", help="after --: options of foundry.train_unet that weigh what is learned")
    joining = commands.add_parser("join", help="at home: check the pieces and unpack them")
    joining.add_argument("out", type=Path, help="the folder that was brought home")
    joining.add_argument("--work", type=Path, default=Path("out/foundry"), help="where to unpack")
    return arguments


def main() -> None:
    """Parse the command line; train or join."""
    options = parser().parse_args()
    if options.command == "run":
        run(options)
    else:
        join(options.out, options.work)


if __name__ == "__main__":
    main()
