"""Says what became of a person who was erased, and of the receipt for it."""

from __future__ import annotations

from headshots.console.output import counted, note, note_lines


def note_erased(name: str, deleted_objects: int, erasure: str) -> None:
    """Says that all of the subject called `name` is gone, and how to see the receipt of `erasure`, `erasures/ID`."""
    note(f"{name} is erased, {counted(deleted_objects, 'object')} removed")
    note_receipt(erasure)


def note_receipt(erasure: str) -> None:
    """Says when the receipt of `erasure`, `erasures/ID`, is signed, and how to see it."""
    note_lines(
        f"its receipt, {erasure}, is PENDING until it is signed, once a last look some seconds later finds nothing "
        "more of the person; `headshots erasure list` shows how far it is"
    )
