"""Checks that the optional packages and analyzers which a command needs are installed, and says how to install them."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

_SERVICE = ("grpc_health", "grpc_reflection", "numpy", "obstore", "PIL", "prometheus_client", "protovalidate", "yaml")
_DATABASE = ("alembic", "sqlalchemy")
_RECEIPTS = ("cryptography",)
_TORCH = ("accelerate", "diffusers", "huggingface_hub", "peft", "torch", "transformers")

MODULES: dict[str, tuple[str, ...]] = {
    "database": _DATABASE,
    "receipts": _RECEIPTS,
    "gateway": (*_SERVICE, *_DATABASE, *_RECEIPTS, "pillow_heif"),
    "trainer": (*_SERVICE, *_DATABASE, *_TORCH, "onnxruntime", "safetensors"),
    "generator": (*_SERVICE, "c2pa", "cryptography", "huggingface_hub", "onnxruntime", "safetensors", "tokenizers"),
    "marking": ("PIL", "c2pa", "cryptography", "numpy"),
    "faces": ("PIL", "numpy", "onnxruntime"),
    "people": ("PIL", "numpy", "onnx", "onnxruntime"),
    "export": (*_TORCH, "onnx", "onnxruntime", "yaml"),
    "tensorrt-rtx": ("tensorrt_rtx_bindings", "tensorrt_rtx_libs"),
    "demo": (
        *_SERVICE,
        *_DATABASE,
        *_RECEIPTS,
        *_TORCH,
        "c2pa",
        "cryptography",
        "onnx",
        "onnxruntime",
        "pillow_heif",
        "psutil",
        "safetensors",
        "tokenizers",
    ),
}
"""What each extra of pyproject.toml brings that its commands import."""


def require(command: str, *extras: str) -> None:
    """Check that the modules of `extras`, which `command` needs, are installed. Imports none of them.

    Raises:
        FailedPreconditionError: EXTRA_MISSING.
    """
    from headshots.errors import FailedPreconditionError

    wanted = dict.fromkeys(name for extra in extras for name in MODULES[extra])
    missing = [name for name in wanted if importlib.util.find_spec(name) is None]
    if missing:
        from headshots.diffusion.tensorrt.rtx.targets import TERMS

        terms = f" ({TERMS})" if "tensorrt-rtx" in extras else ""
        raise FailedPreconditionError(
            "EXTRA_MISSING",
            f"`headshots {command}` needs packages that are not installed ({', '.join(missing)}): in a checkout of "
            f"headshots, pip install -c constraints.txt -e '.[{','.join(extras)}]'{terms}",
        )


def require_services(command: str) -> None:
    """Check that the services are installed beside this library, which `command` runs: a wheel has none of them.

    Raises:
        FailedPreconditionError: SERVICES_MISSING.
    """
    import headshots
    from headshots.errors import FailedPreconditionError

    # By the place and not by the name: what is called `services` elsewhere may be anybody's.
    beside = Path(headshots.__file__).parent.parent / "services" / "gateway" / "__main__.py"
    if not beside.is_file():
        raise FailedPreconditionError(
            "SERVICES_MISSING",
            f"`headshots {command}` runs the services, which are no part of what pip brings into other programs' "
            "environments: run it in a checkout of headshots after pip install -c constraints.txt -e '.[demo]', or in "
            "its containers",
        )


def check_analyzers(environment: Mapping[str, str]) -> None:
    """Return where the analyzers that the services are to have are installed, before anything is started.

    Raises:
        FailedPreconditionError: ANALYZER_NOT_INSTALLED, ANALYZER_UNUSABLE.
    """
    from headshots.faces import check_installed
    from headshots.settings import Home

    for name in ("GATEWAY", "TRAINER", "GENERATOR"):
        variable = f"HEADSHOTS_{name}_FACES"
        folder = environment.get(f"{variable}_DIR")
        default = Home.from_environment(environment).analyzer_of(variable, environment)
        check_installed(environment.get(variable, ""), Path(folder).expanduser() if folder else default)
