"""Spans say what they are part of, and nothing of what people gave us."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from headshots.errors import InvalidArgumentError
from headshots.telemetry import spans
from headshots.telemetry.calls import untraced
from headshots.telemetry.logs import TEXT, JsonFormatter, TextFormatter
from headshots.telemetry.origins import accepted_request_id, current_origin, request_id, resumed, set_request_id
from headshots.telemetry.otel import OpenTelemetry
from tests.support.traces import recorded, span_id, trace_of

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_an_error_is_told_by_its_reason_alone() -> None:
    with recorded() as told:
        with pytest.raises(InvalidArgumentError), spans.span("work"):
            raise InvalidArgumentError("PROMPT_TOO_LONG", "the prompt 'Ada in a suit' is too long")
        with pytest.raises(ValueError, match="Ada"), spans.span("work"):
            raise ValueError("Ada")
    reasons = [dict(span.attributes or {}) for span in told.spans]
    assert reasons == [{"error.type": "PROMPT_TOO_LONG"}, {"error.type": "ValueError"}]
    assert "Ada" not in "".join(f"{span.status.description}{span.events}" for span in told.spans)


def test_who_is_cancelled_has_not_failed() -> None:
    with recorded() as told, pytest.raises(asyncio.CancelledError), spans.span("work"):
        raise asyncio.CancelledError
    (span,) = told.spans
    assert span.status.is_unset


def test_an_attribute_that_nobody_allowed_cannot_be_set() -> None:
    with recorded(), spans.span("work") as span:
        with pytest.raises(KeyError):
            spans.span("more", prompt="Ada in a suit")
        with pytest.raises(KeyError):
            span.set(prompt="Ada in a suit")


def test_what_a_row_keeps_is_resumed_in_another_process() -> None:
    with recorded() as told:
        with resumed({"request_id": "order-1", "traceparent": PARENT}):
            with spans.span("later"):
                origin = current_origin()
            assert request_id() == "order-1"
        assert current_origin() is None
    (span,) = told.spans
    assert span.parent is not None
    assert trace_of(span) == PARENT.split("-")[1]
    assert origin == {"request_id": "order-1", "traceparent": f"00-{trace_of(span)}-{span_id(span)}-01"}


@pytest.mark.parametrize("origin", [None, {}, {"traceparent": "nonsense"}, {"traceparent": "00-" + "0" * 32 + "-1-01"}])
def test_without_a_usable_origin_a_new_trace_begins(origin: dict[str, str] | None) -> None:
    with recorded() as told, resumed(origin), spans.span("later"):
        pass
    (span,) = told.spans
    assert span.parent is None


def test_the_server_of_a_poll_keeps_no_span_of_it() -> None:
    assert list(untraced([("key", "value")])) == [("key", "value")], "off: nothing is added"
    with recorded() as told:
        (_, (name, traceparent)) = untraced([("key", "value")])
        spans.span("DescribeGenerator", parent=traceparent).end()
    assert name == "traceparent"
    assert not told.spans


def test_a_trace_that_is_not_kept_is_no_exemplar_and_is_passed_on_as_such() -> None:
    dropping = OpenTelemetry(TracerProvider(sampler=ALWAYS_OFF).get_tracer("test"))
    dropped = spans.span("work", tracing=dropping)
    assert dropped.exemplar is None
    assert not int(dropped.traceparent.rpartition("-")[2], 16) & 1, "the flag that says that it is kept"


def test_a_row_of_nobody_keeps_nothing() -> None:
    assert current_origin() is None


@pytest.mark.parametrize("wanted", ["order-1", "0F.a_b-9", "x" * 64])
def test_a_callers_request_id_is_taken(wanted: str) -> None:
    assert accepted_request_id(wanted) == wanted


@pytest.mark.parametrize("wanted", ["", "x" * 65, "Ada Lovelace", "a\nb", "ä", "a\n"])
def test_another_form_gets_a_new_id(wanted: str) -> None:
    made = accepted_request_id(wanted)
    assert made != wanted
    assert len(made) == 32


def _record(message: str, **extra: object) -> logging.LogRecord:
    record = logging.makeLogRecord({"name": "services.gateway", "levelname": "WARNING", "msg": message, "created": 0.0})
    vars(record).update(extra)
    return record


async def test_lines_tell_their_call_in_both_forms() -> None:
    async def work() -> tuple[str, str]:
        set_request_id("order-1")
        with spans.span("work") as span:
            traceparent.append(span.traceparent)
            line = _record("two\nlines", method="Get")
            return TextFormatter(TEXT).format(_record("said")), JsonFormatter(service="gateway").format(line)

    traceparent: list[str] = []
    with recorded():
        text, line = await asyncio.create_task(work())
    _, trace_id, its_span, _ = traceparent[0].split("-")
    assert text.endswith(f"WARNING services.gateway: said [request_id=order-1 trace_id={trace_id}]")
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.000+00:00",
        "level": "WARNING",
        "logger": "services.gateway",
        "message": "two\nlines",
        "service": "gateway",
        "request_id": "order-1",
        "trace_id": trace_id,
        "span_id": its_span,
        "method": "Get",
    }


def test_a_line_about_no_call_has_no_ids() -> None:
    assert TextFormatter(TEXT).format(_record("said")).endswith("WARNING services.gateway: said")
    assert "request_id" not in json.loads(JsonFormatter().format(_record("said")))
