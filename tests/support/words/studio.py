"""Furnishes a gateway in memory with long names, German words and Chinese ones, as a studio may have."""

from __future__ import annotations

import copy
import itertools
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from headshots.v1 import jobs_pb2, trainings_pb2
from tests.support.fake_gateway.gateway import API_KEY, FakeGateway
from tests.support.fake_gateway.images import REFUSED_SEED, verdict_of
from tests.support.fake_gateway.pictures import painted_png
from tests.support.fake_gateway.styles import STYLES
from tests.support.words.screens import show

SUBJECT = "subjects/4b1f8c02d97e4a63"
TRAINING = f"{SUBJECT}/trainings/0c5d2e9b81f74a36"
GALLERY = f"{SUBJECT}/galleries/9e27b4c15d8f4063"
SHOOT = f"{SUBJECT}/shoots/71a3f6e08c2d4b95"
LOOK = "donaudampfschifffahrtsgesellschaft"
TEAM = "teams/5a90c3e7b1d2f486"
WAITING_TEAM = "teams/c81e6f02d4a79b35"
GERMAN = "Donaudampfschifffahrtsgesellschaftskapitänswitwe Müller-Lüdenscheidt"
CHINESE = "李小龍 工作室的肖像攝影"
FILE = "Bewerbungsfoto-Straßenbahnhaltestelle-0.png"
TEXTS = ("--name", GERMAN, "--description", CHINESE)
_RENAMED = {
    "subjects/s0": SUBJECT,
    "/trainings/t0": "/trainings/0c5d2e9b81f74a36",
    "/galleries/g0": "/galleries/9e27b4c15d8f4063",
    "/shoots/o0": "/shoots/71a3f6e08c2d4b95",
    "/galleries/of-t0": "/galleries/2d6b90e3c5f8174a",
    "teams/t0": TEAM,
    "teams/t1": WAITING_TEAM,
}
# Of the fake: what no test changes, or cannot be copied.
_LEFT = frozenset({"held"})


