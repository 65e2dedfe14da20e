"""A network's call that several requests share is found from the traces of all of them."""

from __future__ import annotations

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from headshots.telemetry import spans
from headshots.telemetry.otel import OpenTelemetry
from services.generator.traces import JobTrace, network_call
from tests.support.traces import recorded, trace_of


def test_it_is_part_of_the_first_request_whose_trace_is_kept_and_linked_to_all() -> None:
    dropping = OpenTelemetry(TracerProvider(sampler=ALWAYS_OFF).get_tracer("test"))
    jobs: list[JobTrace] = []
    with recorded() as told:
        for tracing in (dropping, None, None):
            with spans.span("Generate", tracing=tracing):
                jobs.append(JobTrace())
        for job in jobs:
            job.started()
        call = network_call("unet", [jobs[0], jobs[1], jobs[1], jobs[2]], steps=[0, 1, 2, 3])
        for job in jobs:
            job.stepped(call)
            job.ended()
        call.end()
    (unet,) = told.named("unet")
    first, second = told.named("Generate")
    assert (trace_of(unet), trace_of(unet) == trace_of(second)) == (trace_of(first), False)
    assert len({link.context.span_id for link in unet.links}) == 3, "each request once"
    assert dict(unet.attributes or {}) == {"headshots.images": 4, "headshots.steps": (0, 1, 2, 3)}
    denoising = told.named("denoise")
    assert [trace_of(span) for span in denoising] == [trace_of(first), trace_of(second)]
    assert {link.context.span_id for span in denoising for link in span.links} == {unet.get_span_context().span_id}


def test_switched_off_it_is_none() -> None:
    assert network_call("unet", [JobTrace()], steps=[1]) is spans.OFF
