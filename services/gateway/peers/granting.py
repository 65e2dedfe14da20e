"""Says what the gateway grants to each of its calls of trainers and generators."""

from __future__ import annotations

from headshots.errors import InternalError
from headshots.rpc.internal.grants import Grant
from services.gateway.peers.models import GenerationRequest, TrainingRequest
from services.gateway.tenants.ownership import subject_prefix_of

TRAINER, GENERATOR = "trainer", "generator"


def starting(request: TrainingRequest) -> Grant:
    """Of a training: to read the subject's objects, and to write below the result's prefix."""
    return Grant(
        TRAINER,
        "StartTraining",
        tenant=request.tenant,
        reads=(_of_subject(request.tenant, request.output_prefix),),
        writes=request.output_prefix,
        job=request.job_id,
    )


def of_job(method: str, job_id: str) -> Grant:
    """To watch or cancel a training job."""
    return Grant(TRAINER, method, job=job_id)


def generating(request: GenerationRequest) -> Grant:
    """Of an image: to read the subject's objects, to write below the images' prefix, and to say the tenant's rights."""
    return Grant(
        GENERATOR,
        "Generate",
        tenant=request.tenant,
        reads=(_of_subject(request.tenant, request.output_prefix),),
        writes=request.output_prefix,
        rights=request.rights.digest if request.rights is not None else "",
    )


def checking(request: GenerationRequest) -> Grant:
    """Of a look at a request: to name its adapter and the picture it starts from, and to write nothing."""
    keys = [named.key for named in (request.adapter, request.source) if named is not None]
    reads = dict.fromkeys(_of_subject(request.tenant, key) for key in keys)
    return Grant(GENERATOR, "CheckGeneration", tenant=request.tenant, reads=tuple(reads))


def describing() -> Grant:
    """To ask what a generator runs."""
    return Grant(GENERATOR, "DescribeGenerator")


def evicting(adapter_sha256: str) -> Grant:
    """To make a generator forget an adapter."""
    return Grant(GENERATOR, "EvictAdapter", adapter=adapter_sha256)


def _of_subject(tenant: str, key: str) -> str:
    prefix = subject_prefix_of(tenant, key)
    if prefix is None:
        raise InternalError("INTERNAL", f"{key} is not below a subject of the tenant {tenant}")
    return prefix
