"""Tests that the command line explains a mistake in words, and names the command that helps."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from headshots.v1 import trainings_pb2
from tests.support.fake_gateway.pictures import painted_png
from tests.support.fake_gateway.styles import STYLES
from tests.support.terminal import Terminal
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture
def subject(terminal: Terminal, tmp_path: Path) -> str:
    """A subject that may be trained."""
    for number in range(6):
        (tmp_path / f"{number}.png").write_bytes(painted_png("selfie", number))
    terminal.run("subjects", "create")
    terminal.run("photos", "upload", "s0", *map(str, sorted(tmp_path.glob("*.png"))))
    return "subjects/s0"


def test_a_name_that_cannot_be_tells_where_names_are_listed(terminal: Terminal) -> None:
    for arguments, said, listing in (
        (("subjects", "show", "Ada"), "'Ada' names no subject", "headshots subjects list"),
        (("train", "Ada"), "'Ada' names no subject", "headshots subjects list"),
        (("galleries", "fetch", "nosuch"), "'nosuch' names no gallery", "headshots galleries list SUBJECT"),
        (("trainings", "watch", "nosuch"), "'nosuch' names no training", "headshots trainings list SUBJECT"),
        (("styles", "show", "styles/x/versions/1"), "names no style", "headshots styles list"),
    ):
        refused = terminal.run(*arguments, code=4)
        assert f"NAME_INVALID: {said}" in refused.stderr or said in refused.stderr
        assert listing in refused.stderr
        assert "regex" not in refused.stderr


def test_what_is_not_there_tells_where_the_others_are(terminal: Terminal) -> None:
    terminal.run("subjects", "create")
    assert "`headshots subjects list`" in terminal.run("subjects", "show", "nobody", code=4).stderr
    missing = terminal.run("trainings", "watch", "subjects/s0/trainings/t9", code=4)
    assert "`headshots trainings list subjects/s0`" in missing.stderr
    missing = terminal.run("galleries", "fetch", "subjects/s0/galleries/g9", code=4)
    assert "`headshots galleries list subjects/s0`" in missing.stderr


def test_a_class_noun_of_two_words_is_refused_in_words(terminal: Terminal) -> None:
    refused = terminal.run("subjects", "create", "--class-noun", "young Woman", code=4)
    assert "--class-noun: 'young Woman' is not one word of small letters" in refused.stderr


def test_a_word_that_may_be_unknown_to_the_foundation_is_remarked_on(terminal: Terminal) -> None:
    made = terminal.run("subjects", "create", "Smaug", "--class-noun", "dragon")
    assert made.stdout.strip() == "subjects/s0"
    assert "'dragon' works only where the foundation knows it" in made.stderr
    assert terminal.run("subjects", "create", "Ada", "--class-noun", "woman").stderr == ""


def test_a_server_of_another_kind_is_no_gateway(terminal: Terminal) -> None:
    server = grpc.server(ThreadPoolExecutor(max_workers=1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        for arguments in (("styles", "list"), ("photos", "inspect", __file__)):
            refused = terminal.run(*arguments, "--address", f"127.0.0.1:{port}", code=3)
            assert f"NOT_A_GATEWAY: the server at 127.0.0.1:{port}" in refused.stderr
    finally:
        server.stop(None).wait()


def test_a_style_twice_is_refused_by_name(terminal: Terminal, subject: str) -> None:
    twice = terminal.run("generate", subject, "--style", STYLES[0], "--style", STYLES[0], code=4)
    assert f"STYLES_REPEATED: styles/{STYLES[0]} is asked for twice" in twice.stderr


def test_addresses_and_certificates_are_refused_before_grpc_tries(terminal: Terminal, tmp_path: Path) -> None:
    assert "ADDRESS_INVALID" in terminal.run("styles", "list", "--address", "localhost", code=4).stderr
    terminal.run("styles", "list", "--address", "http://127.0.0.1:50051", code=4)
    (tmp_path / "ca.pem").write_text("# no certificate")
    refused = terminal.run("styles", "list", "--tls-ca", str(tmp_path / "ca.pem"), code=4)
    assert "CERTIFICATES_INVALID" in refused.stderr


def test_a_gateway_that_stays_away_leaves_the_training_and_says_how_to_watch_it(
    terminal: Terminal, subject: str
) -> None:
    terminal.fake.cut_after = [2]
    lost = terminal.run("train", subject)
    assert "the gateway went away (the gateway is stopping); reconnecting" in lost.stderr
    assert "SUCCEEDED" in lost.stdout


def test_what_holds_a_training_up_is_said_with_the_command_that_helps(terminal: Terminal, subject: str) -> None:
    training = terminal.json("train", subject, "--detach")["name"]
    message = "waiting for a trainer: no trainer can be reached; it is tried again"
    terminal.fake.trainings[training].status_message = message
    watched = terminal.run("trainings", "watch", training)
    assert watched.stderr.count(message) == 1
    assert "`headshots serve trainer` starts one" in watched.stderr


def test_what_holds_a_gallery_up_is_said_too(terminal: Terminal, subject: str, tmp_path: Path) -> None:
    terminal.run("train", subject)
    arguments = ("--style", STYLES[0], "--shots", "1", "--out", str(tmp_path / "gallery"))
    terminal.run("generate", subject, *arguments)
    message = "waiting for a generator: no generator can be reached; it is tried again"
    terminal.fake.galleries[f"{subject}/galleries/g0"].status_message = message
    fetched = terminal.run("galleries", "fetch", f"{subject}/galleries/g0", "--out", str(tmp_path / "gallery"))
    assert message in fetched.stderr
    assert "`headshots serve generator` starts one" in fetched.stderr


def test_a_training_that_did_not_pass_says_what_helps(terminal: Terminal, subject: str) -> None:
    training = terminal.json("train", subject, "--detach")["name"]
    terminal.run("trainings", "watch", training)
    scores = trainings_pb2.TrainingScores(analyzer="bundled", chosen_step=20, reason="below 0.6", passed=False)
    terminal.fake.trainings[training].scores.CopyFrom(scores)
    said = terminal.run("trainings", "watch", training)
    assert "It did not pass" in said.stderr
    assert f"headshots photos inspect --subject {subject}" in said.stderr
    assert said.stdout.splitlines()[-1].split() == ["verdict", "not", "passed"]
    terminal.fake.trainings[training].scores.passed = True
    passed = terminal.run("trainings", "watch", training)
    assert passed.stdout.splitlines()[-1].split() == ["verdict", "passed"]
    assert f"next: `headshots shoot {subject} --pack business`" in passed.stderr
    terminal.fake.trainings[training].ClearField("scores")
    assert terminal.run("trainings", "watch", training).stdout.splitlines()[-1].split() == [
        "verdict",
        "not",
        "measured",
    ]


def test_a_training_that_is_not_waited_for_is_told_how_to_follow(terminal: Terminal, subject: str) -> None:
    left = terminal.run("train", subject, "--detach")
    assert f"next: `headshots trainings watch {subject}/trainings/t0` follows it" in left.stderr
    assert "verdict" not in left.stdout


def test_a_training_says_how_many_of_its_portraits_are_profile_worthy(terminal: Terminal, subject: str) -> None:
    training = terminal.json("train", subject, "--detach")["name"]
    terminal.run("trainings", "watch", training)
    earlier, chosen = (
        trainings_pb2.CheckpointScores(step=step, accepted=share) for step, share in ((10, 0.5), (20, 0.75))
    )
    scores = trainings_pb2.TrainingScores(
        analyzer="bundled", chosen_step=20, passed=True, checkpoints=[earlier, chosen]
    )
    terminal.fake.trainings[training].scores.CopyFrom(scores)
    assert "75% of its portraits are profile-worthy" in terminal.run("trainings", "watch", training).stdout
    terminal.fake.trainings[training].scores.checkpoints[1].ClearField("accepted")
    assert "profile-worthy" not in terminal.run("trainings", "watch", training).stdout


def test_a_running_job_that_is_asked_to_stop_is_cancelling(terminal: Terminal, subject: str) -> None:
    terminal.fake.cancels_at_once = False
    training = terminal.json("train", subject, "--detach")["name"]
    assert "cancelling" in terminal.run("trainings", "cancel", training).stdout
    assert terminal.json("trainings", "cancel", training)["state"] == "PENDING"


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_reader_that_has_seen_enough_is_no_error(terminal: Terminal, more: tuple[str, ...]) -> None:
    for number in range(3):
        terminal.run("subjects", "create", f"Ada {number}")
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "headshots", "subjects", "list", *more],
            env={**os.environ, **terminal.environment},
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
    assert done.stderr == ""
