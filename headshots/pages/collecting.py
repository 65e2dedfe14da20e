"""Fills the page's dataclasses from what the SDK hands out: images and verdicts, trainings, shoots, galleries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from headshots.client import Acceptance, Check, Gallery, Guarantee, Image, Shoot, Training, Verdict
from headshots.console.output import counted
from headshots.pages.models import Learning, Likeness, Measure, Outcome, Picture, Portrait, Timing, Why
from headshots.pages.words import title_of

_OUTCOMES = {Acceptance.ACCEPTED: Outcome.ACCEPTED, Acceptance.REFUSED: Outcome.REFUSED}
_GUARANTEES = {Guarantee.MET: "met", Guarantee.NOT_MET: "not met", Guarantee.NOT_MEASURED: "not measured"}


def portrait(image: Image, file: str, person: str, titles: Mapping[str, str]) -> Portrait:
    """One image, whose file lies at `file`, seen from the page.

    Args:
        image: of a list by rank, as a single one has no rank.
        file: with `/`.
        person: whom it shows; may be empty.
        titles: of styles, by their names `styles/…`.
    """
    title, failed = style_title(image.style, titles), image.verdict.failed if image.verdict else ()
    whom = f"Portrait of {person}" if person else "Portrait"
    rank = f", rank {image.rank}" if image.rank else ""
    return Portrait(
        picture=Picture(file, image.width_px, image.height_px, f"{whom}: {title}{rank}"),
        title=title,
        outcome=_OUTCOMES.get(image.verdict.acceptance, Outcome.NOT_JUDGED) if image.verdict else Outcome.NOT_JUDGED,
        seed=image.seed,
        rank=image.rank,
        likeness=_likeness(image),
        why=[Why(title_of(check.reason), check.message) for check in failed],
        tries=image.tries,
        prompt=image.prompt,
        size_bytes=image.size_bytes,
        hidden=any(check.reason == "UNSAFE" for check in failed),
    )


def style_title(style: str, titles: Mapping[str, str]) -> str:
    """What people call a style: its title, or its id where it has none or is no longer there."""
    return titles.get(style) or style.removeprefix("styles/").replace("-", " ").capitalize()


def _likeness(image: Image) -> Likeness | None:
    if image.likeness is None:
        return None
    check = _check_of_likeness(image.verdict)
    if check is None or not check.measured or check.limit is None:
        return Likeness(image.likeness)
    # The check counts distances in spreads: how far the person's own photos are from each other, on average or at most.
    spread = (1 - image.likeness) / check.measured
    return Likeness(image.likeness, needed=1 - check.limit * spread, own=1 - spread)


def _check_of_likeness(verdict: Verdict | None) -> Check | None:
    checks = verdict.checks if verdict is not None else ()
    return next((check for check in checks if check.reason == "NOT_ALIKE"), None)


def learning(training: Training | None) -> Learning | None:
    """A training's curve; None where there is none."""
    if training is None or not training.curve:
        return None
    return Learning(
        points=[(point.step, point.loss) for point in training.curve],
        steps=training.total_steps,
        photos=training.photo_count,
        rank=training.adapter.rank if training.adapter is not None else 0,
        chosen_step=training.scores.chosen_step if training.scores is not None else 0,
    )


def facts(
    accepted: int, asked: int, tries: int, guarantee: Guarantee | None, shown: Sequence[Portrait]
) -> list[Measure]:
    """What stands at the top of a page."""
    found = [each.likeness for each in shown if each.likeness is not None and each.outcome is Outcome.ACCEPTED]
    needed = next((f"mean, {each.needed:.2f} needed" for each in found if each.needed is not None), "mean")
    likeness = [Measure("Likeness", f"{sum(each.value for each in found) / len(found):.2f}", needed)] if found else []
    promised = [Measure("Guarantee", _GUARANTEES[guarantee])] if guarantee is not None else []
    return [Measure("Accepted", f"{accepted} of {asked}"), *likeness, *promised, Measure("Tries", str(tries))]


def shoot_timings(shoot: Shoot, training: Training | None, gallery: Gallery | None) -> list[Timing]:
    """What a shoot's parts took, as the gateway saw them; those that have not ended are left out."""
    found: list[Timing] = []
    if training is not None and shoot.trains:
        found += _timing("waiting for a trainer", training.create_time, training.start_time)
        found += _timing("training", training.start_time, training.end_time)
    if gallery is not None:
        found += _timing("painting and judging", gallery.create_time, gallery.end_time)
    return [*found, *_timing("in all", shoot.create_time, shoot.end_time)]


def gallery_timings(gallery: Gallery) -> list[Timing]:
    """What a gallery took, as the gateway saw it; empty before its end."""
    return _timing("painting and judging", gallery.create_time, gallery.end_time)


def _timing(name: str, begin: datetime | None, end: datetime | None) -> list[Timing]:
    if begin is None or end is None:
        return []
    return [Timing(name, max((end - begin).total_seconds(), 0.0))]


def lead(count: int, styles: int, judged: str) -> str:
    """What a page shows, in a sentence."""
    by = f", judged by {judged}" if judged else ""
    return f"{counted(count, 'portrait')} in {counted(styles, 'style')}{by}."


def figures(images: Sequence[Image], gallery: Gallery) -> list[Measure]:
    """What the operator cares for: who judged, and the seconds that a portrait took, as all were painted together."""
    if not images:
        return []
    judge = next((image.verdict.analyzer for image in images if image.verdict and image.verdict.analyzer), "none")
    seconds = [
        Measure("Seconds a portrait", f"{took.seconds / len(images):.2f}", "painted and judged together")
        for took in gallery_timings(gallery)
    ]
    return [*seconds, Measure("Face analyzer", judge)]
