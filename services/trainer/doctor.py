"""What `headshots doctor` looks at for a trainer: `python -m services.trainer.doctor`, a line of JSON a result."""

from __future__ import annotations

from pathlib import Path

from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from headshots.diffusion.lora.files import foundation_of
from headshots.doctor.credentials import internal_checks
from headshots.doctor.databases import DatabaseLook, file_of
from headshots.doctor.findings import Finding, failed, ok
from headshots.doctor.models import FoundationLook, analyzer_check
from headshots.doctor.places import LEAST_FREE_BYTES, memory, rooms
from headshots.doctor.ports import look
from headshots.doctor.processes import tell
from headshots.doctor.running import Check
from headshots.doctor.stores import folder_of, store_check
from headshots.pods.checking import pod_check
from services.trainer.lora.recipe import Recipe
from services.trainer.settings import TrainerSettings

_SERVICE = "headshots.v1.TrainerService"
# Of a training's process without its model: Python, torch and what it imports.
_PROCESS_BYTES = 2**30


def checks(settings: TrainerSettings) -> list[Check]:
    """In the order of a trainer's start, then the machine."""
    foundation = FoundationLook(settings.foundation, settings.foundations_dir, settings.fuse, settings.few_steps)
    return [
        *foundation.checks,
        Check(
            "recipe",
            lambda: foundation.with_folder(_recipe),
            f"correct `training` in {settings.foundation / 'headshots.yaml'} (see `headshots/diffusion/foundations`)",
        ),
        analyzer_check("trainer", settings.faces, settings.faces_dir),
        *DatabaseLook(settings.database_url).checks,
        store_check("object store", settings.store_url, "HEADSHOTS_STORE_URL"),
        *internal_checks(settings.internal, server=True),
        pod_check(settings.pod),
        Check(
            "ports",
            lambda: look(settings.server, _SERVICE, tls=settings.internal.has_certificates),
            "set HEADSHOTS_TRAINER_HOST to an address of this machine",
        ),
        Check(
            "disk",
            lambda: rooms(dict.fromkeys(_written(settings), LEAST_FREE_BYTES)),
            "see that the folder can be read",
        ),
        Check(
            "memory",
            lambda: foundation.with_folder(lambda folder: _memory(folder, settings)),
            "see the foundation above",
        ),
    ]


def _recipe(folder: Path) -> Finding:
    foundation = Foundation.read(folder)
    recipe = Recipe.resolve(foundation)
    start = foundation.initial_weights
    made_for = foundation_of(start) if start is not None else ""
    if made_for and made_for != foundation_digest(folder):
        return failed(
            f"{start} was learned on foundation {made_for[:12]}…, not on this one: every training fails",
            "remove it, and adapters start from noise, or learn one on this foundation",
        )
    return ok(f"rank {recipe.rank}, {recipe.steps} steps")


def _written(settings: TrainerSettings) -> list[Path]:
    store, database = folder_of(settings.store_url), file_of(settings.database_url)
    return [path for path in (store, database and database.parent) if path is not None]


def _memory(foundation: Path, settings: TrainerSettings) -> Finding:
    weights = sum(file.stat().st_size for file in foundation.rglob("*.safetensors"))
    processes = settings.workers * settings.cores.processes
    needed = settings.workers * weights + processes * _PROCESS_BYTES
    return memory(needed, f"{settings.workers} training(s) in {processes} process(es)")


if __name__ == "__main__":
    tell("trainer", TrainerSettings.from_environment, checks)
