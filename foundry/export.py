"""Stage 4: writes the work folder's weights as an ordinary diffusers StableDiffusionPipeline folder, fp16.

`python -m foundry.export --work DIR --out models/tiny-portrait`; what the folder holds beside the pipeline (model
card, scores) stays. The new folder replaces the old one at once, so a reader never meets a mixture.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, StableDiffusionPipeline
from transformers import CLIPTokenizer

from foundry.latents import PatchCode
from foundry.model_settings import FRAMING, write_settings
from foundry.models import SCHEDULE, load_weights, make_autoencoder, make_text_encoder, make_unet
from foundry.portraits import FRAMINGS
from foundry.published import check_code, published_autoencoder
from headshots.diffusion.foundations.foundation import Foundation

KEPT = ("README.md", "scores.json")
"""Not what adapters start from: it was learned on other weights."""


def build_pipeline(work: Path, published: Path) -> StableDiffusionPipeline:
    """The pipeline of the averaged weights in `work`, fp32, on the CPU. The autoencoder may be that of `published`.

    Raises:
        ValueError: `work` has no autoencoder, and its latents are not those of `published`, or wider.
    """
    tokenizer = CLIPTokenizer.from_pretrained(work / "tokenizer")
    code = PatchCode.load(work / "patch_code.npz")
    unet, text = make_unet(code.channels), make_text_encoder(tokenizer)
    states = load_weights(work / "unet.pt")
    unet.load_state_dict(states["unet"])
    text.load_state_dict(states["text"])
    return StableDiffusionPipeline(
        vae=autoencoder_of(work, code, published).eval(),
        text_encoder=text.eval(),
        tokenizer=tokenizer,
        unet=unet.eval(),
        scheduler=DPMSolverMultistepScheduler(**SCHEDULE, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def autoencoder_of(work: Path, code: PatchCode, published: Path) -> AutoencoderKL:
    """The work folder's autoencoder; where it has none, that of ``published``, which its UNet must have gone on from.

    Raises:
        ValueError: the work folder has none, and its latents are not those of ``published``, or have other channels.
    """
    autoencoder, trained = make_autoencoder(code.channels), work / "autoencoder.pt"
    if trained.exists():
        autoencoder.load_state_dict(load_weights(trained)["autoencoder"])
        return autoencoder
    known = Foundation.read(published).latent_channels
    if known != code.channels:
        start = f" --start {published}" if known < code.channels else ""
        raise ValueError(
            f"the latents in {work} have {code.channels} channels, those of {published} {known}: train an autoencoder "
            f"of theirs, python -m foundry.train_autoencoder --work {work}{start}"
        )
    check_code(published, code)
    autoencoder.load_state_dict(published_autoencoder(published, autoencoder))
    return autoencoder


def export_pipeline(work: Path, out: Path, framing: str = FRAMING) -> None:
    """Write the pipeline, its settings and the kept files beside `out`, then put them in its place.

    ``framing``: that of the portraits that its UNet learned; weights do not tell it.
    """
    fresh, old = out.with_name(out.name + ".new"), out.with_name(out.name + ".old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.parent.mkdir(parents=True, exist_ok=True)
    build_pipeline(work, out).to(torch.float16).save_pretrained(fresh, safe_serialization=True)
    for name in ("tokenizer.json", "vocab.json", "merges.txt"):
        shutil.copy(work / "tokenizer" / name, fresh / "tokenizer" / name)
    _load_text_in_fp32(fresh / "text_encoder" / "config.json")
    for path in fresh.rglob("*.safetensors"):
        path.chmod(0o644)
    write_settings(fresh / "headshots.yaml", framing)
    for name in KEPT:
        if (out / name).exists():
            shutil.copy(out / name, fresh / name)
    if out.exists():
        os.rename(out, old)
    os.rename(fresh, out)
    shutil.rmtree(old, ignore_errors=True)


def _load_text_in_fp32(path: Path) -> None:
    """Transformers loads in the type that the config names, diffusers in fp32: a plain load would mix the two."""
    config = json.loads(path.read_text())
    config["dtype"] = "float32"
    path.write_text(json.dumps(config, indent=2) + "\n")


def main() -> None:
    """Parse the command line and export."""
    parser = argparse.ArgumentParser(prog="python -m foundry.export", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("out/foundry"), help="where the stages left their weights")
    parser.add_argument("--out", type=Path, default=Path("models/tiny-portrait"), help="the folder to replace")
    parser.add_argument("--framing", default=FRAMING, choices=tuple(FRAMINGS), help="that the UNet was trained with")
    options = parser.parse_args()
    export_pipeline(options.work, options.out, options.framing)


if __name__ == "__main__":
    main()
