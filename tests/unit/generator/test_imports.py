"""The generator's run time needs no torch, diffusers, peft or transformers: it starts and paints without them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.foundations.engines import tiny_package

PROGRAM = """
import asyncio, sys
BLOCKED = {"torch", "diffusers", "peft", "transformers", "accelerate", "onnx", "onnxscript"}

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Blocker())
import os
from prometheus_client import CollectorRegistry
import services.generator.__main__ as main
import services.generator.servicer
from services.generator.metrics import Metrics
from services.generator.requests.request import GenerationRequest
from services.generator.settings import GeneratorSettings

async def paint():
    settings = GeneratorSettings.from_environment(os.environ)
    metrics = Metrics(CollectorRegistry())
    engine, _ = main.build(settings, main.find_package(settings), metrics, settings.marking.open_signer())
    await engine.start()
    events = [event async for event in engine.generate(GenerationRequest("acme", "photo", steps=2))]
    await engine.stop()
    return events[-1]

image = asyncio.run(paint())
assert not BLOCKED & set(sys.modules), BLOCKED & set(sys.modules)
assert not [name for name in sys.modules if name.startswith("opentelemetry")], "traces are off"
print(image.content_type, image.size_bytes)
"""


def test_the_generator_works_where_torch_cannot_be_imported(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "HEADSHOTS_HOME": str(tmp_path),
        "HEADSHOTS_GENERATOR_PACKAGE": str(tiny_package().folder),
        "HEADSHOTS_GENERATOR_THREADS": "1",
    }
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("image/png ")
