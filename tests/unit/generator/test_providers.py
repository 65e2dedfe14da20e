"""What the generator opens for each provider, and the sizes that it offers then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from headshots.diffusion.backends import OnnxRuntimeOptions
from headshots.diffusion.package import EnginePackage
from headshots.errors import InvalidArgumentError
from services.generator import __main__ as wiring
from services.generator.settings import GeneratorSettings
from tests.support.foundations.engines import tiny_package


def settings(home: Path, **given: str) -> GeneratorSettings:
    environment = {f"HEADSHOTS_GENERATOR_{name.upper()}": value for name, value in given.items()}
    return GeneratorSettings.from_environment({"HEADSHOTS_HOME": str(home), **environment})


@pytest.mark.parametrize(
    ("provider", "bound"), [("cpu", False), ("cuda", False), ("tensorrt", True), ("tensorrt-rtx", True)]
)
def test_sizes_are_bound_to_the_profiles_where_engines_are_built_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: str, bound: bool
) -> None:
    opened: list[tuple[EnginePackage, OnnxRuntimeOptions]] = []

    def open_package(package: EnginePackage, options: OnnxRuntimeOptions) -> Any:
        opened.append((package, options))
        raise InvalidArgumentError("SEEN", "enough")

    monkeypatch.setattr(wiring, "open_package", open_package)
    package = tiny_package()
    with pytest.raises(InvalidArgumentError, match="enough"):
        wiring.build(settings(tmp_path, provider=provider), package.folder, CollectorRegistry(), None)
    ((served, options),) = opened
    assert options.provider == provider
    assert served.sizes == (package.profile_sizes if bound else ())


def test_the_export_is_asked_for_the_engines_that_the_settings_name(tmp_path: Path) -> None:
    asked = settings(tmp_path, export_tensorrt_rtx="sm120,sm89", export_build_memory_gb="3.5").export
    assert (asked.tensorrt_rtx, asked.build_memory_gb) == (("sm89", "sm120"), 3.5)
    assert settings(tmp_path).export.tensorrt_rtx == ()
    with pytest.raises(InvalidArgumentError, match="sm90"):
        _ = settings(tmp_path, export_tensorrt_rtx="sm90").export
