"""What `headshots doctor` looks at for a generator: `python -m services.generator.doctor`, a line of JSON a result."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

from headshots.diffusion.backends import TENSORRT_RTX
from headshots.diffusion.backends.providers import provider_name
from headshots.diffusion.export.ensure import exported_package
from headshots.diffusion.foundations.foundation import foundation_digest
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.package_files import check_digests
from headshots.diffusion.tensorrt.gpu import describe, load_driver
from headshots.diffusion.tensorrt.rtx.loading import check_target, check_version
from headshots.doctor.credentials import days_left, internal_checks
from headshots.doctor.findings import Finding, failed, ok, skipped
from headshots.doctor.models import SECONDS, FoundationLook, analyzer_check
from headshots.doctor.places import LEAST_FREE_BYTES, first_start_makes, memory, rooms
from headshots.doctor.ports import look
from headshots.doctor.processes import event_loop_check, tell
from headshots.doctor.running import Check
from headshots.doctor.stores import folder_of, store_check
from headshots.marking.credentials import ends_at
from headshots.marking.settings import MarkingSettings
from headshots.pods.checking import pod_check
from services.generator.settings import GeneratorSettings

_SERVICE = "headshots.v1.GeneratorService"
# Of the process without its networks and adapters.
_PROCESS_BYTES = 2**29
_EXPORT = "`headshots export --foundation DIR --out FOLDER` makes a package; HEADSHOTS_GENERATOR_PACKAGE names it"


def checks(settings: GeneratorSettings) -> list[Check]:
    """In the order of a generator's start, then the machine."""
    needs_foundation = settings.package is None or settings.backend == "torch"
    foundation = FoundationLook(settings.foundation, settings.foundations_dir, settings.fuse, settings.few_steps)
    return [
        event_loop_check(settings.event_loop),
        *(foundation.checks if needs_foundation else []),
        Check("engine package", lambda: _package(settings, foundation), _EXPORT, SECONDS),
        Check(
            "provider",
            lambda: _provider(settings, foundation),
            "install what HEADSHOTS_GENERATOR_PROVIDER needs (docs/operations.md, GPUs), or set it to cpu",
        ),
        Check(
            "image signature",
            lambda: _signature(settings.marking),
            "mount a certificate for signing content and its key (docs/operations.md, What images say of themselves)",
            60.0,
        ),
        _analyzer(settings),
        store_check("object store", settings.store_url, "HEADSHOTS_STORE_URL"),
        *internal_checks(settings.internal, server=True),
        pod_check(settings.pod),
        Check(
            "ports",
            lambda: look(settings.server, _SERVICE, tls=settings.internal.has_certificates),
            "set HEADSHOTS_GENERATOR_HOST to an address of this machine",
        ),
        Check(
            "disk",
            lambda: rooms(_needs(settings)),
            "see that the folder can be read",
        ),
        Check("memory", lambda: _memory(settings, foundation), "see the engine package above"),
    ]


def _analyzer(settings: GeneratorSettings) -> Check:
    """Who paints no looks needs none."""
    if settings.faces != "none":
        return analyzer_check("generator", settings.faces, settings.faces_dir)
    told = "HEADSHOTS_GENERATOR_FACES is none: orders in a look are refused, all others need no analyzer here"
    return Check("analyzer", lambda: skipped(told), "set it as HEADSHOTS_GATEWAY_FACES is set")


def _folder(settings: GeneratorSettings, foundation: FoundationLook) -> tuple[Path, bool]:
    """The package's folder, and whether it is there; one that is named has to be."""
    if settings.package is not None:
        return settings.package, True
    if not foundation.place.is_there:
        return settings.engines_dir, False
    return exported_package(foundation.place.folder, settings.engines_dir, settings.export)


def _with_package(
    settings: GeneratorSettings, foundation: FoundationLook, then: Callable[[EnginePackage], Finding]
) -> Finding:
    folder, is_there = _folder(settings, foundation)
    return then(EnginePackage.read(folder)) if is_there else skipped("there is no engine package yet")


def _package(settings: GeneratorSettings, foundation: FoundationLook) -> Finding:
    folder, is_there = _folder(settings, foundation)
    if not is_there:
        missing = [name for name in ("torch", "diffusers", "onnx") if importlib.util.find_spec(name) is None]
        if missing:
            cure = f"install the extra export, or make it elsewhere: {_EXPORT}"
            return failed(f"no package is exported yet, and the export lacks {', '.join(missing)}", cure)
        return first_start_makes(folder, "the engine package, whose export takes minutes,")
    package = EnginePackage.read(folder)
    check_digests(folder, package.files)
    if settings.backend == "torch" and package.foundation_digest != foundation_digest(foundation.place.folder):
        return failed(
            f"{folder} was exported from {package.foundation}, not from {settings.foundation}",
            "set HEADSHOTS_FOUNDATION to the foundation that the package was exported from, or export again",
        )
    return ok(
        f"{package.foundation}, digest {package.foundation_digest[:12]}…, {len(package.files)} whole files: {folder}"
    )


def _provider(settings: GeneratorSettings, foundation: FoundationLook) -> Finding:
    if settings.backend == "torch":
        if importlib.util.find_spec("torch") is None:
            return failed(
                "the torch backend was asked for and torch is not installed", "install the extra generator-torch"
            )
        if settings.provider == "cuda":
            return ok(f"{describe(load_driver(), settings.device).name}; torch is installed")
        return ok(f"torch on {settings.provider}")
    if settings.provider == TENSORRT_RTX:
        return _with_package(settings, foundation, lambda package: _tensorrt_rtx(package, settings.device))
    name = provider_name(settings.provider)
    gpu = "" if settings.provider == "cpu" else f" on {describe(load_driver(), settings.device).name}"
    return ok(f"{name}{gpu}")


def _tensorrt_rtx(package: EnginePackage, device: int) -> Finding:
    engines = check_version(package)
    gpu = describe(load_driver(), device)
    check_target(package, engines, gpu)
    return ok(f"TensorRT for RTX {engines.version} on {gpu.name}")


def _signature(marking: MarkingSettings) -> Finding:
    if not marking.c2pa:
        return skipped("HEADSHOTS_MARKING_C2PA is off: images are not signed")
    if marking.c2pa_certificate is None and not marking.authority_dir.exists():
        return first_start_makes(marking.authority_dir, "this installation's own authority")
    marking.open_signer()
    certificate = marking.certificate
    cure = "renew it and restart the generators: it is read at the start (docs/operations.md)"
    return days_left(f"the certificate in {certificate}", ends_at(certificate), cure)


def _needs(settings: GeneratorSettings) -> dict[Path, int]:
    """Folders that are written to, with the bytes that should be free."""
    adapters, store = settings.adapters_dir, folder_of(settings.store_url)
    used = sum(file.stat().st_size for file in adapters.rglob("*") if file.is_file()) if adapters.exists() else 0
    others = [store, settings.engines_dir if settings.package is None else None]
    needs = {adapters: max(LEAST_FREE_BYTES, settings.adapter_disk_bytes - used)}
    return needs | {path: LEAST_FREE_BYTES for path in others if path is not None}


def _memory(settings: GeneratorSettings, foundation: FoundationLook) -> Finding:
    def needed(package: EnginePackage) -> Finding:
        networks = sum((package.folder / name).stat().st_size for name in package.files)
        return memory(networks + settings.adapter_host_bytes + _PROCESS_BYTES, "networks and adapters")

    return _with_package(settings, foundation, needed)


if __name__ == "__main__":
    tell("generator", GeneratorSettings.from_environment, checks)
