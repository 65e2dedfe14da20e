"""Defines a training as a frozen dataclass. Times are seconds since the epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from headshots.errors import FailedPreconditionError
from headshots.schema import MAIN_POOL, SUCCEEDED
from services.gateway.api.labels import Labelling
from services.gateway.api.names import training_name
from services.gateway.peers.models import Adapter, TrainingJob, TrainingRequest


@dataclass(frozen=True)
class Training:
    """One run that makes an adapter."""

    id: str
    subject_id: str
    request: TrainingRequest
    job: TrainingJob
    created_at: float
    ended_at: float | None = None
    status_message: str = ""
    """One sentence on what holds it up; empty where nothing does."""
    revision: int = 0
    """The number of its newest event."""
    sent: bool = False
    """Whether the job was ever sent to a trainer."""
    submitted: bool = False
    """Whether a trainer has confirmed the job."""
    cancel_requested: bool = False
    pool: str = MAIN_POOL
    """Whose trainers it is for."""
    foundation_digest: str = ""
    """Of the foundation that it was asked for; empty where the pool had not told its own yet."""
    labelling: Labelling = field(default_factory=Labelling)
    adapter_expires_at: float | None = None
    """From when on no call uses its adapter; None: it is kept as long as the subject, or not delivered yet."""
    origin: Mapping[str, str] | None = field(default=None, compare=False)
    """The call that ordered it, see `headshots.telemetry.origins`."""

    @property
    def foundation(self) -> str:
        """Digest of its foundation: the adapter's where there is one, else that asked for; empty: not known yet."""
        return self.job.adapter.foundation_digest if self.job.adapter is not None else self.foundation_digest


def finished_adapter(training: Training) -> Adapter:
    """The adapter that the training has made.

    Raises:
        FailedPreconditionError: TRAINING_UNFINISHED; TRAINING_EXPIRED, it was removed.
    """
    if training.job.adapter is None:
        name = training_name(training.subject_id, training.id)
        if training.job.state == SUCCEEDED:
            raise adapter_expired(name)
        raise FailedPreconditionError(
            "TRAINING_UNFINISHED",
            f"{name} has made nothing, as it has not succeeded; wait for it, or train again where it failed",
            metadata={"name": name},
        )
    return training.job.adapter


def adapter_expired(name: str) -> FailedPreconditionError:
    """The error of what needs an adapter whose time has come; `name` of the training, or of the subject."""
    return FailedPreconditionError(
        "TRAINING_EXPIRED",
        f"the adapter of {name} went after its delivery, as `adapter_retention_seconds` of the tenant says; "
        "train again, after an upload where the photos are gone, too",
        metadata={"name": name},
    )
