"""Draws the training curve as inline SVG, without a plotting library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

SMOOTHING = 0.85


@dataclass(frozen=True)
class Frame:
    """The size that a curve is drawn for. It is shown at that size or a little smaller, so that labels stay legible."""

    name: str
    width: int
    height: int
    shares: tuple[float, ...]
    """Where along the steps their numbers stand."""
    left: int = 48
    right: int = 12
    top: int = 14
    bottom: int = 34

    def x(self, share: float) -> float:
        """Of a share of the steps, 0 to 1."""
        return self.left + share * (self.width - self.left - self.right)

    def y(self, share: float) -> float:
        """Of a share of the height from below, 0 to 1; SVG counts downwards."""
        return self.top + (1 - share) * (self.height - self.top - self.bottom)


WIDE = Frame("wide", 880, 260, (0.0, 0.25, 0.5, 0.75, 1.0))
NARROW = Frame("narrow", 360, 220, (0.0, 0.5, 1.0))


def curve_svg(points: Sequence[tuple[int, float]], frame: Frame = WIDE, *, chosen: int = 0) -> str:
    """The loss over the steps: a faint line as measured, a strong one smoothed; colours come from the page's CSS.

    Args:
        points: (step, loss), by step; at least one.
        frame: how large.
        chosen: the step whose checkpoint was taken, which gets a mark; 0: none.
    """
    steps, losses = [step for step, _ in points], [loss for _, loss in points]
    first, last = min(steps), max(steps)
    ticks = _ticks(min(losses), max(losses))
    low, high = ticks[0], ticks[-1]

    def place(step: float, loss: float) -> str:
        x = frame.x((step - first) / max(last - first, 1))
        return f"{x:.1f},{frame.y((loss - low) / (high - low)):.1f}"

    measured = " ".join(place(*point) for point in points)
    smooth = " ".join(place(step, loss) for step, loss in zip(steps, _smoothed(losses), strict=True))
    summary = f"Denoising loss from {losses[0]:.4g} at step {first} to {losses[-1]:.4g} at step {last}"
    mark = _mark(chosen, (chosen - first) / max(last - first, 1), frame) if first <= chosen <= last else ""
    return (
        f'<svg class="curve {frame.name}" viewBox="0 0 {frame.width} {frame.height}" role="img" aria-label="{summary}">'
        f"{_grid(ticks, low, high, frame)}{_step_labels(first, last, frame)}{mark}"
        f'<polyline class="measured" points="{measured}"/><polyline class="smooth" points="{smooth}"/></svg>'
    )


def _mark(chosen: int, share: float, frame: Frame) -> str:
    """A line at the step whose checkpoint was taken, its words on the side where there is room."""
    x, is_late = frame.x(share), share > 0.5
    return (
        f'<line class="chosen" x1="{x:.1f}" x2="{x:.1f}" y1="{frame.y(0):.1f}" y2="{frame.y(1):.1f}"/>'
        f'<text class="chosen" x="{x + (-6 if is_late else 6):.1f}" y="{frame.top + 12}" '
        f'text-anchor="{"end" if is_late else "start"}">step {chosen} taken</text>'
    )


def _grid(ticks: Sequence[float], low: float, high: float, frame: Frame) -> str:
    lines = []
    for tick in ticks:
        y = frame.y((tick - low) / (high - low))
        ends = f'x1="{frame.left}" x2="{frame.width - frame.right}"'
        lines.append(f'<line class="grid" {ends} y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text x="{frame.left - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:.3g}</text>')
    return "".join(lines)


def _step_labels(first: int, last: int, frame: Frame) -> str:
    labels = []
    for step in sorted({round(first + share * (last - first)) for share in frame.shares}):
        x = frame.x((step - first) / max(last - first, 1))
        anchor = "end" if step == last > first else "middle"
        text = f"step {step}" if step == last else str(step)
        labels.append(f'<text x="{x:.1f}" y="{frame.height - 10}" text-anchor="{anchor}">{text}</text>')
    return "".join(labels)


def _ticks(low: float, high: float) -> list[float]:
    """Four to seven round numbers that enclose `low` and `high`."""
    span = (high - low) or abs(high) or 1.0
    raw = span / 4
    scale = 10.0 ** math.floor(math.log10(raw))
    width = next(factor * scale for factor in (1, 2, 2.5, 5, 10) if factor * scale >= raw)
    start = math.floor(low / width)
    stop = max(math.ceil(high / width), start + 1)
    return [number * width for number in range(start, stop + 1)]


def _smoothed(values: Sequence[float]) -> list[float]:
    """Exponential moving average, without the bias of its start (as Adam's moments: arXiv 1412.6980, section 3)."""
    smooth, average = [], 0.0
    for count, value in enumerate(values, start=1):
        average = SMOOTHING * average + (1 - SMOOTHING) * value
        smooth.append(average / (1 - SMOOTHING**count))
    return smooth
