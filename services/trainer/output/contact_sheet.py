"""Makes the contact sheet (JPEG) and the card (Markdown) of a training. No torch here."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from headshots.faces import Pixels
from services.trainer.output.provenance import Provenance
from services.trainer.queue.job import JobRequest
from services.trainer.selection.scores import TrainingScores

_CELL_PX, _GAP_PX = 192, 6
_BACKGROUND = (255, 255, 255)


def contact_sheet(
    held_out: Sequence[Pixels], portraits: Sequence[Sequence[Pixels]], bare: Sequence[Sequence[Pixels]]
) -> bytes:
    """A JPEG: a row of the held-out photos, if any; a row of portraits for each seed; a row of the bare foundation's.

    ``portraits``, ``bare``: [prompts][seeds].
    """
    rows = [list(held_out)] if held_out else []
    rows += [list(row) for row in zip(*portraits, strict=True)]
    rows += [[row[0] for row in bare]]
    columns = max(len(row) for row in rows)
    height, width = portraits[0][0].shape[:2]
    cell = (_CELL_PX, max(round(_CELL_PX * height / width), 1))
    page = Image.new(
        "RGB", (columns * (cell[0] + _GAP_PX) + _GAP_PX, len(rows) * (cell[1] + _GAP_PX) + _GAP_PX), _BACKGROUND
    )
    for y, row in enumerate(rows):
        for x, image in enumerate(row):
            resized = Image.fromarray(np.asarray(image)).resize(cell, Image.Resampling.LANCZOS)
            page.paste(resized, (_GAP_PX + x * (cell[0] + _GAP_PX), _GAP_PX + y * (cell[1] + _GAP_PX)))
    packed = io.BytesIO()
    page.save(packed, "JPEG", quality=88)
    return packed.getvalue()


def card(
    request: JobRequest, provenance: Provenance, scores: TrainingScores, prompts: Sequence[str], sheet: str
) -> str:
    """The adapter's model card, with the front matter that model hubs read."""
    recipe = provenance.recipe
    verdict = "not measured" if scores.likeness is None else f"{scores.likeness:.3f} ({scores.analyzer})"
    lines = [
        "---",
        "tags: [lora, text-to-image, diffusers, headshots]",
        f"base_model: {provenance.foundation_name}",
        f'instance_prompt: "{provenance.trigger} {request.class_noun}"',
        "---",
        f"# Headshots of a {request.class_noun}",
        "",
        f"A LoRA of one person for `{provenance.foundation_name}` (digest `{provenance.foundation_digest[:16]}…`). Say "
        f"`{provenance.trigger} {request.class_noun}` in the prompt. `adapter.safetensors` is for diffusers, "
        "`adapter.kohya.safetensors` for kohya's tools, ComfyUI and their like; both hold the same weights.",
        "",
        f"![The held-out photos, the portraits, and the bare foundation]({sheet})",
        "",
        "## How good",
        "",
        f"- likeness to photos not trained on: {verdict}; {'passed' if scores.passed else 'not passed'}",
        f"- {scores.reason}",
        "",
        *_table(scores),
        "## How it was made",
        "",
        f"{len(request.photos)} photos, {scores.held_out} of them held out; rank and alpha {recipe.rank}; step "
        f"{scores.chosen_step} of {recipe.steps}, {recipe.batch_rows} rows each, learning rate "
        f"{recipe.learning_rate:g}, seed {recipe.seed}. Every number of the recipe is in `manifest.json` and in the "
        "headers of both files.",
        "",
        "Portraits were judged on these prompts:",
        "",
        *[f"- {prompt}" for prompt in prompts],
        "",
    ]
    return "\n".join(lines)


def _table(scores: TrainingScores) -> list[str]:
    """A table with a row for each judged checkpoint; empty if none was judged."""
    if not scores.checkpoints:
        return []
    lines = [
        "| step | likeness | copying | diversity | prompt kept | faces | regular | accepted |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in scores.checkpoints:
        accepted = "not measured" if one.accepted is None else f"{one.accepted:.0%}"
        regular = "not checked" if one.regular is None else f"{one.regular:.0%}"
        mark = "**" if one.step == scores.chosen_step else ""
        lines.append(
            f"| {mark}{one.step}{mark} | {one.likeness:.3f} | {one.copying:.3f} | {one.diversity:.2f} "
            f"| {one.prompt_kept:.0%} | {one.faces:.0%} | {regular} | {accepted} |"
        )
    return [*lines, ""]
