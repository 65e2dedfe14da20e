"""The scenes that captions name are the same for every subject."""

from __future__ import annotations

from benchmarks.training import people
from headshots.diffusion.foundations.foundation import Foundation
from headshots.settings import default_foundation
from services.trainer.captions.scenes import BACKDROPS, OUTFITS, scene_prompts


def test_scenes_are_the_same_for_every_subject_and_none_is_the_benchmarks() -> None:
    foundation = Foundation.read(default_foundation())
    with_trigger, bare = (scene_prompts(foundation, subject, 8, 1) for subject in ("ohwx man", "man"))
    assert [prompt.replace("ohwx ", "") for prompt in with_trigger] == bare
    assert len(set(bare)) > 4
    assert scene_prompts(foundation, "man", 8, 2) != bare
    for scene in (*people.TUNING.scenes, *people.PUBLISHED.scenes):
        assert scene.outfit not in OUTFITS
        assert scene.backdrop not in BACKDROPS
