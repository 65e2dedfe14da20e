"""Follows jobs to their end: reports what delays them, and how to go on when the waiting ends early."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headshots.client import Headshots, Training, TrainingProgress


_COMMANDS = {"training": "trainings", "gallery": "galleries", "shoot": "shoots", "team": "teams"}


class Delays:
    """Reports each thing that holds a job up, once and on a line of its own.

    There is no room for it beside a bar.
    """

    def __init__(self) -> None:
        self._reported: set[str] = set()

    def report(self, message: str) -> None:
        """Report a job's status message, if it is new; an empty one means that nothing holds the job up."""
        from headshots.console.output import note

        if message and message not in self._reported:
            self._reported.add(message)
            note(message + _start_of_peer(message))


def _start_of_peer(message: str) -> str:
    """The command that starts a missing service, where the gateway reaches none of its kind."""
    missing = (name for name in ("trainer", "generator") if f"no {name} can be reached" in message)
    return "".join(f"; `headshots serve {name}` starts one on this machine" for name in missing)


@contextlib.contextmanager
def saying_how_to_go_on(kind: str, name: str, watch: str, *, options: str = "") -> Iterator[None]:
    """Say how to watch or end the job called `name`, where the user stops waiting or the gateway is lost.

    Args:
        kind: training, gallery, shoot or team.
        name: of the job.
        watch: the command's verb that goes on with the job.
        options: added to that command.

    Raises:
        KeyboardInterrupt, UnavailableError: with that message.
    """
    from headshots.errors import UnavailableError

    again = f"headshots {_COMMANDS[kind]}"
    go_on = f"{again} {watch} {name} {options}".rstrip()
    try:
        yield
    except KeyboardInterrupt as error:
        told = f"the {kind} goes on: {go_on}, or end it: {again} cancel {name}"
        raise KeyboardInterrupt(told) from error
    except UnavailableError as error:
        told = f"{error.message}; the {kind} is not lost, this takes it up again: {go_on}"
        raise UnavailableError(error.reason, told, metadata=error.metadata) from error


def follow_training(client: Headshots, training: Training) -> Training:
    """Show a bar until the training has ended, and return it.

    Raises:
        JobFailedError: it failed.
        CancelledByCallerError: it was cancelled.
        UnavailableError, KeyboardInterrupt: with how to go on watching.
    """
    from headshots.console.output import progress_bars

    now, delays = training, Delays()
    with saying_how_to_go_on("training", training.name, "watch"), progress_bars() as bars:
        bar = bars.add_task("training", total=None, count="", detail="")
        for now in client.watch_training(training):
            delays.report(now.status_message)
            count = f"{now.step}/{now.total_steps}" if now.total_steps else ""
            detail = "held up" if now.status_message else training_detail(now)
            bars.update(bar, total=now.total_steps or None, completed=now.step, count=count, detail=detail)
    now.raise_for_state()
    return now


# What a training does, for people, by the names of `TrainingPhase`: the client is imported late.
_PHASES = {
    "DOWNLOADING": "reading photos",
    "INSPECTING": "looking for faces",
    "LOADING": "loading models",
    "CLASS_IMAGES": "painting pictures that later trainings share",
    "ENCODING": "encoding photos",
    # So the bar is titled.
    "TRAINING": "",
    "VALIDATING": "judging portraits",
    "SAVING": "saving the adapter",
}
# Of the others the bar counts the steps, or a message says the numbers.
_COUNTED = ("DOWNLOADING", "INSPECTING")


def running_words(progress: TrainingProgress | None, message: str, *more: str, eta_seconds: float | None) -> str:
    """What a running training does, and how long it still needs; of one that does not know, what its phase needs.

    `message` is the gateway's `phase_message`; `more` stands between the two.
    """
    if progress is None:
        # Of one that makes steps, or has ended, the loss says enough.
        words = message or ("" if more else "preparing")
    else:
        counted = f" {progress.done}/{progress.total}" if progress.phase in _COUNTED else ""
        words = message or _PHASES[progress.phase] + counted
    if eta_seconds is not None:
        left = [f"{eta_seconds:.0f} s left"]
    elif progress is not None and progress.eta_seconds is not None:
        left = [f"{progress.eta_seconds:.0f} s left of this"]
    else:
        left = []
    return ", ".join(filter(None, [words, *more, *left]))


def training_detail(training: Training) -> str:
    """What a bar says beside the steps."""
    from headshots.client import JobState

    if training.status_message:
        return training.status_message
    if training.state is JobState.PENDING:
        ahead = training.queue_position
        return f"waiting for a trainer, {ahead} ahead" if ahead else "waiting for a free trainer"
    loss = [f"loss {training.loss:.4f}"] if training.step else []
    words = running_words(training.progress, training.phase_message, *loss, eta_seconds=training.eta_seconds)
    return f"{words}, attempt {training.attempt}" if training.attempt > 1 else words
