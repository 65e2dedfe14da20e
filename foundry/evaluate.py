"""Measures what the exported pipeline generates, by nets that saw only renders; writes scores.json.

`python -m foundry.evaluate --model models/tiny-portrait` loads the folder with stock diffusers, so that what is
scored is what is shipped.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from torch import Tensor

from foundry.dataset import render_range
from foundry.faces.judge_scores import HELD_OUT_PICTURES, embed_all, probe_accuracy, true_labels
from foundry.framing import framing_at
from foundry.judges import Embedder, Judges, Probe
from foundry.latents import to_tensor
from foundry.model_settings import settings
from foundry.portraits import BACKDROPS, HAIR_COLOURS, LIGHTS, OUTFITS
from foundry.progress import tqdm
from foundry.train_autoencoder import psnr_db
from foundry.train_judges import JUDGES_FOLDER, load_judges

_BATCH = 10


@dataclass(frozen=True)
class Prompt:
    """A prompt and what a portrait that follows it shows."""

    text: str
    wanted: dict[str, str]


def follow_prompts(count: int, seed: int = 7) -> list[Prompt]:
    """Prompts that name every attribute; outfits, backdrops and lights come round equally often."""
    rng = np.random.default_rng(seed)
    prompts = []
    for index in range(count):
        outfit, backdrop = OUTFITS[index % len(OUTFITS)], BACKDROPS[index % len(BACKDROPS)]
        light, hair = LIGHTS[index % len(LIGHTS)], HAIR_COLOURS[int(rng.integers(len(HAIR_COLOURS)))]
        man, glasses, beard = bool(rng.random() < 0.6), bool(rng.random() < 0.5), bool(rng.random() < 0.5)
        traits = ["glasses" if glasses else "no glasses"]
        if man:
            traits.append("a beard" if beard else "no beard")
        subject = f"{hair} haired {'man' if man else 'woman'} with {' and '.join(traits)}"
        wanted = {"outfit": outfit, "backdrop": backdrop, "light": light, "hair": hair, "glasses": traits[0]}
        if man:
            wanted["beard"] = traits[1]
        prompts.append(Prompt(_filled(subject, outfit, backdrop, light), wanted))
    return prompts


def _filled(subject: str, outfit: str, backdrop: str, light: str) -> str:
    template: str = settings()["prompt_template"]
    return template.format(framing="headshot", subject=subject, outfit=outfit, backdrop=backdrop, lighting=light)


def paint(pipeline: StableDiffusionPipeline, prompts: list[str], first_seed: int) -> Tensor:
    """Pictures [B, 3, H, W] in -1..1 with the recommended sampler; picture i has seed first_seed + i."""
    chosen = settings()
    pictures = []
    for start in tqdm(range(0, len(prompts), _BATCH), desc="painting", unit="batch"):
        part = prompts[start : start + _BATCH]
        generators = [torch.Generator().manual_seed(first_seed + start + i) for i in range(len(part))]
        result = pipeline(
            part,
            num_inference_steps=chosen["steps"],
            guidance_scale=chosen["guidance_scale"],
            generator=generators,
            output_type="np",
        )
        pictures.append(torch.from_numpy(result.images).permute(0, 3, 1, 2) * 2 - 1)
    return torch.cat(pictures)


def prompt_following(probe: Probe, prompts: list[Prompt], painted_BCHW: Tensor) -> dict[str, float]:
    """For each attribute, the share of pictures that show what their prompt names."""
    answers = probe.answers(painted_BCHW)
    hits: dict[str, list[bool]] = defaultdict(list)
    for index, prompt in enumerate(prompts):
        for attribute, wanted in prompt.wanted.items():
            hits[attribute].append(answers[attribute][index] == wanted)
    return {attribute: round(float(np.mean(found)), 4) for attribute, found in hits.items()}


def identity_diversity(vectors_BD: Tensor, same_person_from: float) -> float:
    """The share of pictures whose nearest other picture still counts as another person."""
    similarity = vectors_BD @ vectors_BD.T
    similarity.fill_diagonal_(-1)
    return float((similarity.max(1).values < same_person_from).float().mean())


def frechet_distance(first_ND: Tensor, second_ND: Tensor) -> float:
    """Between Gaussians fitted to two sets of features (arXiv 1706.08500, with our embedder in Inception's place)."""
    means = [features.double().mean(0) for features in (first_ND, second_ND)]
    covariances = [torch.cov(features.double().T) for features in (first_ND, second_ND)]
    # The trace of sqrtm(A B) is the sum of the roots of the eigenvalues of A B, all real and not negative.
    roots = torch.linalg.eigvals(covariances[0] @ covariances[1]).real.clamp_min(0).sqrt().sum()
    total = (means[0] - means[1]).square().sum() + torch.trace(covariances[0]) + torch.trace(covariances[1]) - 2 * roots
    return float(total)


def one_prompt_many_seeds(count: int) -> list[str]:
    """The prompts of the diversity measure: one wording, the same class noun throughout."""
    return [_filled("man", "white shirt", "plain grey studio", "soft studio lighting")] * count


@torch.no_grad()
def autoencoder_psnr(pipeline: StableDiffusionPipeline, pixels_BCHW: Tensor) -> float:
    """Encode and decode renders of people never seen."""
    parts = []
    for part in torch.split(pixels_BCHW, 16):
        latents = pipeline.vae.encode(part).latent_dist.mode()
        parts.append(pipeline.vae.decode(latents).sample)
    return psnr_db(torch.cat(parts), pixels_BCHW)


def evaluate(model: Path, judges: Judges, prompts: int, seeds: int) -> tuple[dict[str, object], Tensor]:
    """All scores of one pipeline folder, and the pictures that its prompts gave; true ones are framed as its own."""
    pipeline = StableDiffusionPipeline.from_pretrained(model)
    pipeline.set_progress_bar_config(disable=True)
    real = to_tensor(render_range(0, HELD_OUT_PICTURES, held_out=True, framing=framing_at(model)))
    asked = follow_prompts(prompts)
    painted = paint(pipeline, [prompt.text for prompt in asked], 1000)
    crowd = paint(pipeline, one_prompt_many_seeds(seeds), 5000)
    scores: dict[str, object] = {
        "autoencoder_psnr_db": round(autoencoder_psnr(pipeline, real[:128]), 2),
        "prompt_following": prompt_following(judges.probe, asked, painted),
        "identity_diversity": round(identity_diversity(embed_all(judges.embedder, crowd), judges.same_person_from), 4),
        "identity_diversity_of_renders": _diversity_of_renders(judges.embedder, judges.same_person_from, real, seeds),
        "probe_accuracy": probe_accuracy(judges.probe, real, true_labels(HELD_OUT_PICTURES, held_out=True)),
        "fid_like": round(frechet_distance(embed_all(judges.embedder, real), embed_all(judges.embedder, painted)), 4),
        "pictures": {"prompts": prompts, "seeds": seeds, "steps": settings()["steps"]},
    }
    return scores, painted


def _diversity_of_renders(embedder: Embedder, same_person_from: float, real_BCHW: Tensor, count: int) -> float:
    """The same measure on as many true people, one picture each: what a perfect model would score."""
    vectors = embed_all(embedder, real_BCHW[::2][:count])
    return round(identity_diversity(vectors, same_person_from), 4)


def contact_sheet(pictures_BCHW: Tensor, columns: int) -> Image.Image:
    """Pictures in rows of `columns`."""
    pixels = ((pictures_BCHW.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    whole = len(pixels) // columns * columns
    rows = [np.concatenate(list(pixels[start : start + columns]), 1) for start in range(0, whole, columns)]
    return Image.fromarray(np.concatenate(rows))


def main() -> None:
    """Parse the command line, measure, write scores.json into the model's folder."""
    parser = argparse.ArgumentParser(prog="python -m foundry.evaluate", description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/tiny-portrait"), help="the pipeline folder")
    parser.add_argument("--judges", type=Path, default=JUDGES_FOLDER, help="the judges' folder")
    parser.add_argument("--prompts", type=int, default=260, help="pictures for prompt following")
    parser.add_argument("--seeds", type=int, default=200, help="pictures for identity diversity")
    parser.add_argument("--sheet", type=Path, help="also write a contact sheet here (.jpg)")
    options = parser.parse_args()
    scores, painted = evaluate(options.model, load_judges(options.judges), options.prompts, options.seeds)
    (options.model / "scores.json").write_text(json.dumps(scores, indent=2) + "\n")
    if options.sheet:
        contact_sheet(painted[:32], 8).save(options.sheet, quality=80)
    print(json.dumps(scores, indent=2))


if __name__ == "__main__":
    main()
