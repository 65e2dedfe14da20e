"""Lists what is looked at for a gateway."""

from __future__ import annotations

from pathlib import Path

from headshots.doctor.credentials import internal_checks, key_file
from headshots.doctor.databases import DatabaseLook, file_of
from headshots.doctor.findings import Finding, ok, skipped
from headshots.doctor.models import analyzer_check
from headshots.doctor.places import LEAST_FREE_BYTES, memory, rooms
from headshots.doctor.ports import look
from headshots.doctor.processes import event_loop_check
from headshots.doctor.running import Check
from headshots.doctor.stores import folder_of, store_check
from headshots.receipts.signing import ReceiptKey
from headshots.styles.library import StyleLibrary
from headshots.styles.packs import PackLibrary
from services.gateway.settings import GatewaySettings

SERVICE = "headshots.v1.TenantService"
"""A gRPC service that health probes of a gateway can name."""
# Of the gateway's process, and of one that decodes photos (`photo_decoders`).
_PROCESS_BYTES, _DECODER_BYTES = 2**28, 460 * 2**20


def checks(settings: GatewaySettings) -> list[Check]:
    """In the order of a gateway's start, then the machine; without those of its peers."""
    return [
        event_loop_check(settings.event_loop),
        analyzer_check("gateway", settings.faces, settings.faces_dir),
        Check(
            "styles",
            lambda: _styles(settings.styles),
            "correct the file, or name another folder (HEADSHOTS_GATEWAY_STYLES)",
        ),
        *DatabaseLook(settings.database_url).checks,
        store_check("object store", settings.store_url, "HEADSHOTS_STORE_URL"),
        _log_of_erasures(settings),
        Check(
            "receipt key",
            lambda: _receipt_key(settings.receipt_key),
            "mount the key that all gateways sign receipts of erasures with (docs/operations.md, Kubernetes)",
        ),
        *internal_checks(settings.internal, server=False),
        Check(
            "ports",
            lambda: look(settings.server, SERVICE, _more_ports(settings)),
            "set HEADSHOTS_GATEWAY_HOST to an address of this machine",
        ),
        Check(
            "disk",
            lambda: rooms(dict.fromkeys(_written(settings), LEAST_FREE_BYTES)),
            "see that the folder can be read",
        ),
        Check("memory", lambda: _memory(settings), "see that /sys/fs/cgroup can be read"),
    ]


def _more_ports(settings: GatewaySettings) -> dict[str, int | None]:
    ports = {"LINKS_PORT": settings.links_port, "SCALER_PORT": settings.scaler_port}
    return {f"HEADSHOTS_GATEWAY_{name}": port for name, port in ports.items()}


def _log_of_erasures(settings: GatewaySettings) -> Check:
    url, name = settings.erasure_log_url, "log of erasures"
    if url is None or url == settings.store_url:
        return Check(name, lambda: skipped("it is kept in the object store"), "")
    return store_check(name, url, "HEADSHOTS_GATEWAY_ERASURE_LOG_URL")


def _receipt_key(file: Path) -> Finding:
    return key_file(file, lambda: ReceiptKey.open(file), "the key of receipts")


def _styles(folder: Path) -> Finding:
    styles = StyleLibrary.load(folder)
    packs = list(PackLibrary.load(folder, styles))
    return ok(f"{len(styles)} styles and {len(packs)} packs: {folder}")


def _written(settings: GatewaySettings) -> list[Path]:
    database, stores = file_of(settings.database_url), (settings.store_url, settings.erasure_log_url)
    folders = [settings.scratch_dir, database and database.parent, *(url and folder_of(url) for url in stores)]
    return list(dict.fromkeys(Path(path) for path in folders if path))


def _memory(settings: GatewaySettings) -> Finding:
    decoders = settings.photo_decoders
    return memory(_PROCESS_BYTES + decoders * _DECODER_BYTES, f"the gateway with {decoders} decoders of photos")
