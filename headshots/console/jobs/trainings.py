"""Shows trainings: how one stands, its verdict, and the command to type next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headshots.console.output import note, print_fields

if TYPE_CHECKING:
    from headshots.client import Training


def print_training(training: Training, *, state: str = "") -> None:
    """One training, a field a line, its verdict last; then the command that goes on with it. `state`: told in place."""
    fields: dict[str, object] = {
        "training": training.name,
        "state": state or training.state,
        "steps": f"{training.step}/{training.total_steps}" if training.total_steps else "",
        "photos": training.photo_count,
        "foundation": training.foundation,
        "loss": f"{training.loss:.4f}" if training.step else "",
        "adapter": training.adapter.sha256 if training.adapter else "",
        "likeness": likeness(training) if training.adapter else "",
        "accepted": _accepted(training),
        "chosen": training.scores.reason if training.scores else "",
        "verdict": verdict(training),
    }
    print_fields(fields)
    if not state:
        note(next_command(training))


def likeness(training: Training) -> str:
    """`0.715`; or that it was not measured."""
    return "not measured" if training.likeness is None else f"{training.likeness:.3f}"


def verdict(training: Training) -> str:
    """Whether its portraits show the person, in words that have a colour; empty while there is no adapter."""
    if training.adapter is None:
        return ""
    if training.scores is None or not training.scores.analyzer:
        return "not measured"
    return "passed" if training.scores.passed else "not passed"


def next_command(training: Training) -> str:
    """What to type next, in a sentence or two."""
    subject = training.name.partition("/trainings/")[0]
    if not training.state.terminal:
        return f"next: `headshots trainings watch {training.name}` follows it"
    if training.adapter is None:
        return f"next: `headshots photos inspect --subject {subject}` tells of each photo"
    if verdict(training) == "not passed":
        return (
            "It did not pass: portraits may show somebody else. More photos of one person alone, sharp and in "
            f"different light, help most (headshots photos inspect --subject {subject}); then train again, perhaps "
            "with more --steps."
        )
    return (
        f"next: `headshots shoot {subject} --pack business` paints portraits, the best first; `headshots packs list` "
        "shows what else there is"
    )


def _accepted(training: Training) -> str:
    """How many portraits of the chosen checkpoint are profile-worthy."""
    scores = training.scores
    shares = [one.accepted for one in scores.checkpoints if one.step == scores.chosen_step] if scores else []
    return "" if not shares or shares[0] is None else f"{shares[0]:.0%} of its portraits are profile-worthy"
