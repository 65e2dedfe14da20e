"""`headshots simulate`, as who plans a platform types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from headshots import schema
from headshots.cli.app import app
from headshots.console.exits import ExitCode
from headshots.database import migrate, open_database, write
from tests.support.deploy.tables import make_tables
from tests.support.gateway.queue import order, trained_subject
from tests.support.paths import ROOT

TIMES = ("--image-seconds", "1:0.4,8:1.7", "--training-seconds", "50")
DAY = ("--per-day", "200", "--hours", "3", "--shape", "1,3,2")


def run(*words: object, width: int = 80) -> Result:
    return CliRunner().invoke(app, ["simulate", *map(str, words)], env={"COLUMNS": str(width)})


def test_policies_stand_beside_each_other_in_80_columns() -> None:
    shown = run(*TIMES, *DAY, "--policy", "zero=price_per_hour:2", "--policy", "fixed=min:2,max:2", "--policy", "c")
    assert shown.exit_code == ExitCode.OK, shown.output
    lines = shown.stdout.splitlines()
    assert "orders in" in lines[0]
    assert any(line.split() == ["zero", "fixed", "c"] for line in lines)
    (row,) = [line for line in lines if line.startswith("generators, most")]
    assert row.split()[2:][1] == "2"
    assert any(line.startswith("cost of an order") for line in lines)
    assert max(map(len, lines[1:])) <= 80


def test_json_tells_policies_and_outcomes_and_a_saved_trace_gives_the_same(tmp_path: Path) -> None:
    trace, policies = tmp_path / "day.csv", tmp_path / "policies.yaml"
    policies.write_text("lean: {max: 1}\n")
    drawn = json.loads(run(*TIMES, *DAY, "--save-trace", trace, "--policies", policies, "--json").stdout)
    assert drawn["policies"]["lean"]["policy"]["max"] == 1
    assert drawn["policies"]["lean"]["generators"]["most"] == 1
    assert drawn["orders"] == len(trace.read_text().splitlines()) - 1
    again = json.loads(run(*TIMES, "--trace", trace, "--policies", policies, "--json").stdout)
    assert again["orders"] == drawn["orders"]
    one, other = (found["policies"]["lean"]["until_done"]["p95"] for found in (drawn, again))
    assert abs(one - other) < 1


def test_what_is_wrong_ends_with_4_and_the_cure(tmp_path: Path) -> None:
    trace = tmp_path / "day.csv"
    trace.write_text("at,subject,images\n0,a,1\n1,b,some\n")
    for words, told in (
        ((), "TIMES_MISSING"),
        ((*TIMES, "--policy", "a=mx:1"), "POLICY_INVALID: policy a has no key 'mx'"),
        ((*TIMES, "--policy", "a", "--policy", "a"), "there are two policies a"),
        ((*TIMES, "--trace", trace), "day.csv, line 3 has 'some' images"),
        ((*TIMES, "--trace", tmp_path / "none.csv"), "none.csv: No such file or directory"),
        ((*TIMES, "--per-day", "0"), "TRACE_INVALID: 0 orders a day for 24 hours cannot be drawn"),
        (("--image-seconds", "fast"), "TIMES_INVALID"),
    ):
        refused = run(*words, width=200)
        assert refused.exit_code == ExitCode.REFUSED, refused.output
        assert told in refused.stderr
    assert run(*TIMES, "--shape", "weekly").exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    "words",
    [
        ("--seed", "1"),
        ("--hours", "2"),
        ("--per-day", "300"),
        ("--shape", "flat"),
        ("--images", "3"),
        ("--returning", "0.9"),
        ("--spread", "0.5"),
        ("--overhead-seconds", "3"),
        ("--training-seconds", "60"),
        ("--image-seconds", "1:0.5"),
    ],
    ids=lambda words: words[0],
)
def test_every_option_tells_in_the_outcome(words: tuple[str, str]) -> None:
    usual, changed = (json.loads(run(*TIMES, *DAY, *more, "--json").stdout)["policies"] for more in ((), words))
    assert usual["default"]["policy"] == changed["default"]["policy"]
    assert usual != changed


def test_the_seed_is_that_of_the_simulation_too_and_times_are_those_of_files(tmp_path: Path) -> None:
    trace = tmp_path / "day.csv"
    trace.write_text("at,subject,images,trains\n0,a,4,true\n9,b,4,true\n")
    first, other = (json.loads(run(*TIMES, "--trace", trace, "--seed", seed, "--json").stdout) for seed in (1, 2))
    assert first["policies"] != other["policies"]
    measured = ROOT / "benchmarks" / "results" / "serving-cpu-2026-11-30.json"
    assert json.loads(run("--times", measured, "--trace", trace, "--json").stdout)["times"]["image_seconds"]["8"] > 0.5


def test_what_was_recorded_is_written_told_and_replayed(tmp_path: Path) -> None:
    url, file = f"sqlite:///{tmp_path / 'headshots.db'}", tmp_path / "day.csv"
    database = open_database(url)
    make_tables(database)
    subject = trained_subject(database, "acme")
    gallery = order(database, "acme", subject, 3)
    with write(database) as connection:
        connection.execute(sa.update(schema.galleries).where(schema.galleries.c.id == gallery).values(created_at=5400))
    database.dispose()
    told = run("record", file, "--database", url)
    assert told.exit_code == ExitCode.OK, told.output
    assert " ".join(told.stdout.split()).endswith(f"2 orders of 1.5 hours; replay them with --trace {file}")
    assert file.read_text() == "at,subject,images,trains,tenant\n0.0,s1,0,true,t1\n5400.0,s1,3,false,t1\n"
    for option, when, orders in (("--since", "1970-01-01T01:00:00Z", 1), ("--until", "1970-01-01T01:00:00Z", 1)):
        some = run("record", file, "--database", url, option, when, "--json")
        assert json.loads(some.stdout) == {"file": str(file), "orders": orders, "hours": 0.0}
    assert file.read_text().splitlines()[1:] == ["0.0,s1,0,true,t1"], "before"
    assert run(*TIMES, "--trace", file, "--json").exit_code == ExitCode.OK


def test_orders_are_either_replayed_or_drawn(tmp_path: Path) -> None:
    trace = tmp_path / "day.csv"
    trace.write_text("at,subject,images\n0,a,1\n90,b,1\n")
    refused = run(*TIMES, "--trace", trace, "--per-day", "9", "--images", "20", width=200)
    assert refused.exit_code == ExitCode.USAGE
    assert "with --trace no orders are drawn; leave out --per-day, --images" in refused.stderr
    assert run(*TIMES, "--trace", trace).stdout.startswith("2 orders in 1 min 30 s: ")


def test_recording_what_no_gateway_used_says_so_and_makes_no_database(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "other.db"
    none = CliRunner().invoke(
        app, ["simulate", "record", str(tmp_path / "day.csv")], env={"HEADSHOTS_HOME": str(home), "COLUMNS": "400"}
    )
    assert none.exit_code == ExitCode.REFUSED
    assert f"there is no file {home / 'headshots.db'}; name what the gateway uses" in none.stderr
    assert not home.exists()
    file.touch()
    empty = run("record", tmp_path / "day.csv", "--database", f"sqlite:///{file}", width=400)
    assert empty.exit_code == ExitCode.REFUSED
    assert "SCHEMA_DIFFERS: the database is empty, no gateway has used it; name the gateways'" in empty.stderr


def test_recording_an_empty_platform_says_so_and_writes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'headshots.db'}"
    database = open_database(url)
    migrate(database)
    database.dispose()
    refused = run("record", tmp_path / "day.csv", "--database", url)
    assert refused.exit_code == ExitCode.REFUSED
    assert "TRACE_EMPTY" in refused.stderr
    assert not (tmp_path / "day.csv").exists()
