"""Has a package's engines built by a child process with a bound on its memory, and describes them for ``engine.json``.

The child, because a build takes gigabytes that the asking process would not give back, and because a defect in the
builder, which is not ours, must not end it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from headshots.diffusion.child_errors import error_of
from headshots.diffusion.package import ENGINE_SUFFIX, EnginePackage, RtxEngine, RtxEngines
from headshots.diffusion.tensorrt.profiles import dynamic_shapes, input_shapes
from headshots.diffusion.tensorrt.rtx.targets import installed_version
from headshots.errors import HeadshotsError, ResourceExhaustedError, UnavailableError

_LOOK_SECONDS = 0.05
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


@dataclass(frozen=True)
class Built:
    """What the child tells of an engine: its layers, and its own peak of memory until then."""

    file: str
    layers: int
    seconds: float
    peak_bytes: int


def build_engines(
    package: EnginePackage, targets: tuple[str, ...], memory_bytes: int, told: Callable[[Built], None] | None = None
) -> RtxEngines:
    """Build the engines of every graph of ``package`` into its folder, whose ``engine.json`` need not be there yet.

    Args:
        package: what to build; its files' digests tell what each engine is of.
        targets: GPUs that each engine is for, as :data:`headshots.diffusion.tensorrt.rtx.targets.TARGETS` names them.
        memory_bytes: that the child may take; it is killed above.
        told: called after each engine.

    Raises:
        FailedPreconditionError: EXTRA_MISSING.
        InvalidArgumentError: ENGINE_NODE_UNSUPPORTED, ENGINE_PRECISION.
        ResourceExhaustedError: ENGINE_BUILD_MEMORY, ENGINE_NO_ROOM.
        UnavailableError: ENGINE_BUILD_FAILED.
    """
    installed = installed_version()
    engines = [
        RtxEngine(engine_file(graph, targets), graph, source_of(package, graph)) for graph in sorted(package.graphs)
    ]
    _run([_job(package, engine, targets) for engine in engines], memory_bytes, told or _silent)
    return RtxEngines(installed, targets, tuple(engines))


def engine_file(graph: str, targets: Sequence[str]) -> str:
    """File name of an engine, as ``unet.sm89-sm120.engine``."""
    return f"{Path(graph).stem}.{'-'.join(targets)}{ENGINE_SUFFIX}"


def source_of(package: EnginePackage, graph: str) -> str:
    """SHA-256 of what an engine is built from: the graph and its weights, by their digests, and the shapes it takes."""
    files = {name: sha256 for name, sha256 in package.files.items() if name in (graph, f"{graph}.data")}
    shapes = {name: asdict(each) for name, each in input_shapes(package, graph).items()}
    return hashlib.sha256(json.dumps([files, shapes], sort_keys=True).encode()).hexdigest()


def _job(package: EnginePackage, engine: RtxEngine, targets: Sequence[str]) -> dict[str, Any]:
    return {
        "graph": str(package.folder / engine.graph),
        "engine": str(package.folder / engine.file),
        "targets": targets,
        "shapes": {name: asdict(each) for name, each in dynamic_shapes(package, engine.graph).items()},
    }


def _run(jobs: Sequence[dict[str, Any]], memory_bytes: int, told: Callable[[Built], None]) -> None:
    command = [sys.executable, "-m", "headshots.processes.child", str(os.getpid()), "headshots.diffusion.tensorrt.rtx"]
    said: list[str] = []
    number, error = 0, None
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        with _bounded(child, memory_bytes) as exceeded:
            # One that has ended by now tells why by its status.
            with suppress(BrokenPipeError), child.stdin:
                child.stdin.write(json.dumps(jobs))
            for line in child.stdout:
                error = error or error_of(line)
                if line.startswith("built\t"):
                    number += 1
                    told(Built(**json.loads(line.partition("\t")[2])))
                else:
                    said.append(line)
    if child.returncode != 0 or number < len(jobs):
        graph = Path(jobs[min(number, len(jobs) - 1)]["graph"]).name
        raise error or _failure(graph, child.returncode, said, memory_bytes if exceeded else None)


def _failure(graph: str, status: int, said: Sequence[str], exceeded: int | None) -> HeadshotsError:
    if exceeded is not None:
        return ResourceExhaustedError(
            "ENGINE_BUILD_MEMORY",
            f"building the engine of {graph} took more than {exceeded / 1e9:g} GB; allow more with --build-memory-gb "
            "(HEADSHOTS_GENERATOR_EXPORT_BUILD_MEMORY_GB), or export on a larger machine",
        )
    return UnavailableError(
        "ENGINE_BUILD_FAILED",
        f"building the engine of {graph} ended with status {status}: {''.join(said[-10:]).strip()}; "
        "a negative status is a signal, as of a system that runs out of memory",
    )


@contextmanager
def _bounded(child: subprocess.Popen[str], memory_bytes: int) -> Iterator[list[int]]:
    """Kill ``child`` when its peak exceeds ``memory_bytes``; what is given then holds that peak."""
    exceeded: list[int] = []

    def watch() -> None:
        while True:
            peak = peak_bytes(child.pid)
            if peak > memory_bytes and child.poll() is None:
                exceeded.append(peak)
                child.kill()
            try:
                child.wait(_LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            return

    watcher = Thread(target=watch, name="build-memory")
    watcher.start()
    try:
        yield exceeded
    finally:
        watcher.join()


def peak_bytes(process: int) -> int:
    """The most memory that a process has had so far; 0 where it has ended, or the system does not tell (Linux does)."""
    try:
        found = _PEAK.search(Path(f"/proc/{process}/status").read_text("utf-8"))
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def _silent(built: Built) -> None:
    """Nobody asked."""
