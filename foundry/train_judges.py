"""Stage 5: trains the probe and the identity embedder on renders of training people only.

`python -m foundry.train_judges --work DIR` writes `foundry/judges_weights/judges.safetensors` (fp16) beside a
`judges.json` with what they score on people they never saw; run again, it goes on from there.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from foundry.dataset import PICTURES_A_PERSON, example, prepare_pictures, render_range
from foundry.faces import hard_pairs
from foundry.judges import ATTRIBUTES, Embedder, Judges, Probe, labels
from foundry.latents import to_tensor
from foundry.progress import tqdm
from foundry.training import Budget, learning_rate_factor

JUDGES_FOLDER = Path(__file__).parent / "judges_weights"
TEMPERATURE = 0.07
ALIKE_SHARE = 0.7  # of the embedder's batches: people of one class noun and hair colour, whom only the face tells apart
FALSE_MATCH_RATE = 1e-4
HELD_OUT_PICTURES = 1200
ROWS = 64


def true_labels(count: int, held_out: bool = False) -> Tensor:
    """int64 [N, attributes] of pictures 0 .. count-1."""
    return torch.tensor([labels(*example(index, held_out)) for index in range(count)])


def people_alike(people: int) -> list[npt.NDArray[np.int64]]:
    """People 0 .. people-1 by class noun and hair colour, groups of one person left out."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for person in range(people):
        identity, _ = example(person * PICTURES_A_PERSON)
        groups[identity.class_noun, identity.hair_colour].append(person)
    return [np.array(group) for group in groups.values() if len(group) > 1]


def probe_loss(probe: Probe, pixels_BCHW: Tensor, labels_BA: Tensor) -> Tensor:
    """The attributes' cross entropies, summed."""
    losses = [nn.functional.cross_entropy(logits, labels_BA[:, i]) for i, logits in enumerate(probe(pixels_BCHW))]
    return torch.stack(losses).sum()


def embedder_loss(embedder: Embedder, pixels_BCHW: Tensor) -> Tensor:
    """InfoNCE both ways: rows 2k and 2k+1 show one person, all others are strangers."""
    vectors = embedder(pixels_BCHW)
    similarity = vectors @ vectors.T / TEMPERATURE
    similarity = similarity.masked_fill(torch.eye(len(vectors), dtype=torch.bool), float("-inf"))
    partner = torch.arange(len(vectors)) ^ 1
    return nn.functional.cross_entropy(similarity, partner)


def augmented(pixels_BCHW: Tensor, rng: np.random.Generator) -> Tensor:
    """Shifts of up to 3 pixels, contrast, soft noise and at times a blur: generated pictures are not so crisp."""
    dx, dy = (int(value) for value in rng.integers(-3, 4, 2))
    moved = torch.roll(pixels_BCHW, (dy, dx), (2, 3)) * float(rng.uniform(0.92, 1.06))
    if rng.random() < 0.5:
        moved = nn.functional.avg_pool2d(moved, 3, 1, 1, count_include_pad=False)
    noise = torch.randn(moved.shape, generator=torch.Generator().manual_seed(int(rng.integers(1 << 62))))
    return moved + float(rng.uniform(0, 0.08)) * noise


def fit(model: nn.Module, loss_of_next: Callable[[], Tensor], budget: Budget, name: str) -> None:
    """Train `model` until the budget is spent; `loss_of_next` draws a batch and computes its loss."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.02)
    model.train()
    step = 0
    with tqdm(desc=name, unit="step", mininterval=5) as bar:
        while (progress := budget.progress(step)) < 1:
            for group in optimizer.param_groups:
                group["lr"] = 2e-3 * learning_rate_factor(step, progress, decay_from=0.3)
            with torch.autocast("cpu", torch.bfloat16):
                loss = loss_of_next()
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimizer.step()
            step += 1
            bar.update()
            bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
    model.eval()


def train_judges(
    work: Path,
    pictures: int,
    budgets: tuple[Budget, Budget],
    held_out_pictures: int = HELD_OUT_PICTURES,
    seed: int = 0,
    start: Judges | None = None,
) -> Judges:
    """The probe and the embedder, from `start` if given, each with its own budget.

    The threshold comes from people that neither saw.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    images = prepare_pictures(work, pictures)
    truth = true_labels(pictures) if budgets[0].progress(0) < 1 else torch.zeros(pictures, len(ATTRIBUTES))
    people = pictures // PICTURES_A_PERSON
    rows, pairs = min(ROWS, pictures), min(ROWS, people)
    probe, embedder = _models(start)

    def batch(chosen: npt.NDArray[np.int64]) -> Tensor:
        return augmented(to_tensor(images[chosen]), rng).contiguous(memory_format=torch.channels_last)

    def probe_step() -> Tensor:
        chosen = rng.choice(pictures, rows, replace=False)
        return probe_loss(probe, batch(chosen), truth[chosen])

    groups = people_alike(people) if budgets[1].progress(0) < 1 else []

    def embedder_step() -> Tensor:
        alike = groups and rng.random() < ALIKE_SHARE
        among = groups[rng.integers(len(groups))] if alike else np.arange(people)
        chosen = rng.choice(among, min(pairs, len(among)), replace=False)
        return embedder_loss(embedder, batch((chosen[:, None] * PICTURES_A_PERSON + np.arange(2)).reshape(-1)))

    fit(probe, probe_step, budgets[0], "probe")
    fit(embedder, embedder_step, budgets[1], "embedder")
    held_out = to_tensor(render_range(0, held_out_pictures, held_out=True))
    return Judges(probe, embedder, verification(embed_all(embedder, held_out))["threshold"])


