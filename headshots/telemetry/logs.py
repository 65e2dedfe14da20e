"""Writes log lines, for people or as JSON, with the request id and the place in a trace that they belong to."""

from __future__ import annotations

import datetime
import json
import logging
import sys
from typing import Any, TextIO

from headshots.telemetry import spans
from headshots.telemetry.origins import request_id

CALLS = "headshots.calls"
"""The logger of calls."""
TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
"""A line for people."""
# What every record has; the rest was given as `extra`.
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def set_up(formatter: logging.Formatter, *, calls: bool = False, stream: TextIO | None = None) -> None:
    """Has the root logger write to ``stream`` (None: stderr), from INFO on.

    ``calls``: whether every call to this process gets a line.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger(CALLS).setLevel(logging.INFO if calls else logging.WARNING)


def _ids() -> dict[str, str]:
    """Of the call that this task or thread works for; a formatter runs where the line was said."""
    exact = {"request_id": request_id()}
    traceparent = spans.current().traceparent
    if traceparent:
        _, exact["trace_id"], exact["span_id"], _ = traceparent.split("-")
    return {key: value for key, value in exact.items() if value}


class TextFormatter(logging.Formatter):
    """A line for people, with ``[request_id=… trace_id=…]`` behind the message where it is about a call."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line without a traceback."""
        found = [f"{key}={value}" for key, value in _ids().items() if key != "span_id"]
        return super().formatMessage(record) + (f" [{' '.join(found)}]" if found else "")


class JsonFormatter(logging.Formatter):
    """One JSON object a line.

    Keys: ``time`` (RFC 3339, UTC), ``level``, ``logger``, ``message``; the ``facts`` of its process, as ``service``;
    ``request_id``, ``trace_id`` and ``span_id`` where it is about a call; ``traceback`` of an error; and what the line
    gave as ``extra``.
    """

    def __init__(self, **facts: str) -> None:
        super().__init__()
        self._facts = facts

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON, without line ends."""
        told: dict[str, Any] = {
            "time": datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **self._facts,
            **_ids(),
            **{key: value for key, value in vars(record).items() if key not in _USUAL},
        }
        if record.exc_info and record.exc_info[0] is not None:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told, default=str, ensure_ascii=False)
