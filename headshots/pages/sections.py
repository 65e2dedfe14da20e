"""Shows what is around the portraits: the selfies, the training, and where the time went."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from headshots.pages.curve import NARROW, WIDE, curve_svg
from headshots.pages.html import image, measures, section
from headshots.pages.models import Learning, Measure, Picture, Timing
from headshots.pages.words import seconds_in_words


def selfies(shown: Sequence[Picture], note: str) -> str:
    """The photos that the person was learned from."""
    items = "".join(f"<li>{image(each, lazy=False)}</li>" for each in shown)
    return section("The selfies", f'<ul class="selfies">{items}</ul>' if items else "", note, name="selfies-row")


def learning(shown: Learning | None) -> str:
    """The training with its curve, drawn for wide and for narrow windows."""
    if shown is None or not shown.points:
        return ""
    lora = f"a LoRA of rank {shown.rank}" if shown.rank else "a LoRA"
    chosen = f" The checkpoint of step {shown.chosen_step} was taken." if shown.chosen_step else ""
    note = (
        f"{shown.steps} steps on {shown.photos} photos made {lora}.{chosen} The denoising loss is noisy by nature: the "
        "strong line is its moving average."
    )
    curves = "".join(curve_svg(shown.points, frame, chosen=shown.chosen_step) for frame in (WIDE, NARROW))
    return section("The training", curves, note, name="training")


def timings(shown: Sequence[Timing], note: str, figures: Sequence[Measure]) -> str:
    """Where the time went, and what else the operator cares for."""
    longest = max((each.seconds for each in shown), default=0.0) or 1.0
    rows = "".join(
        f'<tr><th scope="row">{escape(each.name)}</th><td><svg class="bar" height="10" aria-hidden="true">'
        f'<rect width="{max(100 * each.seconds / longest, 0.5):.1f}%" height="10" rx="5"/></svg></td>'
        f"<td>{seconds_in_words(each.seconds)}</td></tr>"
        for each in shown
    )
    table = f'<table class="timings">{rows}</table>' if rows else ""
    return section("Where the time went", f"{table}{measures(figures, 'figures')}", note, name="foot")
