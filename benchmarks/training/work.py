"""Runs one person's part of the benchmark in a process of its own: trains with ours or the peer, generates, judges."""

from __future__ import annotations

import functools
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from benchmarks.training import painting
from benchmarks.training.engine import Guidance
from benchmarks.training.judging import Jury, gallery, through_the_gate
from benchmarks.training.peer import Peer, Tuning
from benchmarks.training.people import Pixels
from benchmarks.training.pictures import keep
from benchmarks.training.plan import Plan
from headshots.faces import open_analyzer
from services.trainer.lora.recipe import Recipe, TrainingOptions
from services.trainer.queue.job import JobRequest
from services.trainer.run.device import Cores
from services.trainer.run.foundation_stamp import foundation_stamp
from services.trainer.run.messages import Failed, Succeeded, Task, decode_event, encode
from services.trainer.run.photos import load_crops
from services.trainer.selection.scores import TrainingScores

_REPOSITORY = Path(__file__).resolve().parents[2]
_ONE = Cores(processes=1, threads=1)
# Ours was chosen for our adapters. A rival would try others for theirs: whole ones, led away from a weaker self or from
# an equal one, and further.
PEERS_GUIDANCE = (None, Guidance(1.5, 0.5), Guidance(2.5, 0.5), Guidance(2.5), Guidance(4.0))


@dataclass(frozen=True)
class Trained:
    """What the trainer's child process left, and what it took: wall and CPU seconds until its last event."""

    adapter: bytes
    scores: TrainingScores
    steps: int
    seconds: float
    cpu_seconds: float


def ours(plan: Plan, person: int) -> dict[str, Any]:
    """Train as the service does on one CPU, paint, judge."""
    trained = train(plan, person, _ONE)
    scores = trained.scores
    pictures = painting.portraits(plan, person, trained.adapter)
    keep(plan, "ours", person, pictures)
    keep(plan, "teaching", person, painting.otherwise_painted(plan, person, trained.adapter))
    return {
        "seconds": trained.seconds,
        "cpu_seconds": trained.cpu_seconds,
        "steps": trained.steps,
        "chosen_step": scores.chosen_step,
        "held_out_likeness": scores.likeness,
        "passed": scores.passed,
        "reason": scores.reason,
        **judged(plan, person, pictures, f"{person:02d}-ours.jpg"),
    }


def peer(plan: Plan, person: int, seconds: float, tuning: Tuning) -> dict[str, Any]:
    """The peer's training for as many seconds as ours took, loading and caching not counted; painted as suits it."""
    torch.set_num_threads(1)
    recipe = Recipe.resolve(plan.described)
    with tempfile.TemporaryDirectory() as folder:
        files = photo_files(plan, person, Path(folder))
        trainer = Peer(plan.foundation, files, caption(plan, person), recipe, side(plan), tuning)
        steps = trainer.run_for(seconds)
        adapter = trainer.adapter(plan.digest)
    tries = {
        str(guidance or "as ours"): judged(
            plan, person, painting.portraits(plan, person, adapter, guidance), f"{person:02d}-peer-{number}.jpg"
        )
        for number, guidance in enumerate(PEERS_GUIDANCE)
    }
    likeliest = max(tries, key=lambda painted: float(tries[painted]["likeness"]))
    return {
        "seconds": seconds,
        "steps": steps,
        "tuning": tuning.name,
        "painted": likeliest,
        "likeness_painted": {painted: result["likeness"] for painted, result in tries.items()},
        **tries[likeliest],
    }


def bare(plan: Plan, person: int) -> dict[str, Any]:
    """The control: the bare foundation with the person's prompts. The same pictures for everybody of a class."""
    pictures = painting.bare_portraits(plan, plan.cast.class_noun(person))
    scenes = [scene for scene in plan.wanted_scenes for _ in plan.wanted_seeds]
    jury = _jury(plan)
    return {**jury.likeness(person, pictures), "following": jury.following(scenes, pictures)}


