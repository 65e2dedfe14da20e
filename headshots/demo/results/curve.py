"""Draws the training curve as inline SVG, without a plotting library."""

from __future__ import annotations

import math
from collections.abc import Sequence

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 14, 34
SMOOTHING = 0.85


def curve_svg(points: Sequence[tuple[int, float]]) -> str:
    """The loss over the steps: a faint line as measured, a strong one smoothed; colours come from the page's CSS.

    Args:
        points: (step, loss), by step; at least one.
    """
    steps, losses = [step for step, _ in points], [loss for _, loss in points]
    first, last = min(steps), max(steps)
    ticks = _ticks(min(losses), max(losses))
    low, high = ticks[0], ticks[-1]

    def place(step: float, loss: float) -> str:
        x = LEFT + (step - first) / max(last - first, 1) * (WIDTH - LEFT - RIGHT)
        y = TOP + (high - loss) / (high - low) * (HEIGHT - TOP - BOTTOM)
        return f"{x:.1f},{y:.1f}"

    measured = " ".join(place(*point) for point in points)
    smooth = " ".join(place(step, loss) for step, loss in zip(steps, _smoothed(losses), strict=True))
    summary = f"Denoising loss from {losses[0]:.4g} at step {first} to {losses[-1]:.4g} at step {last}"
    return (
        f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{summary}">'
        f"<title>{summary}</title>"
        f"{_grid(ticks, low, high)}{_step_labels(first, last)}"
        f'<polyline class="measured" points="{measured}"/><polyline class="smooth" points="{smooth}"/></svg>'
    )


def _grid(ticks: Sequence[float], low: float, high: float) -> str:
    lines = []
    for tick in ticks:
        y = TOP + (high - tick) / (high - low) * (HEIGHT - TOP - BOTTOM)
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:.3g}</text>')
    return "".join(lines)


def _step_labels(first: int, last: int) -> str:
    labels = []
    for step in sorted({round(first + share * (last - first)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)}):
        x = LEFT + (step - first) / max(last - first, 1) * (WIDTH - LEFT - RIGHT)
        anchor = "end" if step == last > first else "middle"
        text = f"step {step}" if step == last else str(step)
        labels.append(f'<text x="{x:.1f}" y="{HEIGHT - 10}" text-anchor="{anchor}">{text}</text>')
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
