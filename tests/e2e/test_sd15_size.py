"""One file of Stable Diffusion 1.5's size is imported, exported and painted with within 12 GB, on two cores and 24 GB.

Takes about ten minutes and 12 GB of disk in the temporary folder:
``pytest -n 0 -m slow tests/e2e/test_sd15_size.py -s``.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest
from PIL import Image

from headshots.diffusion.export.ensure import ExportOptions
from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.package import EnginePackage
from headshots.rpc.channel import open_channel
from headshots.v1 import generator_pb2_grpc
from tests.support.foundations.clip import clip_links
from tests.support.generator.process import process, serving
from tests.support.generator.world import ask
from tests.support.grants import SignedStub

pytestmark = pytest.mark.slow

PEAK_KB = 12_000_000
OPTIONS = ExportOptions(max_rank=8, slots=4, max_rows=4, sizes=((512, 512),))


def peak_kb(process: subprocess.Popen[str]) -> int:
    """The most memory a process has had so far; 0 once it has ended."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0


def run(what: str, arguments: Sequence[str]) -> int:
    """Run a module to its good end; the most memory that it had, in kB."""
    begin, peak = time.monotonic(), 0
    with subprocess.Popen([sys.executable, "-m", *arguments], text=True) as child:
        while child.poll() is None:
            peak = max(peak, peak_kb(child))
            time.sleep(0.2)
    assert child.returncode == 0
    print(f"\n{what}: {time.monotonic() - begin:.0f} s, {peak / 1e6:.1f} GB")
    assert peak > 0
    return peak


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """The foundation, and the import's peak."""
    folder = tmp_path_factory.mktemp("sd15")
    file, links = folder / "portraits.safetensors", str(clip_links())
    run("writing the file", ["tests.support.foundations.sd15_size", str(file)])
    out = folder / "foundation"
    command = ["headshots", "foundation", "import", str(file), "--out", str(out), "--find-links", links]
    peak = run("import", command)
    file.unlink()
    return out, peak


@pytest.fixture(scope="module")
def exported(imported: tuple[Path, int]) -> tuple[Path, int]:
    """The package, and the export's peak."""
    folder = imported[0].parent / "package"
    command = ["headshots.diffusion.export", "--foundation", str(imported[0]), "--out", str(folder)]
    return folder, run("export", [*command, "--options", json.dumps(asdict(OPTIONS))])


def test_the_import_is_a_foundation_and_takes_little_memory(imported: tuple[Path, int]) -> None:
    folder, peak = imported
    found = Foundation.read(folder)
    assert (found.family, found.native_width_px, found.native_height_px) == ("sd15", 512, 768)
    assert peak <= PEAK_KB


def test_the_export_fits_into_12_gigabytes(exported: tuple[Path, int]) -> None:
    folder, peak = exported
    package = EnginePackage.read(folder)
    assert "unet.onnx.data" in package.files, "3.4 GB of weights stand beside the graph"
    assert {port.name: port.shape for port in package.graphs["unet.onnx"].inputs}["context"] == ("rows", 77, 768)
    assert peak <= PEAK_KB


async def test_the_service_paints_with_it(exported: tuple[Path, int], tmp_path: Path) -> None:
    shutil.rmtree(exported[0].parent / "foundation")
    settings = {"HEADSHOTS_GENERATOR_PACKAGE": str(exported[0]), "HEADSHOTS_GENERATOR_THREADS": "2"}
    begin = time.monotonic()
    with process(tmp_path, **settings) as (child, address):
        await serving(address, seconds=900)
        async with open_channel(address) as channel:
            stub = SignedStub(generator_pb2_grpc.GeneratorServiceStub(channel), "generator", tmp_path)
            events = [event async for event in stub.Generate(ask(steps=2, width_px=512, height_px=512))]
        peak = peak_kb(child)
    print(f"\nstart and painting: {time.monotonic() - begin:.0f} s, {peak / 1e6:.1f} GB")
    image = Image.open(io.BytesIO(events[-1].image.content))
    image.load()
    assert (image.format, image.size) == ("PNG", (512, 512))
    assert image.convert("L").getextrema()[0] < image.convert("L").getextrema()[1], "noise, not one colour, as of NaN"
    assert 0 < peak <= PEAK_KB
