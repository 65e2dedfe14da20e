"""Turns errors into exit codes and messages, without a traceback where the user can fix the cause.

====  =========================================================================
code  meaning
====  =========================================================================
0     done
1     the job failed (a training, a gallery, an export, a service that died)
2     wrong usage of the command line
3     no connection: nobody answers at the address, or not in time
4     refused: an input, or the moment, is wrong; the message says what to do
5     the API key is missing, wrong or revoked
6     busy: too much at once; try later
7     a shoot ended without its guarantee: its images are saved, and not all are accepted
130   stopped with Ctrl-C
====  =========================================================================
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import typer

if TYPE_CHECKING:
    from headshots.errors import FieldViolation

P = ParamSpec("P")
R = TypeVar("R")


class ExitCode(IntEnum):
    """What the process's exit code says."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NO_CONNECTION = 3
    REFUSED = 4
    NO_KEY = 5
    BUSY = 6
    NOT_GUARANTEED = 7
    INTERRUPTED = 130


# No server refused anything: what should have run on this machine did not.
_NOT_STARTED = (
    "EXPORT_FAILED",
    "CHECK_FAILED",
    "FOUNDATION_IMPORT_FAILED",
    "ENGINE_BUILD_FAILED",
    "ENGINE_BUILD_MEMORY",
    "ENGINE_NO_ROOM",
    "ADDRESS_IN_USE",
    "ADDRESS_UNUSABLE",
)

HELP = (
    "Exit codes: 0 done, 1 the job failed, 2 wrong usage, 3 no connection, 4 refused (the message says what to do), "
    "5 API key missing or wrong, 6 busy, 7 a shoot's guarantee is NOT_MET or NOT_MEASURED (its images are saved), "
    "130 stopped with Ctrl-C."
)


def exit_code(error: BaseException) -> ExitCode:
    """The exit code for `error`."""
    from headshots import errors
    from headshots.client import JobFailedError

    if isinstance(error, errors.HeadshotsError) and error.reason in _NOT_STARTED:
        return ExitCode.FAILED
    table: tuple[tuple[tuple[type[BaseException], ...], ExitCode], ...] = (
        ((JobFailedError, errors.CancelledByCallerError), ExitCode.FAILED),
        ((errors.UnavailableError, errors.DeadlineExceededError), ExitCode.NO_CONNECTION),
        ((errors.UnauthenticatedError,), ExitCode.NO_KEY),
        ((errors.ResourceExhaustedError,), ExitCode.BUSY),
        (
            (
                errors.InvalidArgumentError,
                errors.NotFoundError,
                errors.AlreadyExistsError,
                errors.FailedPreconditionError,
                errors.PermissionDeniedError,
                OSError,
            ),
            ExitCode.REFUSED,
        ),
        ((KeyboardInterrupt,), ExitCode.INTERRUPTED),
    )
    return next((code for kinds, code in table if isinstance(error, kinds)), ExitCode.FAILED)


def reported(command: Callable[P, R]) -> Callable[P, R]:
    """Wrap a command: errors are printed on stderr and become exit codes. Defects keep their traceback."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        from headshots.errors import HeadshotsError

        try:
            return command(*args, **kwargs)
        except BrokenPipeError:
            # The reader of our output has seen enough, as `head` does. Whoever runs commands ends the process quietly.
            raise
        except (HeadshotsError, OSError, KeyboardInterrupt) as error:
            code = exit_code(error)
            print_error(error, code, as_json=bool(kwargs.get("as_json")))
            raise typer.Exit(code) from error

    return run


def print_error(error: BaseException, code: ExitCode, *, as_json: bool, with_advice: bool = True) -> None:
    """Write the error to stderr: for people, in the words of the command that runs; or as one JSON object.

    `with_advice` adds the command to type next.
    """
    from headshots.console.advice import advice_for
    from headshots.console.output import fitted, with_list_on_lines
    from headshots.console.terminal.colours import styled
    from headshots.console.terminal.parameters import in_words
    from headshots.errors import HeadshotsError

    if isinstance(error, HeadshotsError):
        reason, message = error.reason, error.message
    elif isinstance(error, KeyboardInterrupt):
        reason, message = "INTERRUPTED", str(error) or "stopped"
    else:
        reason, message = "FILE_ERROR", _without_number(error)
    if as_json:
        typer.echo(json.dumps({"error": {"reason": reason, "message": message, "exit_code": int(code)}}), err=True)
        return
    violations: Sequence[FieldViolation] = ()
    if isinstance(error, HeadshotsError):
        message, violations = in_words(error)
    with_fields = [f"{violation.field}: {violation.description}" for violation in violations]
    listed = with_fields if message == "; ".join(with_fields) else [each.description for each in violations]
    told = fitted(with_list_on_lines(f"error {reason}: {message}", listed), err=True)
    typer.echo(styled("error", "red", bold=True, err=True) + told.removeprefix("error"), err=True)
    for violation in violations:
        if violation.description not in message:
            typer.echo(fitted(f"  {violation.field}: {violation.description}", err=True), err=True)
    if with_advice and isinstance(error, HeadshotsError) and (advice := advice_for(error)):
        typer.echo(fitted(f"  {advice}", err=True), err=True)
    retry_after = getattr(error, "retry_after_seconds", None)
    if retry_after is not None:
        typer.echo(f"  try again in {retry_after:.0f} s", err=True)


def _without_number(error: BaseException) -> str:
    """`day.csv: No such file or directory`; Python writes `[Errno 2] No such file or directory: 'day.csv'`."""
    if isinstance(error, OSError) and error.strerror:
        names = [str(name) for name in (error.filename, error.filename2) if name is not None]
        return ": ".join([" → ".join(names), error.strerror] if names else [error.strerror])
    return str(error)
