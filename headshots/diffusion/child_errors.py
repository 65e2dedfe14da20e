"""Carries typed errors out of a child process, as a line of its output."""

from __future__ import annotations

import json

import grpc

from headshots.errors import HeadshotsError, error_class

_PREFIX = "error\t"


def error_line(error: HeadshotsError) -> str:
    """What the child prints, without the end of the line."""
    return _PREFIX + json.dumps({"code": error.code.name, "reason": error.reason, "message": error.message})


def error_of(line: str) -> HeadshotsError | None:
    """The error that a line of a child's output carries, of the class that was raised there; None: it carries none."""
    if not line.startswith(_PREFIX):
        return None
    value = json.loads(line.removeprefix(_PREFIX))
    return error_class(grpc.StatusCode[value["code"]], value["reason"])(value["reason"], value["message"])