class Studio:
    """A furnished gateway, which every run of a command finds as if it were the first."""

    def __init__(self, fake: FakeGateway, address: str, folder: Path) -> None:
        self.fake, self.folder = fake, folder
        self.environment = {
            "HEADSHOTS_ADDRESS": address,
            "HEADSHOTS_API_KEY": API_KEY,
            "HEADSHOTS_HOME": str(folder / "home"),
        }
        self._numbers = itertools.count()
        self.selfies = folder / "Selfies"
        self._draw_selfies()
        self._furnish()
        kept = {name: value for name, value in vars(fake).items() if name not in _LEFT}
        self._kept = {name: _renamed(value) for name, value in kept.items()}
        self.names = {
            "subject": SUBJECT,
            "training": TRAINING,
            "gallery": GALLERY,
            "shoot": SHOOT,
            "look": LOOK,
            "team": TEAM,
            "waiting_team": WAITING_TEAM,
            "image": f"{GALLERY}/images/0",
            "photo": self._kept["photos"][SUBJECT][0].name,
            "style": STYLES[0],
            "german": GERMAN,
            "chinese": CHINESE,
            "selfies": str(self.selfies),
            "empty": str(self._file("leer/Kundenverzeichnis.txt", b"a list")),
            "broken": str(self._file("Verwackelt.jpg", b"no picture")),
            "picture": str(self._file("Portrait.png", painted_png(f"styles/{STYLES[0]}", 11))),
            "theirs": str(self._file("Bewerbungsmappe/gallery.html", b"somebody else's").parent),
            "erasure": self.erasure,
            "foundation": f"foundations/{'cd' * 32}",
        }

    def fresh(self) -> dict[str, str]:
        """The names of a gateway that is as it was furnished, with a folder of its own to write to."""
        vars(self.fake).update(copy.deepcopy(self._kept))
        out = self.folder / "out" / f"{next(self._numbers):05}"
        return {**self.names, "out": str(out), "file": f"{out}.pem"}

    def _draw_selfies(self) -> None:
        for number in range(7):
            self._file(f"Selfies/{FILE.replace('0', str(number))}", painted_png("selfie", number))
        self._file("Selfies/自拍.gif", b"GIF89a")

    def _file(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def _run(self, *arguments: str, code: int = 0) -> None:
        shown = show(list(arguments), 200, self.environment)
        assert shown.code == code, shown.text

    def _furnish(self) -> None:
        labels = (
            "--label",
            f"kunde={GERMAN}",
            "--label",
            "ort=東京都千代田区丸の内",
            "--external-id",
            "CRM-2026-11-000042",
        )
        self._run("subjects", "create", GERMAN, "--consent", f"{GERMAN}: {CHINESE}", *labels)
        self._run("subjects", "create", CHINESE)
        self._run("train", "s0", "--photos", str(self.selfies))
        out = ("--out", str(self.folder / "out" / "furnishing"))
        self._run("generate", "s0", "--style", STYLES[0], "--style", STYLES[1], "--seed", "11", "--shots", "8", *out)
        self.fake.refused_shots = {1}
        self._run("shoot", "s0", "--pack", "business", "--count", "4", *out, code=7)
        self._scores()
        self.erasure = self.fake.erase()
        self._own_things()
        self._teams()

    def _scores(self) -> None:
        training = self.fake.trainings["subjects/s0/trainings/t0"]
        chosen = trainings_pb2.CheckpointScores(step=20, accepted=0.75)
        reason = "the checkpoint of step 20 is most like the person, and no later one is more like them"
        training.scores.CopyFrom(
            trainings_pb2.TrainingScores(
                analyzer="people", chosen_step=20, passed=True, reason=reason, checkpoints=[chosen]
            )
        )
        training.likeness = 0.715
        training.foundation = f"foundations/{'cd' * 32}"
        gallery = self.fake.galleries["subjects/s0/galleries/g0"]
        gallery.state = jobs_pb2.JOB_STATE_SUCCEEDED
        gallery.images[1].verdict.CopyFrom(verdict_of(gallery.profile, REFUSED_SEED))

    def _own_things(self) -> None:
        words = ("--outfit", GERMAN, "--backdrop", "Elbphilharmonie", "--lighting", "sun", "--framing", "headshot")
        self._run("styles", "create", "gesellschaftsportrait", *words, *TEXTS)
        self._run("packs", "create", "bewerbungsmappe", "--style", "gesellschaftsportrait=4")
        self._run("profiles", "create", "streng", "--name", GERMAN)
        self.fake.record("subjects/s0", "TRAINING_FILE_READ", key_id="fedcba9876543210", resource=TRAINING)
        self.fake.record("subjects/s0", "SUBJECT_CREATED", key_id="fedcba9876543210")

    def _teams(self) -> None:
        """A team that ended with a member who falls out and one who failed, and one that waits."""
        self._run("looks", "create", LOOK, "--style", STYLES[0], "--style", STYLES[1], *TEXTS, "--size", "1200x1500")
        self.fake.outlying_members, self.fake.failing_members = {"subjects/s0"}, {"subjects/s1"}
        shoot = ("teams", "shoot", LOOK, "s0")
        self._run(*shoot, "s1", "--train", "--out", str(self.folder / "out" / "furnishing"), code=7)
        self._run(*shoot, "--detach")
        self.fake.teams["teams/t0"].members[1].failure.message = f"no training of {GERMAN} {CHINESE} began"
        waiting = self.fake.teams["teams/t1"]
        waiting.status_message = "no generator serves the foundation and cuts portraits to a frame"
        waiting.members[0].quote.expected_finish_time.FromSeconds(1_800_000_000)


def _renamed(value: Any) -> Any:
    """The same, with long ids in place of the fake's short ones."""
    if isinstance(value, Message):
        return json_format.Parse(_long(json_format.MessageToJson(value)), type(value)())
    if isinstance(value, str):
        return _long(value)
    if isinstance(value, dict):
        return type(value)({_renamed(key): _renamed(each) for key, each in value.items()})
    if isinstance(value, list | set):
        return type(value)(map(_renamed, value))
    return value


def _long(text: str) -> str:
    for short, name in _RENAMED.items():
        text = text.replace(short, name)
    return text
