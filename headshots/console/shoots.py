"""Shows shoots: bars of all stages while they run, what a quote says, and how they ended."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from headshots.console.following import Delays, running_words, saying_how_to_go_on
from headshots.console.output import counted, duration, note, print_fields, progress, progress_bars

if TYPE_CHECKING:
    from rich.progress import TaskID

    from headshots.client import Headshots, Image, Quote, Shoot, Subject
    from headshots.console.terminal.bars import Bars


def follow_shoot(client: Headshots, shoot: Shoot, *, go_on: str = "") -> Shoot:
    """Show bars until the shoot has ended, and return it. `go_on` is added to the command that takes it up again.

    Raises:
        JobFailedError: it failed.
        CancelledByCallerError: it was cancelled.
        UnavailableError, KeyboardInterrupt: with how to go on watching.
    """
    now, delays = shoot, Delays()
    with saying_how_to_go_on("shoot", shoot.name, "watch", options=go_on), progress_bars() as bars:
        shown = ShootBars(bars, shoot)
        for event in client.watch_shoot(shoot):
            now = event.shoot
            delays.report(now.status_message)
            shown.update(now)
    now.raise_for_state()
    return now


@contextlib.contextmanager
def naming_the_shoot(client: Headshots, subject: Subject) -> Iterator[None]:
    """Where a subject's training is in the way of an order, say of which shoot it is, and how to go on with that one.

    Raises:
        FailedPreconditionError: TRAINING_ACTIVE, with the shoot's name where the training is part of one.
    """
    from headshots.errors import FailedPreconditionError

    try:
        yield
    except FailedPreconditionError as error:
        training = error.metadata.get("name", "")
        if error.reason != "TRAINING_ACTIVE":
            raise
        mine = (each for each in client.list_shoots(subject) if each.training == training and not each.state.terminal)
        if (shoot := next(mine, None)) is None:
            raise
        told = f"{error.message}; it is part of {shoot.name}"
        raise FailedPreconditionError(error.reason, told, metadata={"name": shoot.name}) from error


def report_order(shoot: Shoot) -> None:
    """Say what was ordered, so that it is found again, and what is not known of its end."""
    expected = shoot.quote.expected_finish_time
    ready = f", ready about {expected.astimezone():%H:%M}" if expected else ""
    note(f"{shoot.name} is ordered{ready}")
    if expected is None and shoot.deadline is not None:
        note("the deadline cannot be checked: nothing has been trained or painted here yet")


class ShootBars:
    """A bar a stage: training, painting, and how many images are accepted."""

    def __init__(self, bars: Bars, shoot: Shoot) -> None:
        self._bars = bars
        self._training = self._add("training")
        self._painting = self._add("painting")
        self._accepted = self._add("accepted")
        self.update(shoot)

    def _add(self, title: str) -> TaskID:
        return self._bars.add_task(title, total=None, start=False, count="", detail="")

    def update(self, now: Shoot) -> None:
        """Show how far it is."""
        if now.trains:
            self._show(self._training, now.training_step, now.training_total_steps, _waiting(now))
        else:
            self._show(self._training, 1, 1, "not needed: there is an adapter")
        if not now.gallery:
            return
        if now.trains:
            self._show(self._training, now.training_total_steps, now.training_total_steps, "")
        self._show(self._painting, now.completed_shots, now.asked, "held up" if now.status_message else "")
        self._show(self._accepted, now.delivered, now.asked, f"of {now.completed_shots}, {now.tries} tried")

    def _show(self, bar: TaskID, done: int, total: int, detail: str) -> None:
        if total:
            self._bars.start_task(bar)
        count = f"{done}/{total}" if total else ""
        self._bars.update(bar, total=total or None, completed=done, count=count, detail=detail)


def _waiting(now: Shoot) -> str:
    """What the bar of a training says beside its steps."""
    if now.status_message:
        return "held up"
    if now.training_progress is not None or now.training_phase_message:
        eta_seconds = now.training_eta_seconds
        return running_words(now.training_progress, now.training_phase_message, eta_seconds=eta_seconds)
    if not now.training_total_steps:
        return f"{now.quote.queue_place} ahead" if now.quote.queue_place else "waiting for a trainer"
    ready = now.quote.expected_finish_time
    return f"all ready about {ready.astimezone():%H:%M}" if ready else ""


def print_quote(shoot: Shoot) -> None:
    """What a shoot would take, a field a line."""
    quote, tries = shoot.quote, counted(shoot.max_tries, "try", "tries")
    fields: dict[str, object] = {
        "portraits": f"{shoot.asked}: {_portraits(shoot)}",
        "judged by": f"{_bare(shoot.profile)} v{shoot.profile_version}, {tries} for each",
        "training": _training(shoot),
        "images": f"{quote.images} expected, tries included",
        "queue": f"{quote.queue_place} before it" if quote.queue_place else "nothing before it",
        "device": f"{duration(quote.device_seconds)} of work" if quote.device_seconds is not None else "not known yet",
        "finished": _finish(quote),
        "deadline": shoot.deadline,
        "measured on": counted(quote.measured_on, "training or gallery", "trainings and galleries"),
    }
    print_fields(fields)
    if quote.beyond_expiry:
        note("the person is not kept until then, and it would be stopped; `headshots subjects extend` first")
    if not quote.measured_on:
        note("nothing has been trained or painted here yet, so that nobody can tell how long it takes")


def _training(shoot: Shoot) -> str:
    if not shoot.trains:
        return "none: there is an adapter"
    # The trainer alone knows how many steps the first one takes.
    return f"{shoot.quote.training_steps} steps" if shoot.quote.training_steps else "as long as the foundation says"


def _portraits(shoot: Shoot) -> str:
    pairs = zip(shoot.styles, shoot.style_shots, strict=True)
    return ", ".join(f"{shots} {_bare(style)}" for style, shots in pairs)


def _finish(quote: Quote) -> str:
    if quote.expected_finish_time is None or quote.latest_finish_time is None:
        return "not known yet"
    expected, latest = quote.expected_finish_time.astimezone(), quote.latest_finish_time.astimezone()
    return f"{expected:%Y-%m-%d %H:%M:%S}, nine of ten by {latest:%H:%M:%S}"


def print_shoot(shoot: Shoot, *, state: str = "") -> None:
    """One shoot, a field a line."""
    fields: dict[str, object] = {
        "shoot": shoot.name,
        "state": state or (shoot.state if shoot.state.terminal else f"{shoot.state}, {shoot.stage.value.lower()}"),
        "portraits": f"{shoot.asked}: {_portraits(shoot)}",
        "training": f"{shoot.training} {progress(shoot.training_step, shoot.training_total_steps, 'steps')}"
        if shoot.trains
        else f"{shoot.training}, an earlier one",
        "gallery": shoot.gallery,
        "painted": f"{shoot.completed_shots}/{shoot.asked}",
        "accepted": f"{shoot.delivered} by {_bare(shoot.profile)} v{shoot.profile_version}, {shoot.tries} tried",
        "guarantee": shoot.guarantee,
        "failure": f"{shoot.failure.reason}: {shoot.failure.message}" if shoot.failure else "",
        "held up": shoot.status_message,
        "created": shoot.create_time,
        "deadline": shoot.deadline,
        "finished": shoot.end_time or _finish(shoot.quote),
    }
    print_fields(fields)


def guarantee_line(shoot: Shoot) -> str:
    """How a shoot ended, in one line."""
    judged = f"{_bare(shoot.profile)} v{shoot.profile_version}"
    if shoot.guarantee is None:
        return "guarantee: not known yet"
    if shoot.guarantee == "NOT_MEASURED":
        return f"guarantee: NOT_MEASURED, not all {shoot.asked} portraits could be judged by {judged}"
    accepted = f"{shoot.delivered} of {shoot.asked} portraits accepted by {judged}"
    return f"guarantee: {shoot.guarantee}, {accepted}, {counted(shoot.tries, 'try', 'tries')}"


def next_step(shoot: Shoot, images: Sequence[Image]) -> str:
    """What to do where the guarantee is not met, in one line; empty where it is."""
    if shoot.guarantee == "MET":
        return ""
    if shoot.failure is not None:
        return f"not all tries were made: {shoot.failure.reason}: {shoot.failure.message}"
    if shoot.guarantee == "NOT_MET":
        return (
            f"`headshots images list {shoot.gallery}` names those that are refused, `headshots images regenerate "
            "IMAGE` paints one again; a new shoot with a larger --max-tries tries more seeds"
        )
    if any(image.verdict is None or not image.verdict.analyzer for image in images):
        return (
            "to have portraits judged, start the gateway with HEADSHOTS_GATEWAY_FACES=people (real people) or bundled "
            "(drawn ones), and order again"
        )
    return "the reasons stand above; mostly selfies help in which the face is larger and sharper"


def turnaround_line(shoot: Shoot) -> str:
    """How long a shoot took, against its quote; empty while it runs."""
    if shoot.create_time is None or shoot.end_time is None:
        return ""
    took = f"took {duration((shoot.end_time - shoot.create_time).total_seconds())}{_against_deadline(shoot)}"
    expected, latest = shoot.quote.expected_finish_time, shoot.quote.latest_finish_time
    if expected is None or latest is None:
        return f"{took}; there was nothing to quote it by, as nothing had been measured here"
    quoted = [duration((moment - shoot.create_time).total_seconds()) for moment in (expected, latest)]
    return f"{took}; quoted {quoted[0]}, nine of ten within {quoted[1]}"


def _against_deadline(shoot: Shoot) -> str:
    if shoot.deadline is None or shoot.end_time is None:
        return ""
    late = (shoot.end_time - shoot.deadline).total_seconds()
    return f", {duration(late)} after the deadline" if late > 0 else ", within the deadline"


def saved_line(files: list[Path], out: Path) -> str:
    """Where the images are, in one line."""
    if not files:
        return "no image was saved"
    return f"{counted(len(files), 'image')} in {out}, best first: {files[0].name} …"


def _bare(name: str) -> str:
    return name.rpartition("/")[2]
