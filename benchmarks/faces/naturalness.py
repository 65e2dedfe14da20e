"""Teaches a small net to tell painted faces from drawn ones; its features see what is broken, its scores how well.

It looks at aligned crops at full resolution. Drawn faces broken on purpose are further classes, one for each way to
break them, so that its features place eyes and mouths instead of the grain alone. Taught on other people than it is
asked about, it is a classifier two-sample test (arXiv 1610.06545): an area of 0.5 would mean that nothing tells painted
faces from drawn ones.

Shapes: N crops, uint8 [N, 3, 96, 96]; D features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from foundry.training import learning_rate_factor

DRAWN, PAINTED = range(2)
FEATURES = 32
ROWS = 48  # of a batch: a third each drawn, broken and painted
_WIDTH = 16
_RATE = 3e-3
_BATCH = 64

Crops = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


class NaturalnessNet(nn.Module):
    """Logits of DRAWN, PAINTED and `ways` to break a face; `features` are what its last layer reads."""

    def __init__(self, ways: int, width: int = _WIDTH) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, width, 5, 2, 2, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            *_stage(width, 2 * width),
            *_stage(2 * width, 3 * width),
            *_stage(3 * width, 4 * width),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(4 * width * 36, FEATURES),
        )
        self.told = nn.Linear(FEATURES, 2 + ways)

    def features(self, crops_NCHW: Tensor) -> Tensor:
        """[N, D] of pictures in -1..1."""
        return torch.tanh(self.body(crops_NCHW))

    def forward(self, crops_NCHW: Tensor) -> Tensor:
        logits: Tensor = self.told(self.features(crops_NCHW))
        return logits


@dataclass(frozen=True)
class Lessons:
    """What a net learns from. Each broken crop was the drawn one of its place, counted round and round.

    A batch has both, so that the net looks for what was broken and not for whom it knows.
    """

    drawn: Crops
    broken: Crops
    ways: npt.NDArray[np.int64]
    """How each broken one was broken: 0 .., [N]."""
    painted: Crops

    def __post_init__(self) -> None:
        for name in ("drawn", "broken", "painted"):
            if not len(getattr(self, name)):
                raise ValueError(f"no {name} crops to teach with: paint or draw some first")
        if len(self.broken) % len(self.drawn) or len(self.ways) != len(self.broken):
            raise ValueError(
                f"{len(self.broken)} broken crops of {len(self.drawn)} drawn, {len(self.ways)} of them with their way: "
                "break each drawn one equally often"
            )


def teach(lessons: Lessons, steps: int, seed: int) -> NaturalnessNet:
    """A net that has seen `steps` batches; the same for the same seed."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = NaturalnessNet(int(lessons.ways.max()) + 1)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # the stubs lack this form
    optimizer = torch.optim.AdamW(net.parameters(), lr=_RATE, weight_decay=0.05)
    for step in range(steps):
        crops, classes = _batch(lessons, rng)
        for group in optimizer.param_groups:
            group["lr"] = _RATE * learning_rate_factor(step, step / steps, warmup=steps // 10 + 1, decay_from=0.3)
        shown = _augmented(_planes(crops), rng).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            loss = nn.functional.cross_entropy(net(shown).float(), classes)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimizer.step()
    net.eval()
    return net


def _batch(lessons: Lessons, rng: np.random.Generator) -> tuple[Crops, Tensor]:
    """ROWS crops and their classes."""
    drawn, painted = (rng.integers(len(crops), size=ROWS // 3) for crops in (lessons.drawn, lessons.painted))
    broken = drawn + len(lessons.drawn) * rng.integers(len(lessons.broken) // len(lessons.drawn), size=len(drawn))
    classes = [np.full(ROWS // 3, DRAWN), 2 + lessons.ways[broken], np.full(ROWS // 3, PAINTED)]
    crops = np.concatenate([lessons.drawn[drawn], lessons.broken[broken], lessons.painted[painted]])
    return crops, torch.from_numpy(np.concatenate(classes))


@torch.no_grad()
def looked_at(net: NaturalnessNet, crops_NCHW: Crops) -> tuple[Floats, Floats]:
    """Features [N, D], and scores [N]: the logarithm of how much likelier a crop is drawn than painted."""
    features = torch.cat([net.features(_planes(part)) for part in np.array_split(crops_NCHW, _parts(crops_NCHW))])
    logits = net.told(features)
    return features.numpy(), (logits[:, DRAWN] - logits[:, PAINTED]).numpy()


def _parts(crops_NCHW: Crops) -> int:
    return max(-(-len(crops_NCHW) // _BATCH), 1)


def _planes(crops_NCHW: Crops) -> Tensor:
    return torch.from_numpy(crops_NCHW).float() / 127.5 - 1


def _augmented(crops_NCHW: Tensor, rng: np.random.Generator) -> Tensor:
    """Mirrored or not, a pixel aside, a little brighter or darker: what no class may be known by."""
    if rng.random() < 0.5:
        crops_NCHW = crops_NCHW.flip(3)
    dx, dy = (int(value) for value in rng.integers(-1, 2, 2))
    gain = torch.from_numpy(rng.uniform(0.93, 1.07, (len(crops_NCHW), 1, 1, 1)).astype(np.float32))
    return torch.roll(crops_NCHW, (dy, dx), (2, 3)) * gain


def _stage(before: int, after: int) -> list[nn.Module]:
    """Half the size, then a look around."""
    return [
        nn.Conv2d(before, after, 3, 2, 1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
        nn.Conv2d(after, after, 3, 1, 1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    ]
