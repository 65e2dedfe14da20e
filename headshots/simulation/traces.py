"""Reads and writes traces: who ordered what and when, a line an order, without a word about people.

CSV with a line of column names, or JSON Lines with these keys: `at` (seconds since the trace's begin, or ISO 8601
times, in UTC where they name no zone), `subject` (any word), `images` (0: none), `trains` (whether a training comes
first; default: no), `tenant` (default: one for all).
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from headshots.errors import InvalidArgumentError

COLUMNS = ("at", "subject", "images", "trains", "tenant")
MOST_SECONDS = 31 * 86_400
MOST_IMAGES = 10_000
"""Of an order."""
_YES, _NO = ("true", "yes", "1"), ("false", "no", "0", "")


@dataclass(frozen=True)
class Order:
    """A shoot, or a training (no images), or a gallery (`trains` is False) of one subject."""

    at_seconds: float
    """Since the trace's begin."""
    subject: str
    images: int
    trains: bool = False
    tenant: str = ""


def read_trace(path: Path) -> list[Order]:
    """The orders of a file, by time; JSON Lines where it ends in .jsonl, else CSV.

    Raises:
        InvalidArgumentError: TRACE_INVALID, with the number of the line.
        OSError: the file cannot be read.
    """
    try:
        # Spreadsheets put a byte order mark before what they save as "CSV UTF-8".
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _invalid(path, 1, "is no UTF-8 text") from error
    lines = _json_lines(path, text) if path.suffix == ".jsonl" else _csv_lines(path, text)
    found = [(number, *_order(path, number, values)) for number, values in lines]
    if not found:
        raise InvalidArgumentError("TRACE_INVALID", f"{path} has no orders; a line is one, as 0,anna,20,true")
    if len({is_date for _, _, is_date in found}) > 1:
        number = next(number for number, _, is_date in found if is_date != found[0][2])
        raise _invalid(path, number, "has seconds where other lines have dates, or a date where they have seconds")
    return _from_zero(path, found)


def _from_zero(path: Path, found: list[tuple[int, Order, bool]]) -> list[Order]:
    first = min(order.at_seconds for _, order, _ in found) if found[0][2] else 0.0
    orders = []
    for number, order, _ in found:
        at = order.at_seconds - first
        if not 0 <= at <= MOST_SECONDS:
            raise _invalid(path, number, f"is at {at:g} s; a trace begins at 0 and has 31 days at most")
        orders.append(Order(at, order.subject, order.images, order.trains, order.tenant))
    return sorted(orders, key=lambda order: order.at_seconds)


def write_trace(path: Path, orders: Iterable[Order]) -> None:
    """As `read_trace` reads it: JSON Lines where it ends in .jsonl, else CSV."""
    rows = [
        {
            "at": round(order.at_seconds, 3),
            "subject": order.subject,
            "images": order.images,
            "trains": order.trains,
            "tenant": order.tenant,
        }
        for order in orders
    ]
    text = io.StringIO()
    if path.suffix == ".jsonl":
        text.writelines(json.dumps(row) + "\n" for row in rows)
    else:
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "trains": str(row["trains"]).lower()} for row in rows)
    path.write_text(text.getvalue(), "utf-8")


def _csv_lines(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    if not text.strip():
        return
    try:
        names = reader.fieldnames or ()
        _check_names(path, 1, names)
        for row in reader:
            if None in row or None in row.values():
                raise _invalid(path, reader.line_num, f"has not as many values as there are columns ({len(names)})")
            yield reader.line_num, row
    except csv.Error as error:
        # It counts lines that it has read to their end.
        raise _invalid(path, reader.line_num + 1, f"is no CSV ({error})") from error


def _json_lines(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except ValueError as error:
            raise _invalid(path, number, f"is no JSON ({error})") from error
        if not isinstance(values, dict):
            raise _invalid(path, number, 'is no object, as {"at": 0, "subject": "anna", "images": 20}')
        _check_names(path, number, list(values))
        yield number, values


def _check_names(path: Path, number: int, names: Iterable[str]) -> None:
    given = set(names)
    if unknown := sorted(given - set(COLUMNS)):
        raise _invalid(path, number, f"has {', '.join(unknown)}; known are {', '.join(COLUMNS)}")
    if missing := [name for name in COLUMNS[:3] if name not in given]:
        raise _invalid(path, number, f"has no {' and no '.join(missing)}; needed are {', '.join(COLUMNS[:3])}")


def _order(path: Path, number: int, values: Mapping[str, object]) -> tuple[Order, bool]:
    """An order, and whether its time is a date."""
    at, is_date = _time(path, number, str(values["at"]).strip())
    subject = str(values["subject"]).strip()
    if not subject:
        raise _invalid(path, number, "names no subject; any word does, the same for the same person")
    text = str(values["images"]).strip()
    if not text.isdecimal() or int(text) > MOST_IMAGES:
        raise _invalid(path, number, f"has {text!r} images; a whole number from 0 to {MOST_IMAGES} is needed")
    word = str(values.get("trains", "")).strip().lower()
    if word not in (*_YES, *_NO):
        raise _invalid(path, number, f"has trains {word!r}; true or false is needed")
    if not int(text) and word in _NO:
        raise _invalid(path, number, "orders nothing: no images and no training")
    return Order(at, subject, int(text), word in _YES, str(values.get("tenant", "")).strip()), is_date


def _time(path: Path, number: int, text: str) -> tuple[float, bool]:
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            message = f"is at {text!r}; seconds since the begin, or an ISO 8601 time, are needed"
            raise _invalid(path, number, message) from None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp(), True
    if not math.isfinite(seconds):
        raise _invalid(path, number, f"is at {text!r}; a number of seconds is needed")
    return seconds, False


def _invalid(path: Path, number: int, what: str) -> InvalidArgumentError:
    return InvalidArgumentError("TRACE_INVALID", f"{path}, line {number} {what}")
