"""Draws true renders of other people, by which natural and regular faces are known; some are broken on purpose.

One picture a person. Every second one teaches, in scenes as random as those of the painted faces that teach; the
others are compared with, and wear and stand before what is asked of the portraits. Nothing is compared with what
taught.

Shapes: R renders, B broken ones, P landmarks in the picture's units of 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.faces import breaking
from benchmarks.training.people import SIDE_PX, Pixels
from benchmarks.training.plan import Plan
from foundry.faces.landmarker import upright
from foundry.judges import Judges
from foundry.latents import to_tensor
from foundry.portraits import (
    FIRST_HELD_OUT,
    Portrait,
    face_points,
    render_portrait,
    sample_identity,
    sample_scene,
)
from foundry.train_judges import digest, load_judges
from headshots.faces.regularity import Regularity, learn_regularity

FIRST_PERSON = FIRST_HELD_OUT + 510_000  # apart from everybody that is trained, judged, confused or calibrated by
VERSIONS = 2
_BATCH = 64

Crops = npt.NDArray[np.uint8]  # [N, 3, 96, 96]
Points = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Reference:
    """What true renders look like to the judge's landmarker."""

    crops: Crops  # [R, 3, 96, 96]
    points_RP2: Points
    broken: Crops  # [B, 3, 96, 96], the renders that teach, VERSIONS times over
    ways: npt.NDArray[np.int64]  # [B], how each was broken

    @property
    def teaching(self) -> Crops:
        """Drawn faces for a net to learn from."""
        return self.crops[::2]

    @property
    def compared(self) -> Crops:
        """Drawn faces of other people, to compare with."""
        return self.crops[1::2]

    def regularity(self) -> Regularity:
        """Learned from one half, its limit from the other."""
        return learn_regularity(self.points_RP2[::2], self.points_RP2[1::2])


def reference(plan: Plan) -> Reference:
    """Drawn once and kept."""
    path = plan.folder / f"reference-{plan.reference}-{plan.scenes}-{plan.framing}-{digest()}.npz"
    if path.exists():
        with np.load(path) as known:
            return Reference(known["crops"], known["points"], known["broken"], known["ways"])
    judges = load_judges()
    portraits = [_drawn(plan, number) for number in range(plan.reference)]
    crops, points_RP2 = looked_at(judges, np.stack([portrait.pixels for portrait, _ in portraits]))
    ways, pictures = broken_pictures(portraits[::2])
    broken, _ = looked_at(judges, pictures)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, crops=crops, points=points_RP2, broken=broken, ways=ways)
    return Reference(crops, points_RP2, broken, ways)


def broken_pictures(portraits: list[tuple[Portrait, Points]]) -> tuple[npt.NDArray[np.int64], Pixels]:
    """All portraits (with their true landmarks in pixels), VERSIONS times over, broken in turns in each way.

    Returns:
        the way of each, by its place in `breaking.WAYS`, and the pictures.
    """
    count = len(breaking.WAYS)
    rng = np.random.default_rng(0xB20C)
    ways = np.array([(n + v * count // VERSIONS) % count for v in range(VERSIONS) for n in range(len(portraits))])
    breaks = list(breaking.WAYS.values())
    pictures = [breaks[way](*portraits[n % len(portraits)], rng) for n, way in enumerate(ways)]
    return ways, np.stack(pictures)


@torch.no_grad()
def looked_at(judges: Judges, pictures_NHWC: Pixels) -> tuple[Crops, Points]:
    """Upright faces at full resolution, and where the judge's landmarker sees their landmarks."""
    crops, points = [], []
    for part in torch.split(to_tensor(pictures_NHWC), _BATCH):
        points.append(judges.landmarker(part))
        cut = upright(part, points[-1]).clamp(-1, 1)
        crops.append(((cut + 1) * 127.5).round().byte())
    return torch.cat(crops).numpy(), torch.cat(points).float().numpy()


def _drawn(plan: Plan, number: int) -> tuple[Portrait, Points]:
    """Reference person ``number`` in a scene, and their true landmarks in pixels."""
    wanted = plan.wanted_scenes[number // 2 % plan.scenes]
    asked = {"outfit": wanted.outfit, "backdrop": wanted.backdrop, "light": wanted.lighting}
    identity = sample_identity(FIRST_PERSON + number)
    rng = np.random.default_rng([FIRST_PERSON + number, 0x2EF])
    scene = sample_scene(rng, "studio", plan.framing, **(asked if number % 2 else {}))
    return render_portrait(identity, scene, SIDE_PX), face_points(identity, scene, SIDE_PX)
