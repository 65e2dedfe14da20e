"""People whom hair and skin do not tell apart, and what is asked of nets about them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from foundry.faces import hard_pairs, judge_pictures
from foundry.faces.families import MEMBERS, family, members, scene_of, whose
from foundry.faces.framings import NEAR_ZOOMS, closer
from foundry.faces.telling_apart import LOOKALIKE_WEIGHT, told_apart, told_from_lookalikes
from foundry.judges import labels
from foundry.portraits import (
    LOOKS,
    PROPORTIONS,
    double,
    face_points,
    render,
    sample_identity,
    with_haircut_of,
)


def test_a_double_has_the_looks_of_one_and_the_proportions_of_another() -> None:
    person, stranger = sample_identity(3), sample_identity(4)
    found = double(person, stranger)
    assert set(LOOKS) | set(PROPORTIONS) | {"seed"} == {field.name for field in dataclasses.fields(person)}
    assert all(getattr(found, name) == getattr(person, name) for name in LOOKS)
    assert all(getattr(found, name) == getattr(stranger, name) for name in PROPORTIONS)
    assert found.seed == stranger.seed


def test_a_haircut_changes_nobody() -> None:
    known = family(5, 6, doubles=1)
    found = known.after_haircut
    changed = {field.name for field in dataclasses.fields(found)} - {
        name
        for name in (field.name for field in dataclasses.fields(found))
        if getattr(found, name) == getattr(known.person, name)
    }
    assert changed
    assert all(name.startswith(("hair_", "fringe")) for name in changed)
    other = next(one for one in map(sample_identity, range(40)) if one.class_noun != known.person.class_noun)
    with pytest.raises(ValueError, match="does not wear"):
        with_haircut_of(known.person, other)


def test_families_are_the_same_every_time_and_people_are_numbered_apart() -> None:
    assert members(7) == members(7)
    assert scene_of(7, 2) == scene_of(7, 2) != scene_of(7, 3)
    shown = members(7)
    assert [one.seed for one in shown[:6]] == [shown[0].seed] * 2 + [shown[2].seed] * 2 + [shown[4].seed] * 2
    assert shown[6].seed == shown[0].seed
    numbers = whose(np.array([2, 9]))
    assert len(numbers) == 2 * len(MEMBERS)
    assert len(set(numbers.tolist())) == 6


def test_the_loss_is_small_where_people_stand_apart() -> None:
    people = torch.tensor([0, 0, 1, 1, 1])
    apart = torch.eye(2)[people]
    mixed = torch.eye(2)[torch.tensor([0, 1, 0, 1, 0])]
    nobody = torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64)
    assert float(told_apart(apart, people, *nobody)) < 0.8 < float(told_apart(mixed, people, *nobody))
    double_in_memory = told_apart(apart, people, torch.eye(2)[:1], torch.tensor([7]))
    assert float(double_in_memory) > float(told_apart(apart, people, *nobody))


def test_the_judges_loss_counts_lookalikes_more_and_other_pairs_of_a_person_not_at_all() -> None:
    nobody = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)
    people, own, others = torch.tensor([0, 0, 1, 1]), torch.tensor([5, 5, 5, 5]), torch.tensor([5, 5, 6, 6])
    near = torch.nn.functional.normalize(
        torch.tensor([[1.0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0]]), dim=1
    )
    alike, strangers = (float(told_from_lookalikes(near, people, each, *nobody)) for each in (own, others))
    assert alike > strangers * 1.5
    # Of two negatives each, LOOKALIKE_WEIGHT times 2, beside one positive.
    similarity = float(near[0] @ near[2] - near[0] @ near[1]) / 0.08
    assert alike == pytest.approx(np.log1p(2 * LOOKALIKE_WEIGHT * np.exp(similarity)), rel=1e-3)
    remembered = near[2:3], torch.tensor([7])
    assert float(told_from_lookalikes(near, people, others, *remembered)) > strangers
    assert float(told_from_lookalikes(near, people, others, near[:1], torch.tensor([0]))) < float(
        told_from_lookalikes(near, people, others, near[:1], torch.tensor([7]))
    ), "a person's own remembered rows are no strangers"
    three = torch.tensor([0, 0, 0])
    assert float(told_from_lookalikes(torch.eye(4)[[0, 0, 1]], three, three, *nobody)) == 0


def test_the_judges_families_are_framed_in_all_ways_and_hold_their_truth(tmp_path: Path) -> None:
    zooms = [judge_pictures.scene_of(number, 0).zoom for number in range(60)]
    assert min(zooms) < 1.06
    assert 1.6 < max(zooms) <= 1.75
    shown = members(1, judge_pictures.FIRST_PERSON)
    assert min(one.seed for one in shown) > max(one.seed for one in members(30_000))
    found = judge_pictures.prepare_judge_pictures(tmp_path, 2, processes=1)
    scene = judge_pictures.scene_of(1, 4)
    assert np.array_equal(found.pictures[1, 4], render(shown[4], scene))
    assert np.allclose(found.points[1, 4] * 128, face_points(shown[4], scene))
    assert found.labels[1, 4].tolist() == labels(shown[4], scene)
    assert found.proportions.shape == (2, len(MEMBERS), len(PROPORTIONS))
    assert np.array_equal(found.proportions[:, 0], found.proportions[:, 6]), "a haircut changes no proportion"
    assert np.abs(found.proportions[:, 0] - found.proportions[:, 2]).max() > 0.5, "a double has others"


def test_closer_scenes_are_the_same_every_time_and_hold_the_face() -> None:
    for seed in range(20):
        scene = closer(scene_of(seed, 0))
        assert scene == closer(scene_of(seed, 0))
        assert NEAR_ZOOMS[0] <= scene.zoom <= NEAR_ZOOMS[1]
        points = face_points(sample_identity(seed), scene)
        assert 0 < points.min() < points.max() < 128


@pytest.mark.parametrize(("sees", "expected"), [(PROPORTIONS, 1.0), (LOOKS, 0.5)])
def test_who_sees_looks_alone_fails_and_who_sees_proportions_passes(
    sees: tuple[str, ...], expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[np.ndarray] = []

    def embed(pictures: Sequence[hard_pairs.Pixels]) -> hard_pairs.Floats:
        return np.stack(drawn[-len(pictures) :])

    def pictures_of(identity, occasion, framing):  # type: ignore[no-untyped-def]
        seen = repr([getattr(identity, name) for name in sees])
        rng = np.random.default_rng([*seen.encode()])
        drawn.extend([rng.choice([-1, 1], 64).astype(np.float32) / 8] * len(hard_pairs.KINDS))
        return [np.zeros((1, 1, 3), np.uint8)] * len(hard_pairs.KINDS)

    monkeypatch.setattr(hard_pairs, "pictures_of", pictures_of)
    found = hard_pairs.scores(hard_pairs.embed_families(embed, 12))
    assert found["auc_doubles"] == pytest.approx(expected, abs=0.01)
    assert found["share_of_doubles"] == pytest.approx(2 - 2 * expected, abs=0.2)
    assert found["rank1_lookalikes"] == (1 if sees is PROPORTIONS else 0)
