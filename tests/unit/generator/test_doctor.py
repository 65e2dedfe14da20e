"""What a generator depends on: its package, provider and signature."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from headshots.doctor.findings import Result, State
from headshots.doctor.running import run
from headshots.doctor.secrets import Redactor
from headshots.errors import InvalidArgumentError
from services.generator.__main__ import with_foundation
from services.generator.doctor import checks
from services.generator.settings import GeneratorSettings
from tests.support.certificates import Authority
from tests.support.fake_gpu import with_fake_engines
from tests.support.foundations.engines import tiny_foundation, tiny_package
from tests.support.foundations.loras import layers_of, random_lora, write_kohya


def looked_at(home: Path, **variables: str) -> dict[str, Result]:
    environ = {
        "HEADSHOTS_HOME": str(home),
        "HEADSHOTS_GENERATOR_PORT": "0",
        "HEADSHOTS_GENERATOR_METRICS_PORT": "0",
        **{f"HEADSHOTS_{name}": value for name, value in variables.items()},
    }
    settings = GeneratorSettings.from_environment(environ)
    return {each.check: each for each in run("generator", checks(settings), Redactor(environ))}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    return Path(shutil.copytree(tiny_package().folder, tmp_path / "package"))


def test_a_whole_package_is_fine_and_nothing_is_written(tmp_path: Path) -> None:
    home = tmp_path / "home"
    found = looked_at(home, GENERATOR_PACKAGE=str(tiny_package().folder))
    assert {each.state for name, each in found.items() if name != "disk"} <= {State.OK, State.SKIPPED}
    assert f"digest {tiny_package().foundation_digest[:12]}" in found["engine package"].seen
    assert "foundation" not in found
    assert not home.exists()


def test_a_changed_file_of_the_package_is_named(tmp_path: Path, package: Path) -> None:
    file = package / tiny_package().unet
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    found = looked_at(tmp_path / "home", GENERATOR_PACKAGE=str(package))["engine package"]
    assert found.state is State.FAILED
    assert found.seen.startswith(f"ENGINE_DAMAGED: {package} was changed since it was exported: {tiny_package().unet}")
    assert "headshots export" in found.cure


def test_a_package_that_lacks_a_file_does_not_hide_the_rest(tmp_path: Path, package: Path) -> None:
    (package / tiny_package().unet).unlink()
    found = looked_at(tmp_path / "home", GENERATOR_PACKAGE=str(package), GENERATOR_PROVIDER="cuda")
    assert found["engine package"].seen.startswith("ENGINE_DAMAGED")
    assert found["provider"].seen.startswith("PROVIDER_UNAVAILABLE")
    assert "HEADSHOTS_GENERATOR_PROVIDER" in found["provider"].cure
    assert found["object store"].state is State.OK


def test_a_package_that_will_be_exported_is_not_made(tmp_path: Path) -> None:
    home = tmp_path / "home"
    found = looked_at(home, FOUNDATION=str(tiny_foundation()))
    assert found["foundation"].state is State.OK
    assert "is not there yet; the first start makes" in found["engine package"].seen
    assert found["memory"].state is State.SKIPPED
    assert not home.exists()


def test_lora_that_are_to_be_fused_are_looked_at(tmp_path: Path) -> None:
    lora = tmp_path / "lora.safetensors"
    save_file({"unet.conv_in.lora_A.weight": torch.zeros(1, 4), "unet.conv_in.lora_B.weight": torch.zeros(4, 1)}, lora)
    named = {"FOUNDATION": str(tiny_foundation()), "FUSE": f"{lora}@0.5"}
    found = looked_at(tmp_path / "home", **named, FEW_STEPS="none")["fused LoRA"]
    assert (found.state, found.seen) == (State.OK, "lora.safetensors with a strength of 0.5; sampled as none")
    unclear = looked_at(tmp_path / "home", **named)["fused LoRA"]
    assert (unclear.state, unclear.seen.partition(":")[0]) == (State.FAILED, "FUSE_STEPS_UNKNOWN")
    assert "HEADSHOTS_FEW_STEPS" in unclear.cure


def test_foundation_and_package_are_those_of_what_is_fused(tmp_path: Path) -> None:
    layers = layers_of(tiny_foundation(), "unet", "to_q")
    loras = {module: random_lora(shape, 2, 1.0, 0) for module, shape in layers.items()}
    lora = write_kohya(tmp_path / "lora.safetensors", {"lora_unet_": loras})
    named = {"FOUNDATION": str(tiny_foundation()), "FUSE": str(lora), "FEW_STEPS": "lcm-4"}
    home, environ = tmp_path / "home", {f"HEADSHOTS_{name}": value for name, value in named.items()}
    first = looked_at(home, **named)
    assert f"the first start makes {home / 'foundations'}/{tiny_foundation().name}-lcm-4-" in first["foundation"].seen
    assert "the first start makes" in first["engine package"].seen
    settings = GeneratorSettings.from_environment({**environ, "HEADSHOTS_HOME": str(home)})
    folder = with_foundation(settings).foundation
    found = looked_at(home, **named)
    assert found["foundation"].seen.endswith(f": {folder}")
    package = looked_at(home, **named, GENERATOR_PACKAGE=str(tiny_package().folder), GENERATOR_BACKEND="torch")[
        "engine package"
    ]
    assert package.state is State.FAILED, "it was exported from the plain one"
    mixed = looked_at(home, **{**named, "FUSE": str(tmp_path / "none.safetensors")})
    for check in ("fused LoRA", "foundation", "engine package"):
        assert mixed[check].seen.startswith("FUSE_NOT_FOUND")
    assert "HEADSHOTS_FUSE" in mixed["foundation"].cure


def test_a_folder_that_is_no_foundation_is_told(tmp_path: Path) -> None:
    found = looked_at(tmp_path / "home", FOUNDATION=str(tmp_path))
    for check in ("foundation", "engine package"):
        assert (found[check].state, found[check].seen.partition("_")[0]) == (State.FAILED, "FOUNDATION")
    assert "HEADSHOTS_FOUNDATION" in found["foundation"].cure


def test_the_torch_backend_needs_the_foundation_of_its_package(tmp_path: Path) -> None:
    variables = {"GENERATOR_PACKAGE": str(tiny_package().folder), "GENERATOR_BACKEND": "torch"}
    found = looked_at(tmp_path / "home", **variables)["engine package"]
    assert found.state is State.FAILED
    assert "was exported from" in found.seen
    assert "HEADSHOTS_FOUNDATION" in found.cure
    fitting = looked_at(tmp_path / "home", **variables, FOUNDATION=str(tiny_foundation()))
    assert (fitting["engine package"].state, fitting["provider"].seen) == (State.OK, "torch on cpu")


def test_engines_that_this_machine_cannot_run_are_told(tmp_path: Path) -> None:
    package = with_fake_engines(tiny_package(), tmp_path / "package", ("sm89",))
    found = looked_at(tmp_path / "home", GENERATOR_PACKAGE=str(package.folder), GENERATOR_PROVIDER="tensorrt-rtx")[
        "provider"
    ]
    assert found.state is State.FAILED
    assert found.seen.startswith(("PROVIDER_UNAVAILABLE", "ENGINE_VERSION"))


@pytest.mark.parametrize(("days", "state"), [(20, State.OK), (10, State.WARNING), (-1, State.FAILED)])
def test_how_long_images_can_be_signed_is_told(tmp_path: Path, days: int, state: State) -> None:
    folder = Authority.make(tmp_path / "ca").issue(tmp_path / "tls", kind="content", days=days)
    # C2PA wants the whole chain.
    chain = tmp_path / "chain.pem"
    chain.write_bytes((folder / "tls.crt").read_bytes() + (folder / "ca.crt").read_bytes())
    found = looked_at(
        tmp_path / "home",
        GENERATOR_PACKAGE=str(tiny_package().folder),
        MARKING_C2PA_CERTIFICATE=str(chain),
        MARKING_C2PA_KEY=str(folder / "tls.key"),
    )["image signature"]
    assert found.state is state, found
    assert bool(found.cure) == (state is not State.OK)
    assert ("expired" in found.seen) == (state is State.FAILED)


def test_only_looks_need_an_analyzer(tmp_path: Path) -> None:
    package = str(tiny_package().folder)
    none = looked_at(tmp_path / "home", GENERATOR_PACKAGE=package)["analyzer"]
    assert (none.state, "in a look" in none.seen) == (State.SKIPPED, True)
    bundled = looked_at(tmp_path / "home", GENERATOR_PACKAGE=package, GENERATOR_FACES="bundled")["analyzer"]
    assert bundled.state is State.OK


@pytest.mark.parametrize(("name", "choices"), [("FACES", "bundled, people"), ("EVENT_LOOP", "uvloop, asyncio")])
def test_a_choice_that_there_is_not_ends_the_start(tmp_path: Path, name: str, choices: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"HEADSHOTS_GENERATOR_{name}='guess' is none of {choices}"):
        looked_at(tmp_path, **{f"GENERATOR_{name}": "guess"})


@pytest.mark.parametrize(("wanted", "state"), [("uvloop", State.WARNING), ("asyncio", State.OK)])
def test_the_event_loop_that_its_setting_names_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, state: State
) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    environ = {"HEADSHOTS_HOME": str(tmp_path), "HEADSHOTS_GENERATOR_EVENT_LOOP": wanted}
    (check,) = [each for each in checks(GeneratorSettings.from_environment(environ)) if each.name == "event loop"]
    (found,) = run("generator", [check], Redactor(environ))
    assert found.state is state
