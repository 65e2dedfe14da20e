"""Which services `headshots doctor` checks, with which variables, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from headshots.cli.app import app
from headshots.cli.commands import doctor
from headshots.doctor.findings import Result, State
from tests.support.plain_installation import run_plain

TOGETHER = {"HEADSHOTS_GATEWAY_FACES": "bundled"}


def test_all_three_are_checked_as_serve_all_would_start_them() -> None:
    found = doctor.plans([], {"HOME": "/root"}, TOGETHER)
    assert {name: arguments for name, (_, arguments) in found.items()} == {
        "gateway": ("--together",),
        "trainer": (),
        "generator": (),
    }
    assert all(variables == {"HOME": "/root", **TOGETHER} for variables, _ in found.values())


def test_named_ones_are_checked_as_serve_would_start_each_alone() -> None:
    environ = {"HOME": "/root"}
    assert doctor.plans(["trainer", "trainer", "gateway"], environ, TOGETHER) == {
        "trainer": (environ, ()),
        "gateway": (environ, ()),
    }


def test_in_a_pod_the_one_is_checked_whose_variables_are_set() -> None:
    pod = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "HEADSHOTS_STORE_URL": "s3://headshots"}
    assert doctor.plans([], {**pod, "HEADSHOTS_TRAINER_WORKERS": "1"}, TOGETHER) == {
        "trainer": ({**pod, "HEADSHOTS_TRAINER_WORKERS": "1"}, ())
    }
    assert list(doctor.plans([], {**pod, "HEADSHOTS_GATEWAY_TRAINER_ADDRESS": "trainer:1"}, TOGETHER)) == ["gateway"]
    assert list(doctor.plans([], pod, TOGETHER)) == ["gateway", "trainer", "generator"]


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ([State.OK, State.SKIPPED], 0),
        ([State.WARNING], 0),
        ([State.FAILED, State.OK], 4),
    ],
)
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_exit_code_tells_of_failures_alone(
    monkeypatch: pytest.MonkeyPatch, states: list[State], code: int, options: list[str]
) -> None:
    def found(*_: object) -> Iterator[Result]:
        yield from [Result("gateway", "clock", state, "seen", "") for state in states]

    monkeypatch.setattr(doctor, "_from_inside", found)
    ended = CliRunner().invoke(app, ["doctor", *options])
    assert ended.exit_code == code, ended.output
    if options:
        assert [each["state"] for each in json.loads(ended.stdout)] == states
        assert json.loads(ended.stdout)[0].keys() == {"service", "check", "state", "seen", "cure"}


def test_outside_and_inside_are_not_asked_for_at_once() -> None:
    ended = CliRunner().invoke(app, ["doctor", "trainer", "--gateway", "127.0.0.1:1"])
    assert ended.exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["doctor"], "`headshots doctor gateway` needs packages that are not installed"),
        (["doctor", "--gateway", "127.0.0.1:1"], "ConnectionRefusedError"),
    ],
)
def test_a_plain_installation_gets_findings_and_no_traceback(arguments: list[str], said: str) -> None:
    done = run_plain(arguments)
    assert done.returncode == 4, done.stderr
    assert said in " ".join(done.stdout.split())
    assert done.stderr == ""
