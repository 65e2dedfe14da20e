"""Holds the figures of trainings and what they must reach; light to import, for whoever only reads results."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.report import Target

FACES: Mapping[str, Target] = {
    "verified": Target(0.80, False, "portraits taken for the person at a false-match rate of 1e-4"),
    "face_share": Target(0.70, False, "likeness from doubles with the same hair and skin (0) to true renders (1)"),
    "stock_shortfall": Target(0.05, True, "face_share lost where stock diffusers paints"),
    "rank1_lookalikes": Target(0.90, False, "portraits that name their person, look-alikes among the others"),
    "natural": Target(0.90, False, "portraits among true renders in a net that tells both / true renders among them"),
    "natural_auc": Target(0.80, True, "how well that net tells portraits from true renders"),
    "natural_foundation": Target(0.90, False, "natural, of the bare foundation"),
    "regular": Target(0.95, False, "eyes, brows and mouth placed as in 99 of 100 true renders"),
    "edges_overlap": Target(0.95, False, "head over the true head in the same pose, intersection / union"),
    "edges_sharpness_eyes": Target(0.8, False, "gradient energy around the eyes / true renders'", most=1.2),
    "edges_sharpness_outline": Target(0.8, False, "gradient energy along the head's outline / true renders'", most=1.2),
    "prompt_drop_outfit": Target(5.0, True, "prompt following lost, outfit, points"),
    "prompt_drop_backdrop": Target(5.0, True, "the same, backdrop"),
    "prompt_drop_light": Target(5.0, True, "the same, light"),
}
TARGETS: Mapping[str, Target] = {
    "rank1": Target(0.80, False, "portraits that name their person"),
    "likeness_share": Target(0.85, False, "likeness to true photos / photo to photo"),
    "prompt_drop_points": Target(5.0, True, "prompt following lost, outfit and backdrop, points"),
    "control_rank1": Target(0.05, True, "rank 1 of the bare foundation"),
    "accepted_share": Target(0.80, False, "portraits fit for a profile at first try"),
    "seconds_per_training": Target(90.0, True, "a training alone on the machine's cores"),
    "steps_per_second_ratio": Target(2.0, False, "optimizer steps a second, ours / plain peer's"),
    "steps_per_second_vs_tuned": Target(1.3, False, "the same / tuned peer's, of the rows with the least"),
    "likeness_gain_equal_time": Target(0.03, False, "likeness share after the same time, ours - tuned peer's"),
    **FACES,
}