def _models(start: Judges | None) -> tuple[Probe, Embedder]:
    """Those of ``start``, or new ones."""
    probe, embedder = (start.probe, start.embedder) if start else (Probe(), Embedder())
    for model in (probe, embedder):
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # the stubs lack this form
    return probe, embedder


@torch.no_grad()
def embed_all(embedder: Embedder, pixels_BCHW: Tensor) -> Tensor:
    """Embeddings [B, D] in batches."""
    return torch.cat([embedder(part) for part in torch.split(pixels_BCHW, 100)])


def hard_pair_scores(embedder: Embedder, people: int) -> dict[str, float]:
    """How well it sees the face: `foundry.faces.hard_pairs.scores` of people who taught no net and chose no recipe."""

    def embed(pictures: Sequence[hard_pairs.Pixels]) -> hard_pairs.Floats:
        return embed_all(embedder, to_tensor(np.stack(pictures))).numpy()

    return hard_pairs.rounded(hard_pairs.scores(hard_pairs.embed_families(embed, people)))


def verification(vectors_BD: Tensor) -> dict[str, float]:
    """How well pairs of one person (rows 2k, 2k+1) stand apart from strangers: threshold, rates, ROC area."""
    similarity = vectors_BD @ vectors_BD.T
    person = torch.arange(len(vectors_BD)) // PICTURES_A_PERSON
    same = (person[:, None] == person[None, :]).triu(1)
    strangers = similarity[(person[:, None] != person[None, :]).triu(1)]
    pairs = similarity[same]
    rank = max(int(len(strangers) * FALSE_MATCH_RATE), 1)
    threshold = float(strangers.topk(rank).values[-1])
    ordered = strangers.sort().values
    area = torch.searchsorted(ordered, pairs).float().mean() / len(ordered)
    return {
        "threshold": threshold,
        "true_match_rate": float((pairs >= threshold).float().mean()),
        "false_match_rate": FALSE_MATCH_RATE,
        "roc_area": float(area),
    }


@torch.no_grad()
def probe_accuracy(probe: Probe, pixels_BCHW: Tensor, truth_BA: Tensor) -> dict[str, float]:
    """The share of right answers for each attribute."""
    parts = [torch.stack([logits.argmax(1) for logits in probe(part)], 1) for part in torch.split(pixels_BCHW, 100)]
    right = (torch.cat(parts) == truth_BA).float().mean(0)
    return {name: round(float(value), 4) for name, value in zip(ATTRIBUTES, right, strict=True)}


def save_judges(judges: Judges, folder: Path, scores: dict[str, object]) -> None:
    """judges.safetensors (fp16) and judges.json."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        f"{name}.{key}": value.half().contiguous() if value.is_floating_point() else value
        for name, model in (("probe", judges.probe), ("embedder", judges.embedder))
        for key, value in model.state_dict().items()
    }
    save_file(tensors, folder / "judges.safetensors")
    (folder / "judges.safetensors").chmod(0o644)
    (folder / "judges.json").write_text(
        json.dumps({"same_person_from": judges.same_person_from, **scores}, indent=2) + "\n"
    )


def load_judges(folder: Path = JUDGES_FOLDER) -> Judges:
    """What `save_judges` wrote, in fp32, ready to answer."""
    tensors = load_file(folder / "judges.safetensors")
    probe, embedder = Probe(), Embedder()
    for name, model in (("probe", probe), ("embedder", embedder)):
        model.load_state_dict({k.removeprefix(name + "."): v for k, v in tensors.items() if k.startswith(name + ".")})
        model.eval()
    return Judges(probe, embedder, json.loads((folder / "judges.json").read_text())["same_person_from"])


def main() -> None:
    """Parse the command line, train, measure on held-out people and save."""
    parser = argparse.ArgumentParser(prog="python -m foundry.train_judges", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("out/foundry"), help="where the pictures live")
    parser.add_argument("--pictures", type=int, default=36_000, help="training pictures")
    parser.add_argument("--probe-minutes", type=float, default=3, help="0 keeps a probe that is there as it is")
    parser.add_argument("--embedder-minutes", type=float, default=6, help="0 keeps an embedder that is there as it is")
    parser.add_argument("--seed", type=int, default=0, help="another one where training goes on")
    parser.add_argument("--out", type=Path, default=JUDGES_FOLDER, help="weights to go on from, if any, and to write")
    options = parser.parse_args()
    start = load_judges(options.out) if (options.out / "judges.json").exists() else None
    budgets = Budget(60 * options.probe_minutes, None), Budget(60 * options.embedder_minutes, None)
    judges = train_judges(options.work, options.pictures, budgets, seed=options.seed, start=start)
    held_out = to_tensor(render_range(0, HELD_OUT_PICTURES, held_out=True))
    scores: dict[str, object] = {
        "probe_accuracy": probe_accuracy(judges.probe, held_out, true_labels(HELD_OUT_PICTURES, held_out=True)),
        "verification": verification(embed_all(judges.embedder, held_out)),
        "hard_pairs": hard_pair_scores(judges.embedder, hard_pairs.GALLERY),
    }
    save_judges(judges, options.out, scores)
    print(json.dumps(scores, indent=2))


if __name__ == "__main__":
    main()
