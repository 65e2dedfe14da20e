"""Traces, policies and times are read as written, and what is wrong with them is told with its place and the cure."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import pytest

from headshots.errors import FailedPreconditionError, HeadshotsError, InvalidArgumentError
from headshots.simulation.arrivals import SHAPES, Arrivals, draw
from headshots.simulation.policies import Policy, parse_text, read_policies
from headshots.simulation.service_times import ServiceTimes, parse_image_seconds, read_times
from headshots.simulation.traces import Order, read_trace, write_trace
from tests.support.paths import ROOT

NONE = ServiceTimes({})


@pytest.mark.parametrize("name", ["day.csv", "day.jsonl"])
def test_a_trace_is_read_as_it_was_written(tmp_path: Path, name: str) -> None:
    orders = [Order(0.5, "a, b", 20, True, "acme"), Order(7.25, "c", 0, True), Order(9.0, "c", 4)]
    write_trace(tmp_path / name, orders)
    assert read_trace(tmp_path / name) == orders


def test_dates_count_from_the_first(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    path.write_text("at,subject,images\n2026-11-29T10:00:30+00:00,b,2\n2026-11-29 10:00:00+00:00,a,1\n")
    assert read_trace(path) == [Order(0, "a", 1), Order(30, "b", 2)]


def test_dates_without_a_zone_are_utc_wherever_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "day.csv"
    path.write_text("at,subject,images\n2026-11-29T10:00,a,1\n2026-11-29T10:00:30Z,b,1\n")
    monkeypatch.setenv("TZ", "EST5")
    time.tzset()
    try:
        assert [order.at_seconds for order in read_trace(path)] == [0, 30]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_mark_before_the_first_column_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    path.write_bytes(b"\xef\xbb\xbfat,subject,images\r\n5,a,1\r\n")
    assert read_trace(path) == [Order(5, "a", 1)]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.csv", "", "has no orders"),
        ("a.csv", "at,subject,images\n", "has no orders"),
        ("a.csv", "when,subject,images\n0,a,1\n", "line 1 has when; known are at, subject"),
        ("a.csv", "at,images\n0,1\n", "line 1 has no subject"),
        ("a.csv", "at,subject,images\n0,a,1\n1,b\n", "line 3 has not as many values"),
        ("a.csv", "at,subject,images\n0,a,1,2\n", "line 2 has not as many values"),
        ("a.csv", 'at,subject,images\n0,"a,1\n', "line 2 is no CSV"),
        ("a.csv", "at,subject,images\nsoon,a,1\n", "line 2 is at 'soon'; seconds since the begin, or an ISO"),
        ("a.csv", "at,subject,images\nnan,a,1\n", "line 2 is at 'nan'"),
        ("a.csv", "at,subject,images\n-1,a,1\n", "line 2 is at -1 s; a trace begins at 0"),
        ("a.csv", "at,subject,images\n1e9,a,1\n", "31 days at most"),
        ("a.csv", "at,subject,images\n0,,1\n", "line 2 names no subject"),
        ("a.csv", "at,subject,images\n0,a,-3\n", "line 2 has '-3' images; a whole number from 0"),
        ("a.csv", "at,subject,images\n0,a,20000\n", "from 0 to 10000"),
        ("a.csv", "at,subject,images,trains\n0,a,1,maybe\n", "line 2 has trains 'maybe'; true or false"),
        ("a.csv", "at,subject,images,trains\n0,a,0,false\n", "line 2 orders nothing"),
        (
            "a.csv",
            "at,subject,images\n0,a,1\n2026-11-29T10:00,b,1\n",
            "line 3 has seconds where other lines have dates",
        ),
        ("a.jsonl", '{"at": 0, "subject": "a", "images": 1}\n{\n', "line 2 is no JSON"),
        ("a.jsonl", "[]\n", "line 1 is no object"),
    ],
)
def test_a_trace_that_is_wrong_names_the_line(tmp_path: Path, name: str, text: str, told: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InvalidArgumentError, match="TRACE_INVALID") as caught:
        read_trace(path)
    assert told in caught.value.message
    assert str(path) in caught.value.message


def test_drawn_orders_follow_rate_shape_and_share() -> None:
    trace = draw(Arrivals(20_000, shape=SHAPES["day"], returning=0.3, known=50), seed=1)
    assert 19_400 < len(trace) < 20_600
    assert 0.28 < sum(not order.trains for order in trace) / len(trace) < 0.32
    night, evening = (sum(low <= order.at_seconds / 3600 < low + 1 for order in trace) for low in (3, 20))
    assert evening > 9 * night
    assert [order.at_seconds for order in trace] == sorted(order.at_seconds for order in trace)
    assert draw(Arrivals(100), 5) == draw(Arrivals(100), 5) != draw(Arrivals(100), 6)


def test_who_returns_is_most_often_who_came_last() -> None:
    """By Zipf's law the newest comes some ten times as often as the tenth."""
    counts = Counter(order.subject for order in draw(Arrivals(3000, returning=1.0, known=50), seed=1))
    assert counts.most_common(1)[0][0] == "known-49"
    assert 4 * counts["known-40"] < counts["known-49"] < 16 * counts["known-40"]


