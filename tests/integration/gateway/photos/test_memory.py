"""The worst photos, in every decoder at once, keep the gateway under the bound that its pod's limit is made from."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
import yaml

from headshots.errors import InvalidPhotoError
from headshots.imaging import PhotoLimits
from headshots.imaging.workers.pool import DecoderLimits, DecoderPool
from services.gateway.photos.limits import MAX_PHOTO_BYTES
from services.gateway.settings import GatewaySettings
from tests.support.images import costly
from tests.support.paths import ROOT

BOUND_BYTES = 1_024_000_000
GATEWAY_BYTES = 150_000_000
"""A gateway without photos: the interpreter, gRPC, the database's driver, numpy."""
PROCESS_BYTES = 390_000_000
"""A decoding process with the worst photo, at most: measured below, enforced by the kernel 10 % above."""


def peak_bytes(pid: int) -> int:
    """The most memory that the process has had resident."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def test_the_default_settings_fit_into_the_bound_and_the_bound_into_the_pod() -> None:
    decoders, streams = GatewaySettings.photo_decoders, GatewaySettings.uploads_at_once
    assert GATEWAY_BYTES + streams * MAX_PHOTO_BYTES + decoders * PROCESS_BYTES <= BOUND_BYTES
    manifests = yaml.safe_load_all((ROOT / "deploy/k8s/base/gateway.yaml").read_text(encoding="utf-8"))
    deployment = next(each for each in manifests if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    memory = container["resources"]["limits"]["memory"]
    assert memory.endswith("Gi")
    assert int(memory[:-2]) * 2**30 >= 2 * BOUND_BYTES


@pytest.mark.slow
async def test_the_worst_photos_stay_under_the_bound() -> None:
    """A minute of CPU: `pytest -m slow tests/integration/gateway/photos/test_memory.py`."""
    decoders = GatewaySettings.photo_decoders
    pool = DecoderPool(decoders, DecoderLimits(cpu_seconds=60.0))
    peaks: list[int] = []
    try:
        for data in costly.worst(seed=7).values():
            with contextlib.suppress(InvalidPhotoError):
                await asyncio.gather(*(pool.normalise(data, PhotoLimits()) for _ in range(decoders)))
            peaks.append(sum(peak_bytes(pid) for pid in pool.pids()))
    finally:
        pool.close()
    assert max(peaks) > decoders * 300_000_000, "the worst photos are not bad any more"
    assert max(peaks) <= decoders * PROCESS_BYTES
