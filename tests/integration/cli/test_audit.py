"""Tests `headshots audit`: `list` against a gateway in memory, `verify` against a database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click import unstyle
from click.testing import Result
from sqlalchemy.engine import Engine
from typer.testing import CliRunner

from headshots import keys
from headshots.cli.app import app
from headshots.cli.commands.people.audit import Deed
from headshots.client import AuditAction
from headshots.database import migrate, open_database, write
from headshots.schema import audit_events
from services.gateway.audit import linking
from services.gateway.audit.models import Action
from services.gateway.audit.recording import record
from tests.support.terminal import Terminal, columns


def names(answer: list[dict[str, str]]) -> list[str]:
    return [event["name"] for event in answer]


def test_what_was_done_is_listed(terminal: Terminal) -> None:
    terminal.fake.record("subjects/s0", "SUBJECT_CREATED", key_id="k1")
    terminal.fake.record("subjects/s1", "SUBJECT_CREATED", key_id="k1")
    terminal.fake.record("subjects/s0", "PAINTED", resource="subjects/s0/galleries/g/images/0")
    lines = terminal.run("audit", "list").stdout.splitlines()
    assert lines[1].split()[0] == "3"
    assert lines[1].split()[-4:] == ["painted", "1", "subjects/s0", "galleries/g/images/0"]
    assert "the gateway" in lines[1]
    assert "k1" in lines[2]
    assert names(terminal.json("audit", "list", "--limit", "2")) == ["auditEvents/3", "auditEvents/2"]
    assert names(terminal.json("audit", "list", "--subject", "s0")) == ["auditEvents/3", "auditEvents/1"]
    two = ("--action", "painted", "--action", "trained")
    assert names(terminal.json("audit", "list", *two)) == ["auditEvents/3"]
    assert names(terminal.json("audit", "list", "--since", "7d")) == []
    between = ("--since", "1970-01-01T02:00Z", "--until", "1970-01-01T03:00Z")
    assert names(terminal.json("audit", "list", *between)) == ["auditEvents/2"]
    assert "SUBJECT_NOT_FOUND" in terminal.run("audit", "list", "--subject", "nobody", code=4).stderr
    for wrong in (("--since", "soon"), ("--since", "99999999d"), ("--action", "seen"), ("--limit", "0")):
        terminal.run("audit", "list", *wrong, code=2)


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_a_list_fits_the_terminal_and_cuts_no_word(terminal: Terminal, width: int) -> None:
    subject = "subjects/0123456789abcdef"
    image = "galleries/0123456789abcdef/images/15"
    terminal.fake.record(subject, "TRAINING_FILE_READ", key_id="fedcba9876543210", resource=f"{subject}/{image}")
    terminal.fake.record(subject, "CONSENT_WITHDRAWN")
    terminal.environment |= columns(width)
    lines = unstyle(terminal.run("audit", "list").stdout).splitlines()
    assert max(map(len, lines)) <= width
    words = set(" ".join(lines).split())
    assert words >= {"1", "1970-01-01", "fedcba9876543210", "training-file-read", "COUNT", subject, image, "gateway"}
    assert len([line for line in lines if line.startswith("EVENT")]) == (1 if width >= 100 else 2)


def test_every_action_can_be_asked_for() -> None:
    assert [deed.name for deed in Deed] == [action.name for action in AuditAction]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    """One with three events of acme and one of globex."""
    engine = open_database(f"sqlite:///{tmp_path / 'headshots.db'}")
    migrate(engine)
    for tenant in ("acme", "globex"):
        keys.create_tenant(engine, tenant)
    with write(engine) as connection:
        for number in range(3):
            record(connection, "acme", f"s{number}", Action.SUBJECT_CREATED)
        record(connection, "globex", "s9", Action.SUBJECT_CREATED)
    linking.link(engine)
    yield engine
    engine.dispose()


def verify(engine: Engine, *arguments: str, code: int = 0, **environment: str) -> Result:
    words = ["audit", "verify", "--database", engine.url.render_as_string(hide_password=False), *arguments]
    result = CliRunner().invoke(app, words, env=environment)
    assert result.exit_code == code, result.output
    return result


def test_a_whole_log_is_verified_and_its_heads_are_told(database: Engine) -> None:
    lines = verify(database).stdout.splitlines()
    assert [line.split("; head")[0] for line in lines] == ["acme: 3 events, whole", "globex: 1 event, whole"]
    head = lines[0].split()[-1]
    assert verify(database, "--tenant", "acme", "--head", head).stdout == f"{lines[0]}\n"
    (report,) = json.loads(verify(database, "--tenant", "globex", "--json").stdout)
    assert (report["events"], report["faults"]) == (1, [])
    for wrong in (("--head", head), ("--tenant", "acme", "--head", "3:abc")):
        verify(database, *wrong, code=2)


def test_a_changed_event_is_told_with_exit_code_1(database: Engine) -> None:
    head = verify(database, "--tenant", "acme").stdout.split()[-1]
    with write(database) as connection:
        mine = sa.and_(audit_events.c.tenant_id == "acme", audit_events.c.number == 2)
        connection.execute(sa.update(audit_events).where(mine).values(key_id="x"))
    told = verify(database, code=1).stdout
    assert "acme: 3 events, 1 fault" in told
    assert "event 2 was changed" in told
    assert "globex: 1 event, whole" in told
    with write(database) as connection:
        connection.execute(sa.delete(audit_events).where(audit_events.c.tenant_id == "acme"))
    told = verify(database, "--tenant", "acme", "--head", head, code=1).stdout
    assert "event 3, which was noted as its head, is missing" in told


def test_a_verified_log_fits_the_terminal_with_its_heads_whole(database: Engine) -> None:
    head = verify(database, "--tenant", "acme").stdout.split()[-1]
    lines = verify(database, **columns(80)).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.strip() for line in lines if head in line] == [head]
