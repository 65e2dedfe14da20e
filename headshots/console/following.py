"""Jobs that are waited for: what holds them up is told as it comes, and how to go on when the waiting ends early."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headshots.client import Headshots, Training


class HoldUps:
    """Tells of each thing that holds a job up, once and as a line of its own: there is no room for it beside a bar, and
    where stderr is no terminal there is no bar."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def tell(self, message: str) -> None:
        """What a job says of itself; empty: nothing holds it up."""
        from headshots.cli.output import note

        if message and message not in self._told:
            self._told.add(message)
            note(message + _start_of_peer(message))


def _start_of_peer(message: str) -> str:
    """Which command ends the waiting, where the gateway reaches no service of a kind."""
    missing = (name for name in ("trainer", "generator") if f"no {name} can be reached" in message)
    return "".join(f"; `headshots serve {name}` starts one on this machine" for name in missing)


@contextlib.contextmanager
def left_behind(kind: str, name: str, watch: str) -> Iterator[None]:
    """Whoever stops waiting, or loses the gateway, hears how the job called `name` is watched again, or ended.

    Args:
        kind: training or gallery.
        name: of the job.
        watch: the command's verb that goes on with it.

    Raises:
        KeyboardInterrupt, UnavailableError: with that.
    """
    from headshots.errors import UnavailableError

    again = f"headshots {'trainings' if kind == 'training' else 'galleries'}"
    try:
        yield
    except KeyboardInterrupt as error:
        told = f"the {kind} goes on: {again} {watch} {name}, or end it: {again} cancel {name}"
        raise KeyboardInterrupt(told) from error
    except UnavailableError as error:
        told = f"{error.message}; the {kind} is not lost, this takes it up again: {again} {watch} {name}"
        raise UnavailableError(error.reason, told, metadata=error.metadata) from error


def follow_training(client: Headshots, training: Training) -> Training:
    """Show a bar until the training has ended, and return it.

    Raises:
        JobFailedError: it failed.
        CancelledByCallerError: it was cancelled.
        UnavailableError, KeyboardInterrupt: with how to go on watching.
    """
    from headshots.cli.output import progress_bars

    now, hold_ups = training, HoldUps()
    with left_behind("training", training.name, "watch"), progress_bars() as bars:
        bar = bars.add_task("training", total=None, count="", detail="")
        for now in client.watch_training(training):
            hold_ups.tell(now.status_message)
            count = f"{now.step}/{now.total_steps}" if now.total_steps else ""
            detail = "held up" if now.status_message else training_detail(now)
            bars.update(bar, total=now.total_steps or None, completed=now.step, count=count, detail=detail)
    now.raise_for_state()
    return now


def training_detail(training: Training) -> str:
    """What a bar says beside the steps."""
    from headshots.client import JobState

    if training.status_message:
        return training.status_message
    if training.state is JobState.PENDING:
        ahead = training.queue_place
        return f"waiting for a trainer, {ahead} ahead" if ahead else "waiting for a free trainer"
    parts = [f"loss {training.loss:.4f}"] if training.step else ["preparing"]
    if training.eta_seconds is not None:
        parts.append(f"{training.eta_seconds:.0f} s left")
    if training.attempt > 1:
        parts.append(f"attempt {training.attempt}")
    return ", ".join(parts)
