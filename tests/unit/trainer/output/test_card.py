"""The card of an adapter: what its table says of each judged checkpoint."""

from __future__ import annotations

import dataclasses

from headshots.diffusion.lora.layout import ATTENTION_LAYERS
from services.trainer.lora.recipe import Recipe
from services.trainer.output.contact_sheet import card
from services.trainer.output.provenance import Provenance
from services.trainer.selection.scores import CheckpointScores
from tests.support.trainer.world import REQUEST, SCORES

PROVENANCE = Provenance(
    "tiny",
    "f" * 64,
    "sd15",
    False,
    (64, 64),
    "sks",
    ATTENTION_LAYERS,
    "a" * 64,
    (2.0, 0.5),
    Recipe(steps=3, rank=2),
    "{}",
)


def rows(*checkpoints: CheckpointScores) -> list[str]:
    scores = dataclasses.replace(SCORES, checkpoints=checkpoints)
    text = card(REQUEST, PROVENANCE, scores, ["a prompt"], "sheet.jpg")
    return [line for line in text.splitlines() if line.startswith("| ")]


def test_the_table_says_how_many_portraits_were_regular_and_accepted_and_what_was_not_checked() -> None:
    header, chosen, other = rows(
        CheckpointScores(2, 0.75, 0.125, 0.5, 1.0, 1.0, 0.83, 0.5, 1.0), CheckpointScores(4, 0.5, 0.1, 0.5, 1.0, 1.0)
    )
    assert header.endswith("| faces | regular | accepted |")
    assert chosen.startswith("| **2** |")
    assert chosen.endswith("| 100% | 50% | 83% |")
    assert other.endswith("| 100% | not checked | not measured |")