@pytest.mark.parametrize(
    "wrong",
    [
        Arrivals(0),
        Arrivals(-1),
        Arrivals(float("nan")),
        Arrivals(1e9),
        Arrivals(10, hours=0),
        Arrivals(10, hours=1e4),
        Arrivals(10, images=0),
        Arrivals(10, returning=1.5),
        Arrivals(10, shape=(0, 0)),
        Arrivals(10, shape=(1, -1)),
    ],
)
def test_arrivals_that_cannot_be_are_refused(wrong: Arrivals) -> None:
    with pytest.raises(InvalidArgumentError, match="TRACE_INVALID"):
        draw(wrong, 0)


def test_policies_are_texts_or_a_file(tmp_path: Path) -> None:
    assert parse_text("lean=max:4, routing:round_robin,per_replica:2.5") == (
        "lean",
        Policy(max=4, routing="round_robin", per_replica=2.5),
    )
    assert parse_text("plain") == ("plain", Policy())
    path = tmp_path / "policies.yaml"
    path.write_text("lean:\n  max: 4\nplain:\n")
    assert read_policies(path) == {"lean": Policy(max=4), "plain": Policy()}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("=max:4", "names no policy"),
        ("a=max", "'max' is no key:value"),
        ("a=mx:4", "policy a has no key 'mx'; known are min, max,"),
        ("a=max:4,max:5", "policy a has max twice"),
        ("a=max:0", "max is '0'; it is a whole number, 1 to 1000"),
        ("a=max:1.5", "max is '1.5'; it is a whole number"),
        ("a=max:many", "max is 'many'"),
        ("a=cold_start_seconds:-1", "cold_start_seconds is '-1'; it is 0 or more"),
        ("a=cold_start_seconds:inf", "cold_start_seconds is 'inf'"),
        ("a=routing:random", "known are adapter, least_loaded, round_robin"),
        ("a=min:3,max:2", "min and max are 3 and 2; the first is at most the second"),
        ("a=trainers_min:3,trainers_max:2", "trainers_min and trainers_max are 3 and 2; the first is at most"),
        ("a=slots:1", "slots is '1'; it is a whole number, 2 to"),
    ],
)
def test_a_policy_that_is_wrong_names_the_key(text: str, told: str) -> None:
    with pytest.raises(InvalidArgumentError, match="POLICY_INVALID") as caught:
        parse_text(text)
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "line 1"),
        ("", "has no policies"),
        ("- a", "has no policies"),
        ("a: 4", "policy a is no mapping"),
        ("a: {max: true}", "max is True"),
    ],
)
def test_a_file_of_policies_that_is_wrong_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "policies.yaml"
    path.write_text(text)
    with pytest.raises(InvalidArgumentError, match="POLICY_INVALID") as caught:
        read_policies(path)
    assert told in caught.value.message


def test_times_lie_on_a_line_between_two_that_are_known() -> None:
    times = ServiceTimes(parse_image_seconds("2:1.0, 4:3.0,8:4"))
    assert [times.image(count) for count in (1, 2, 3, 4, 6, 8, 12)] == [1, 1, 2, 3, 3.5, 4, 5]
    assert ServiceTimes(parse_image_seconds("0.4")).image(9) == 0.4


def test_times_are_those_of_the_benchmarks_where_none_are_told() -> None:
    results = ROOT / "benchmarks" / "results"
    files = [results / "serving-cpu-2026-11-30.json", results / "training-cpu-2026-11-30.json"]
    found = read_times(files, NONE)
    assert found.image(1) == pytest.approx(0.178, abs=0.001)
    # 9.683 images a second with eight at once.
    assert found.image(8) == pytest.approx(8 / 9.683)
    assert found.training_seconds == pytest.approx(56.171, abs=0.001)
    told = read_times(files, ServiceTimes({1: 2.0}, training_seconds=9.0))
    assert (told.image(8), told.training_seconds) == (2.0, 9.0)


@pytest.mark.parametrize("text", ["", "0", "-1", "nan", "1:0.4,1:0.5", "a:1", "0:1", "1:", "1:2:3"])
def test_times_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentError, match="TIMES_INVALID"):
        parse_image_seconds(text)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("{", "is no JSON"),
        ("[]", "is not what a benchmark wrote"),
        ("{}", "tells neither of images"),
        (json.dumps({"figures": {"seconds_per_training": "soon"}}), "takes 'soon' seconds"),
        (json.dumps({"latency_alone_ms": {"ours": [1.0]}}), "is not as the benchmarks write it: KeyError"),
        (json.dumps({"latency_alone_ms": {"ours": []}, "settings": {}}), "is not as the benchmarks write it"),
        (json.dumps({"figures": []}), "is not as the benchmarks write it"),
    ],
)
def test_a_file_that_no_benchmark_wrote_is_refused(tmp_path: Path, document: str, told: str) -> None:
    path = tmp_path / "serving.json"
    path.write_text(document)
    with pytest.raises(InvalidArgumentError, match="TIMES_INVALID") as caught:
        read_times([path], NONE)
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        (NONE, "TIMES_MISSING"),
        (ServiceTimes({1: 1.0}, training_seconds=-1), "TIMES_INVALID"),
        (ServiceTimes({1: 1.0}, overhead_seconds=float("inf")), "TIMES_INVALID"),
        (ServiceTimes({1: 1.0}, spread=1.0), "TIMES_INVALID"),
    ],
)
def test_times_that_are_missing_or_impossible_are_told(times: ServiceTimes, reason: str) -> None:
    with pytest.raises(HeadshotsError, match=reason) as caught:
        read_times([], times)
    assert isinstance(caught.value, FailedPreconditionError | InvalidArgumentError)
