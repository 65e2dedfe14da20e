"""What pip brings into another program's environment: the package `headshots`, which leaves the program's own alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import grpc_tools
import pytest
from grpc_tools import protoc

from tests.support.deploy.tree import ROOT
from tests.support.fake_gateway.gateway import API_KEY, fake_gateway_in_thread
from tests.support.waiting import PATIENCE_SECONDS

# All that the Python parts of an installation are made of.
SOURCES = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "headshots", "services", "foundry", "externalscaler")
# A backend with packages of its own by names that ours have in a checkout; the checkout that these tests run from is
# installed here, and would not be there.
BACKEND = """
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "__editable__" not in getattr(finder, "__module__", "")]
import services, foundry, {imported}
import headshots, headshots.validate
from headshots.client import Headshots
assert services.OF == foundry.OF == buf.OF == "the backend"
with Headshots({address!r}, {key!r}) as client:
    print(client.create_subject("Ada").name)
print(headshots.__file__)
print(headshots.validate.validate_pb2.__name__)
"""


def _pip(*arguments: object, cwd: Path) -> None:
    quiet = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    subprocess.run([sys.executable, "-m", "pip", *map(str, arguments), *quiet], cwd=cwd, check=True)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, as a build leaves files beside its sources."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="module")
def wheel(checkout: Path) -> Path:
    _pip("wheel", "--wheel-dir", checkout / "wheels", ".", cwd=checkout)
    (built,) = (checkout / "wheels").iterdir()
    return built


@pytest.fixture(scope="module")
def site_packages(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site-packages")
    _pip("install", "--target", target, wheel, cwd=target)
    return target


@pytest.fixture
def backend(tmp_path: Path) -> Path:
    for name in ("services", "foundry", "buf"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text('OF = "the backend"\n')
    return tmp_path


def _run(backend: Path, site_packages: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site_packages), "HEADSHOTS_HOME": str(backend / "home")}
    command = [sys.executable, "-W", "error", *arguments]
    return subprocess.run(
        command, cwd=backend, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )


def _top_level(names: list[str]) -> set[str]:
    return {name.partition("/")[0] for name in names}


def test_a_wheel_has_one_package_with_all_of_its_files(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        told = archive.read("headshots-0.1.0.dist-info/top_level.txt").split()
    assert _top_level(names) == {"headshots", "headshots-0.1.0.dist-info"}
    assert told == [b"headshots"]
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for pattern in project["tool"]["setuptools"]["package-data"]["headshots"]:
        assert {str(path.relative_to(ROOT)) for path in (ROOT / "headshots").glob(pattern)} <= set(names)
    code = {str(path.relative_to(ROOT)) for path in (ROOT / "headshots").rglob("*.py")}
    assert code <= set(names)


def _calls(backend: Path, site_packages: Path, imported: str) -> subprocess.CompletedProcess[str]:
    with fake_gateway_in_thread() as (_, address):
        program = BACKEND.format(address=address, key=API_KEY, imported=imported)
        return _run(backend, site_packages, "-c", program)


def test_a_backend_with_packages_of_the_same_names_makes_a_call(backend: Path, site_packages: Path) -> None:
    ended = _calls(backend, site_packages, "buf")
    assert ended.returncode == 0, ended.stderr
    name, file, rules = ended.stdout.split()
    assert name.startswith("subjects/")
    assert Path(file).is_relative_to(site_packages)
    assert rules == "headshots.validate.validate_pb2"


def test_a_backend_with_another_version_of_the_rules_uses_its_own(backend: Path, site_packages: Path) -> None:
    protos = backend / "protos"
    shutil.copytree(ROOT / "protos" / "buf", protos / "buf")
    with (protos / "buf/validate/validate.proto").open("a") as rules_file:
        rules_file.write("message OfAnotherVersion {}\n")
    (backend / "buf/validate").mkdir()
    googles = Path(grpc_tools.__file__).parent / "_proto"
    written = f"{protos}/buf/validate/validate.proto"
    assert not protoc.main(["", f"-I{protos}", f"-I{googles}", f"--python_out={backend}", written])
    ended = _calls(backend, site_packages, "headshots.client, buf.validate.validate_pb2")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split()[-1] == "buf.validate.validate_pb2"


@pytest.mark.parametrize("command", [["demo"], ["serve", "gateway"], ["serve", "all"], ["erasure", "replay"]])
def test_what_needs_the_services_tells_where_they_are(backend: Path, site_packages: Path, command: list[str]) -> None:
    ended = _run(backend, site_packages, "-m", "headshots", *command)
    assert ended.returncode, ended.stdout
    assert "SERVICES_MISSING" in ended.stderr
    assert "in a checkout of headshots" in " ".join(ended.stderr.split())


def test_an_editable_installation_has_the_services_too(checkout: Path, tmp_path: Path) -> None:
    _pip("install", "--target", tmp_path, "-e", ".", cwd=checkout)
    # As Python itself does it at its start with what is in site-packages.
    program = (
        f"import site; site.addsitedir({str(tmp_path)!r})\n"
        "import importlib.util as u\n"
        "for name in ('headshots', 'services.gateway', 'foundry', 'externalscaler.externalscaler_pb2'):\n"
        "    print(u.find_spec(name).origin)"
    )
    ended = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    assert all(Path(line).is_relative_to(checkout) for line in ended.stdout.split()), ended.stdout
    assert len(ended.stdout.split()) == 4


def test_a_checkout_runs_its_own_services_in_the_folder_of_a_backend(backend: Path) -> None:
    for name in ("services/gateway", "services/gateway/doctor"):
        (backend / name).mkdir()
        (backend / name / "__init__.py").touch()
    (backend / "services/gateway/doctor/__main__.py").write_text('raise SystemExit("of the backend")\n')
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HEADSHOTS_HOME": str(backend / "home")}
    # As the command `headshots` is, which does not look into the working directory either.
    command = [sys.executable, "-P", "-m", "headshots", "doctor", "gateway"]
    ended = subprocess.run(
        command, cwd=backend, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    # It finds no services that run, which is no matter here.
    assert "the database is not there yet" in " ".join(ended.stdout.split()), ended.stdout + ended.stderr


def test_byte_code_of_an_earlier_version_is_not_taken_for_the_rules(tmp_path: Path) -> None:
    """Before decision 48 a checkout had a package `buf`, whose folder stays where Python has written into it."""
    (tmp_path / "buf" / "validate" / "__pycache__").mkdir(parents=True)
    code = "from headshots.validate import validate_pb2; print(validate_pb2.__name__)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert ended.stdout.strip() == "headshots.validate.validate_pb2", ended.stderr
