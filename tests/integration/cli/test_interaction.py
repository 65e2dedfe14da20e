"""Tests how the command line asks, prints and writes files, at a terminal and in a pipe."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from headshots.console.following import saying_how_to_go_on
from headshots.console.output import print_table
from headshots.errors import UnavailableError
from tests.support.fake_gateway.images import UNMEASURED_SEED
from tests.support.fake_gateway.pictures import painted_png
from tests.support.fake_gateway.styles import STYLES
from tests.support.terminal import Terminal
from tests.support.waiting import PATIENCE_SECONDS

SAME_SEEDS = ("--style-seeds", "same")


def trained(terminal: Terminal, folder: Path, name: str) -> str:
    """A subject that may be painted."""
    for number in range(6):
        (folder / f"{name}{number}.png").write_bytes(painted_png(name, number))
    subject = terminal.run("subjects", "create", name).stdout.strip()
    terminal.run("train", subject, "--photos", str(folder))
    return subject


def test_json_may_stand_before_the_command(terminal: Terminal) -> None:
    terminal.run("subjects", "create", "Ada")
    assert json.loads(terminal.run("--json", "subjects", "list").stdout)[0]["name"] == "subjects/s0"
    refused = terminal.run("--json", "subjects", "show", "nobody", code=4)
    assert json.loads(refused.stderr)["error"]["reason"] == "SUBJECT_NOT_FOUND"


def test_a_prompt_without_a_terminal_names_the_option(terminal: Terminal) -> None:
    terminal.run("subjects", "create", "Ada")
    assert "--yes" in terminal.run("subjects", "delete", "s0", code=2, input="").stderr
    assert "subjects/s0" in terminal.fake.subjects


def test_ctrl_c_at_a_question_is_130(terminal: Terminal) -> None:
    terminal.run("subjects", "create", "Ada")
    process = subprocess.Popen(
        [sys.executable, "-m", "headshots", "subjects", "delete", "s0"],
        env={**os.environ, **terminal.environment},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    said = b""
    while not said.endswith(b"[y/N]"):
        said += (letter := process.stderr.read(1))
        assert letter, said
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130, rest
    assert b"INTERRUPTED: nothing was done" in rest
    assert "subjects/s0" in terminal.fake.subjects


def test_a_flags_help_names_no_value(terminal: Terminal) -> None:
    said = terminal.run("train", "--help").stdout
    (line,) = [line for line in said.splitlines() if "--only-usable" in line]
    assert line.split()[:2] == ["--only-usable", "Inspect"]
    assert "bool" not in said
    assert "--help" in said


def test_another_gallerys_picture_is_never_written_over(terminal: Terminal, tmp_path: Path) -> None:
    ada, out = trained(terminal, tmp_path, "ada"), tmp_path / "gallery"
    first = terminal.run(
        "generate", ada, "--style", STYLES[0], "--shots", "1", *SAME_SEEDS, "--out", str(out)
    ).stdout.split()
    assert [Path(file).name for file in first] == [f"{STYLES[0]}-0.png"]
    Path(first[0]).write_bytes(b"somebody else's picture")
    again = terminal.run("galleries", "fetch", f"{ada}/galleries/g0", "--out", str(out))
    assert [Path(file).name for file in again.stdout.split()] == [f"{STYLES[0]}-0-2.png"]
    assert "pictures of the same names are kept" in again.stderr
    assert Path(first[0]).read_bytes() == b"somebody else's picture"
    terminal.run("galleries", "fetch", f"{ada}/galleries/g0", "--out", str(out))
    assert len(list(out.iterdir())) == 2, "the same picture is written once"


def test_a_gallery_tells_what_was_measured_of_each_file_and_stdout_has_the_files_alone(
    terminal: Terminal, tmp_path: Path
) -> None:
    ada, out = trained(terminal, tmp_path, "ada"), tmp_path / "gallery"
    seeds = ("--seed", "13", "--style-seeds", "same")
    made = terminal.run("generate", ada, "--style", STYLES[0], "--shots", "5", *seeds, "--out", str(out))
    assert [Path(line).name for line in made.stdout.splitlines()] == [f"{STYLES[0]}-{13 + n}.png" for n in range(5)]
    rows = [line.split() for line in made.stderr.splitlines() if line.startswith(STYLES[0])]
    assert [row[:2] for row in rows[:2]] == [[f"{STYLES[0]}-13.png", "refused"], [f"{STYLES[0]}-14.png", "accepted"]]
    assert rows[1][3] == "0.900"
    assert rows[4][1:3] == ["not", "measured"]
    fetched = terminal.run("galleries", "fetch", f"{ada}/galleries/g0", "--out", str(out))
    assert "LIKENESS" in fetched.stderr
    assert fetched.stdout == made.stdout


def test_a_gallery_that_is_not_waited_for_is_named_with_the_command_that_fetches_it(
    terminal: Terminal, tmp_path: Path
) -> None:
    ada, out = trained(terminal, tmp_path, "ada"), tmp_path / "gallery"
    made = terminal.run("generate", ada, "--style", STYLES[0], "--out", str(out), "--detach")
    gallery = made.stdout.strip()
    assert gallery == f"{ada}/galleries/g0"
    assert f"`headshots galleries fetch {gallery} --out {out}`" in made.stderr
    assert "WatchGallery" not in terminal.fake.calls
    assert not out.exists()
    assert terminal.json("generate", ada, "--style", STYLES[0], "--detach")["state"] == "PENDING"
    command = made.stderr.split("`")[1].split()[1:]
    assert len(terminal.run(*command).stdout.splitlines()) == 4


def test_lists_tell_styles_and_likeness(terminal: Terminal, tmp_path: Path) -> None:
    ada = trained(terminal, tmp_path, "ada")
    assert terminal.run("trainings", "list", ada).stdout.split()[-5:-2] == ["20/20", "not", "measured"]
    terminal.fake.trainings[f"{ada}/trainings/t0"].likeness = 0.7149
    assert "0.715" in terminal.run("trainings", "list", ada).stdout
    styles = ("--style", STYLES[0], "--style", STYLES[2])
    terminal.run("generate", ada, *styles, "--shots", "1", "--out", str(tmp_path / "gallery"))
    (row,) = terminal.run("galleries", "list", ada).stdout.splitlines()[1:]
    assert row.split()[2:6] == ["2/2", "2", f"{STYLES[0]},", STYLES[2]]


def test_a_gallerys_json_carries_its_images(terminal: Terminal, tmp_path: Path) -> None:
    ada = trained(terminal, tmp_path, "ada")
    made = terminal.json(
        "generate", ada, "--style", STYLES[0], "--shots", "2", "--seed", "16", *SAME_SEEDS, "--out", str(tmp_path)
    )
    images = made["gallery"]["images"]
    assert [image["seed"] for image in images] == [16, UNMEASURED_SEED]
    assert [Path(file).name for file in made["files"]] == [f"{STYLES[0]}-{image['seed']}.png" for image in images]
    assert [image["likeness"] for image in images] == [pytest.approx(0.9), None]
    assert images[0]["verdict"]["acceptance"] == "ACCEPTED"


def test_a_table_never_breaks_within_a_word(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "subjects/0123456789abcdef/trainings/0123456789abcdef"
    rows = [(name, "CANCELLED", "150/150", "2026-11-24 19:33:37", "a portrait in a blazer " * 4)]
    columns = ("TRAINING", "STATE", "STEPS", "CREATED", "DESCRIPTION")
    print_table(columns, rows)
    (_, row) = capsys.readouterr().out.splitlines()
    assert row.split() == " ".join(rows[0]).split(), "into a pipe, a row is a line"
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    print_table(columns, rows)
    words = capsys.readouterr().out.split()
    assert set(words) >= {name, "CANCELLED", "150/150", "2026-11-24", "19:33:37"}


def test_a_lost_gateway_is_reported_with_the_command_that_continues() -> None:
    lost = UnavailableError("SERVER_UNREACHABLE", "no answer from the server")
    with pytest.raises(UnavailableError) as caught, saying_how_to_go_on("training", "subjects/s/trainings/t", "watch"):
        raise lost
    assert caught.value.reason == "SERVER_UNREACHABLE"
    assert "the training is not lost" in caught.value.message
    assert "headshots trainings watch subjects/s/trainings/t" in caught.value.message
    ended = "galleries fetch g, or end it: headshots galleries cancel g"
    with pytest.raises(KeyboardInterrupt, match=ended), saying_how_to_go_on("gallery", "g", "fetch"):
        raise KeyboardInterrupt
