"""Tests that each kind of error has its exit code."""

from __future__ import annotations

import pytest

from headshots.client import JobFailedError
from headshots.console.exits import ExitCode, exit_code
from headshots.errors import (
    CancelledByCallerError,
    DeadlineExceededError,
    FailedPreconditionError,
    InternalError,
    InvalidPhotoError,
    NotFoundError,
    ResourceExhaustedError,
    UnauthenticatedError,
    UnavailableError,
)
from headshots.processes.fleet import ServicesFailedError
from tests.support.images.albums import training


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (JobFailedError(training()), ExitCode.FAILED),
        (CancelledByCallerError("JOB_CANCELLED", ""), ExitCode.FAILED),
        (InternalError("INTERNAL", ""), ExitCode.FAILED),
        (ServicesFailedError("SERVICE_DIED", ""), ExitCode.FAILED),
        (UnavailableError("EXPORT_FAILED", ""), ExitCode.FAILED),
        (UnavailableError("ADDRESS_IN_USE", ""), ExitCode.FAILED),
        (UnavailableError("SERVER_UNREACHABLE", ""), ExitCode.NO_CONNECTION),
        (DeadlineExceededError("DEADLINE_EXCEEDED", ""), ExitCode.NO_CONNECTION),
        (InvalidPhotoError("PHOTO_TOO_SMALL", ""), ExitCode.REFUSED),
        (NotFoundError("SUBJECT_NOT_FOUND", ""), ExitCode.REFUSED),
        (FailedPreconditionError("TOO_FEW_PHOTOS", ""), ExitCode.REFUSED),
        (FileNotFoundError(), ExitCode.REFUSED),
        (UnauthenticatedError("API_KEY_INVALID", ""), ExitCode.NO_KEY),
        (ResourceExhaustedError("QUEUE_FULL", ""), ExitCode.BUSY),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
    ],
)
def test_exit_codes_tell(error: BaseException, code: ExitCode) -> None:
    assert exit_code(error) is code
