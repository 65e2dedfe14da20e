"""Measures how well a UNet knows faces: its error in held-out portraits' eyes, heads and whole pictures by noise level.

`python -m foundry.unet.measure_faces --work DIR --framing close` reads the averaged weights of a work folder. Weights
that were trained with any emphasis are compared by the same plain errors: of v as the UNet tells it, and of the clean
picture that it implies, in grey levels of 255.

Shapes: B portraits, C channels, H x W cells, N levels.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from foundry.diffusion import alphas_cumprod, noised, predict
from foundry.latents import PATCH, PatchCode, to_tensor
from foundry.model_settings import FRAMING
from foundry.models import load_weights, make_text_encoder, make_unet
from foundry.portraits import FRAMINGS
from foundry.tokens import tokenize
from foundry.unet.drawing import Drawn, Order, draw
from foundry.unet.face_cells import eye_cells
from headshots.faces.base import Part

LEVELS = (150, 350, 550, 750, 900)
"""Timesteps: signal shares of 0.88, 0.6, 0.3, 0.1 and 0.03."""
_BATCH = 50


@dataclass(frozen=True)
class Measured:
    """Held-out portraits with their captions, and which of their cells show what."""

    latents_BCHW: Tensor
    pixels_BCHW: Tensor
    captions: list[str]
    cells: Mapping[str, Tensor]  # each [B, 16, 16]

    @classmethod
    def of(cls, drawn: Drawn, code: PatchCode) -> Measured:
        """Of drawn portraits, their first caption each."""
        parts = torch.from_numpy(drawn.parts)
        head = parts[:, Part.FACE] + parts[:, Part.HAIR]
        eyes = eye_cells(torch.from_numpy(drawn.landmarks))
        pixels = to_tensor(drawn.pixels)
        texts = [captions[0] for captions in drawn.captions]
        return cls(code.encode(pixels), pixels, texts, {"eyes": eyes, "head": head, "all": torch.ones_like(eyes)})


@torch.no_grad()
def face_errors(
    unet: UNet2DConditionModel, text: CLIPTextModel, tokenizer: CLIPTokenizer, code: PatchCode, measured: Measured
) -> dict[str, dict[str, list[float]]]:
    """By region, a number a level: ``v``, the mean squared error, and ``grey``, the root of that of the pixels."""
    alphas = alphas_cumprod()
    found: dict[str, dict[str, list[float]]] = {name: {"v": [], "grey": []} for name in measured.cells}
    for level in LEVELS:
        v_BHW, pixel_BHW = _errors_at(unet, text, tokenizer, code, measured, level, alphas)
        for name, cells_BHW in measured.cells.items():
            found[name]["v"].append(round(_mean(v_BHW, cells_BHW), 4))
            found[name]["grey"].append(round(127.5 * _mean(pixel_BHW, cells_BHW) ** 0.5, 2))
    return found


def _errors_at(
    unet: UNet2DConditionModel,
    text: CLIPTextModel,
    tokenizer: CLIPTokenizer,
    code: PatchCode,
    measured: Measured,
    level: int,
    alphas_T: Tensor,
) -> tuple[Tensor, Tensor]:
    """Mean squares in each cell, [B, 16, 16]: of v, and of pixels in -1..1. The same noise for every UNet."""
    generator = torch.Generator().manual_seed(level)
    errors_v, errors_pixel = [], []
    for start in range(0, len(measured.captions), _BATCH):
        part = slice(start, start + _BATCH)
        latents = measured.latents_BCHW[part]
        given = noised(latents, torch.full((len(latents),), level), generator, alphas_T)
        context = text(tokenize(tokenizer, measured.captions[part])).last_hidden_state
        said = predict(unet, given, context)
        clean = alphas_T[level].sqrt() * given.noisy_BCHW - (1 - alphas_T[level]).sqrt() * said
        errors_v.append((said - given.target_BCHW).square().mean(1))
        squares = (code.decode(clean) - measured.pixels_BCHW[part]).square()
        errors_pixel.append(torch.nn.functional.avg_pool2d(squares, PATCH).mean(1))
    return torch.cat(errors_v), torch.cat(errors_pixel)


def _mean(values_BHW: Tensor, cells_BHW: Tensor) -> float:
    return float((values_BHW * cells_BHW).sum() / cells_BHW.sum())


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m foundry.unet.measure_faces", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("out/foundry"), help="where a training left unet.pt")
    parser.add_argument("--framing", default=FRAMING, choices=tuple(FRAMINGS))
    parser.add_argument("--portraits", type=int, default=200, help="held-out portraits, each of another person")
    options = parser.parse_args()
    tokenizer = CLIPTokenizer.from_pretrained(options.work / "tokenizer")
    code = PatchCode.load(options.work / "patch_code.npz")
    unet, text = make_unet(code.channels).eval(), make_text_encoder(tokenizer).eval()
    states = load_weights(options.work / "unet.pt")
    unet.load_state_dict(states["unet"])
    text.load_state_dict(states["text"])
    drawn = draw(Order(seed=0, first=0, count=options.portraits, framing=options.framing, held_out=True))
    print(json.dumps({"levels": LEVELS, **face_errors(unet, text, tokenizer, code, Measured.of(drawn, code))}))


if __name__ == "__main__":
    main()
