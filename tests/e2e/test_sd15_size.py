"""A foundation of Stable Diffusion 1.5's size: exported within 12 GB, served, and painted with, on two cores and 24 GB.

Takes about ten minutes and 20 GB of disk in the temporary folder:
``pytest -m slow tests/e2e/test_sd15_size.py -s``.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from PIL import Image

from headshots.diffusion.export.ensure import ExportOptions
from headshots.diffusion.package import EnginePackage
from headshots.rpc.channel import open_channel
from headshots.v1 import generator_pb2_grpc
from tests.integration.generator.test_process import process, serving
from tests.support.generator.world import ask
from tests.support.grants import SignedStub

pytestmark = pytest.mark.slow

PEAK_KB = 12_000_000
OPTIONS = ExportOptions(max_rank=8, slots=4, max_rows=4, sizes=((512, 512),))
# Shapes of stable-diffusion-v1-5; the weights are random and the vocabulary is the tests' own.
MAKE = """
import json, sys
from pathlib import Path
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel
from tests.support.foundations.tiny import make_tiny_foundation

path = make_tiny_foundation(Path(sys.argv[1]))
cross = ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",)
unet = UNet2DConditionModel(
    sample_size=64, block_out_channels=(320, 640, 1280, 1280), down_block_types=cross,
    up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3, cross_attention_dim=768, attention_head_dim=8,
)
assert 855e6 < sum(p.numel() for p in unet.parameters()) < 865e6
unet.half().save_pretrained(path / "unet")
del unet
AutoencoderKL(
    block_out_channels=(128, 256, 512, 512), layers_per_block=2, sample_size=512,
    down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
).half().save_pretrained(path / "vae")
CLIPTextModel(CLIPTextConfig(
    hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, max_position_embeddings=77,
)).half().save_pretrained(path / "text_encoder")
settings = path / "tokenizer" / "tokenizer_config.json"
settings.write_text(json.dumps({**json.loads(settings.read_text()), "model_max_length": 77}))
"""


def peak_kb(process: subprocess.Popen[str]) -> int:
    """The most memory a process has had so far; 0 once it has ended."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0


@pytest.fixture(scope="module")
def foundation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sd15") / "foundation"
    subprocess.run([sys.executable, "-c", MAKE, str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def exported(foundation: Path) -> tuple[Path, int]:
    """The package, and the export's peak of memory in kB."""
    folder = foundation.parent / "package"
    command = [sys.executable, "-m", "headshots.diffusion.export", "--foundation", str(foundation)]
    command += ["--out", str(folder), "--options", json.dumps(asdict(OPTIONS))]
    peak = 0
    with subprocess.Popen(command, text=True) as child:
        while child.poll() is None:
            peak = max(peak, peak_kb(child))
            time.sleep(0.2)
    assert child.returncode == 0
    print(f"\nthe export's peak: {peak / 1e6:.1f} GB")
    return folder, peak


def test_the_export_fits_into_12_gigabytes(exported: tuple[Path, int]) -> None:
    folder, peak = exported
    package = EnginePackage.read(folder)
    assert "unet.onnx.data" in package.files, "3.4 GB of weights stand beside the graph"
    assert {port.name: port.shape for port in package.graphs["unet.onnx"].inputs}["context"] == ("rows", 77, 768)
    assert 0 < peak <= PEAK_KB


async def test_the_service_paints_with_it(exported: tuple[Path, int], tmp_path: Path) -> None:
    settings = {"HEADSHOTS_GENERATOR_PACKAGE": str(exported[0]), "HEADSHOTS_GENERATOR_THREADS": "2"}
    with process(tmp_path, **settings) as (_, address):
        await serving(address, seconds=900)
        async with open_channel(address) as channel:
            stub = SignedStub(generator_pb2_grpc.GeneratorServiceStub(channel), "generator", tmp_path)
            events = [event async for event in stub.Generate(ask(steps=2, width_px=512, height_px=512))]
    image = Image.open(io.BytesIO(events[-1].image.content))
    image.load()
    assert (image.format, image.size) == ("PNG", (512, 512))