def train(plan: Plan, person: int, cores: Cores) -> Trained:
    """One training in the trainer's own child process.

    Raises:
        RuntimeError: it failed; the message has its reason.
    """
    prefix = _prefix(plan, person, cores)
    plan.store.delete_prefix_sync(prefix)
    request = JobRequest(
        plan.cast.upload(plan.store, person, plan.selfies), prefix, plan.cast.class_noun(person), TrainingOptions()
    )
    task = Task(
        job_id=f"person-{person}",
        request=request,
        foundation=str(plan.foundation),
        foundation_digest=plan.digest,
        foundation_stamp=foundation_stamp(plan.foundation),
        store_url=plan.store_url,
        device="cpu",
        threads=cores.threads,
        processes=cores.processes,
        checkpoint_seconds=15.0,
        faces=plan.faces,
    )
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    last = _last_event(task)
    seconds = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not isinstance(last, Succeeded):
        raise RuntimeError(f"person {person}: {last.failure if isinstance(last, Failed) else last}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Trained(plan.store.get_sync(last.adapter.key), last.scores, last.curve[-1][0], seconds, cpu)


def adapter_of(plan: Plan, person: int) -> bytes:
    """The file that a customer gets of the person's training by `ours`."""
    return plan.store.get_sync(f"{_prefix(plan, person, _ONE)}/adapter.safetensors")


def _prefix(plan: Plan, person: int, cores: Cores) -> str:
    return f"{plan.cast.name}/{person}/adapters/{plan.key}-{cores.processes}-{cores.threads}"


def judged(plan: Plan, person: int, pictures: list[Pixels], sheet: str) -> dict[str, Any]:
    """Every scene with every seed, before the jury and the gate."""
    scenes = [scene for scene in plan.wanted_scenes for _ in plan.wanted_seeds]
    _save_sheet(plan.folder / "sheets" / sheet, pictures, plan.seeds)
    jury = _jury(plan)
    return {
        **jury.likeness(person, pictures),
        "following": jury.following(scenes, pictures),
        **through_the_gate(open_analyzer(plan.faces), plain_photos(plan, person), pictures),
    }


def plain_photos(plan: Plan, person: int) -> list[Pixels]:
    """The selfies as the trainer sees them, one crop each."""
    recipe = Recipe.resolve(plan.described)
    size = (plan.described.native_width_px, plan.described.native_height_px)
    crops = load_crops(
        plan.store,
        plan.cast.upload(plan.store, person, plan.selfies),
        recipe,
        size,
        open_analyzer(plan.faces),
        head_height=plan.described.head_height,
    )
    return [crop.pixels for crop in crops[:: recipe.crops_per_photo]]


def side(plan: Plan) -> int:
    """Resolution in pixels."""
    return plan.described.native_width_px


def _last_event(task: Task) -> Any:
    environment = {
        **os.environ,
        "OMP_WAIT_POLICY": "passive",
        "OMP_NUM_THREADS": str(task.threads),
        "HF_HUB_OFFLINE": "1",
    }
    command = [sys.executable, "-m", "services.trainer.run"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_REPOSITORY, env=environment
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        # Its stdin stays open: the end of it would tell the child that its service is gone.
        child.stdin.write(encode(task))
        child.stdin.flush()
        last = None
        for line in child.stdout:
            last = decode_event(line)
    return last


def photo_files(plan: Plan, person: int, folder: Path) -> list[Path]:
    """The same stored photos as files, for a program that reads a folder."""
    files = []
    for photo in plan.cast.upload(plan.store, person, plan.selfies):
        files.append(folder / f"{photo.sha256}.png")
        files[-1].write_bytes(plan.store.get_sync(photo.key))
    return files


def caption(plan: Plan, person: int) -> str:
    words = {"trigger": plan.described.trigger, "class_noun": plan.cast.class_noun(person)}
    return Recipe.resolve(plan.described).caption.format(**words)


def _save_sheet(path: Path, pictures: list[Pixels], columns: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = pictures[0].shape[:2]
    page = Image.new("RGB", (columns * width, len(pictures) // columns * height))
    for number, picture in enumerate(pictures):
        page.paste(Image.fromarray(picture), (number % columns * width, number // columns * height))
    page.save(path, quality=88)


@functools.cache
def _jury(plan: Plan) -> Jury:
    return Jury(gallery(plan.cast, plan.gallery, plan.gallery_file))
