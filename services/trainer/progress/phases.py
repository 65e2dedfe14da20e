"""The phases of a running training, and how far it is in one. Neither SQL nor torch here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Phase(StrEnum):
    """TrainingPhase of the protos in lower case, in the order in which a run does them; the last but one recurs."""

    DOWNLOADING = "downloading"
    INSPECTING = "inspecting"
    LOADING = "loading"
    ENCODING = "encoding"
    CLASS_IMAGES = "class_images"
    TRAINING = "training"
    VALIDATING = "validating"
    SAVING = "saving"


@dataclass(frozen=True)
class Entered:
    """What the run does now, up to the next such message: ``done`` of ``total`` units of it, 0 of 0 where it has none.

    ``message``: one sentence for people where it may take minutes.
    """

    phase: Phase
    done: int = 0
    total: int = 0
    message: str = ""


def not_told(_: Entered) -> None:
    """For a run that nobody follows."""


@dataclass(frozen=True)
class JobProgress:
    """``done`` of ``total`` units of the phase: photos, pictures, optimizer steps; 0 of 0 where it has none.

    ``eta_seconds``: what the phase still needs; None: not measured yet.
    """

    phase: Phase
    done: int = 0
    total: int = 0
    eta_seconds: float | None = None

    def to_json(self) -> dict[str, Any]:
        """For the row."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> JobProgress | None:
        """Inverse of :meth:`to_json`; None stays None."""
        return None if value is None else cls(**{**value, "phase": Phase(value["phase"])})
