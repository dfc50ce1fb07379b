"""The server of a watched search: what it answers, to whom, and what it refuses."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from made_up import RAW, Project

from tuner.datasets.base import Dataset
from tuner.errors import InputError
from tuner.ledger.requests import Change, Decision, Request
from tuner.page.shared import shared_files
from tuner.watching.feed import Feed
from tuner.watching.pages import Pages
from tuner.watching.serve import HOST, WatchServer, asker


@pytest.fixture
def served(project: Project, undrawn: None) -> Iterator[WatchServer]:
    feed = Feed("small", project.search, project.workspace)
    feed.look()
    server = WatchServer("small", feed, Pages("small", project.workspace, feed))
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield server
    server.close()
    thread.join(60)


def ask(
    server: WatchServer, path: str | None = None, host: str | None = None, method: str = "GET", last: str = ""
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(HOST, server.port, timeout=120)
    headers = {"Host": host or f"{HOST}:{server.port}", **({"Last-Event-ID": last} if last else {})}
    connection.request(method, urlsplit(server.address).path if path is None else path, headers=headers)
    return connection.getresponse()


def beside(server: WatchServer, name: str) -> str:
    return urlsplit(server.address).path + name


def test_the_page_says_what_may_run_in_it_and_holds_no_test_score_before_the_end(
    served: WatchServer, project: Project
) -> None:
    answer = ask(served)
    page = answer.read().decode()
    assert answer.status == 200
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy.startswith("default-src 'none'; ")
    assert policy.count("'sha256-") == 2
    assert "connect-src 'self'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2]
    assert 'id="live-part"' in page
    assert 'id="trials"' in page
    assert 'id="confusion"' not in page
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    finals = [r.result for _, r in project.ledger.search_trials("small") if r and r.trial.role == "final"]
    tests = [f"{result.test_accuracy:.4f}" for result in finals]
    assert tests
    assert not [score for score in tests if score in page]
    project.ledger.close_search("small")
    served._feed.look()
    page = ask(served).read().decode()
    assert [score for score in tests if score in page]
    assert 'id="confusion"' in page
    images = ask(served, beside(served, "images-blobs.png"))
    assert (images.status, images.headers["Content-Type"]) == (200, "image/png")


def test_what_the_page_links_to_is_there_and_nothing_else(served: WatchServer) -> None:
    page = ask(served).read().decode()
    for name in {*re.findall(r'(?:src|href)="([\w.-]+\.(?:png|csv|md))"', page)}:
        answer = ask(served, beside(served, name))
        assert answer.status == 200, name
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.read()
    for name, text in shared_files().items():
        shared = ask(served, beside(served, "").replace("small/", name))
        assert shared.headers["Content-Type"].startswith("text/css" if name.endswith("css") else "text/javascript")
        assert shared.read().decode() == text
        assert f'="../{name}"' in page
    for name in ("ledger.sqlite", "../ledger.sqlite", "%2e%2e/ledger.sqlite", "none.png", "report"):
        assert ask(served, beside(served, name)).status == 404
    assert ask(served, beside(served, "").replace("small/", "")).status == 404  # which would list what there is


@pytest.mark.parametrize("path", ["/", "/small/", "/favicon.ico", "/x/small/", "/small/events"])
def test_without_the_token_there_is_nothing(served: WatchServer, path: str) -> None:
    assert ask(served, path).status == 403


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1", "127.0.0.1:1", "localhost.example.org"])
def test_another_host_is_refused_even_with_the_token(served: WatchServer, host: str) -> None:
    assert ask(served, host=host).status == 403
    assert ask(served, beside(served, "events"), host=host).status == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_it_only_shows(served: WatchServer, method: str) -> None:
    assert ask(served, method=method).status == 405


def test_events_come_as_they_happen_and_go_on_after_the_last_one(served: WatchServer, project: Project) -> None:
    def lines(answer: http.client.HTTPResponse, until: str) -> list[str]:
        found: list[str] = []
        while not found or not found[-1].startswith(until):
            found.append(answer.readline().decode().rstrip("\n"))
        return found

    answer = ask(served, beside(served, "events"))
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    sent = lines(answer, "event: state")
    (last,) = [line.removeprefix("id: ") for line in sent if line.startswith("id: ") and not line.endswith(".0")]
    answer.readline()
    trials = project.searched("ann", [0.5, 0.6])
    project.ledger.forget_trial(trials[0].id)
    served._feed.look()
    assert lines(answer, "event: reset")
    answer.close()
    again = ask(served, beside(served, "events"), last=last)
    assert "event: reset" in lines(again, "event: rows")
    again.close()


@contextmanager
def serving_with_control(project: Project) -> Iterator[WatchServer]:
    feed = Feed("small", project.search, project.workspace)
    feed.look()
    pages = Pages("small", project.workspace, feed, control=True)
    server = WatchServer("small", feed, pages, ask=asker(feed, project.workspace))
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield server
    server.close()
    thread.join(60)


@pytest.fixture
def controlled(project: Project, undrawn: None) -> Iterator[WatchServer]:
    with serving_with_control(project) as server:
        yield server


def post(server: WatchServer, text: str, to: str = "ask", path: str = "", **more: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(HOST, server.port, timeout=120)
    own = {
        "Host": f"{HOST}:{server.port}",
        "Origin": f"http://{HOST}:{server.port}",
        "Content-Type": "application/json",
    }
    headers = {name: value for name, value in {**own, **more}.items() if value}
    connection.request("POST", path or beside(server, to), body=text, headers=headers)
    return connection.getresponse()


def runs_now(project: Project) -> None:
    (project.workspace.runs / "locks").mkdir(exist_ok=True)
    (project.workspace.runs / "locks" / "small.holder").write_text(str(os.getpid()))


class TestWhoMayAsk:
    def test_what_a_page_of_ours_asks_stands_in_the_ledger_for_the_run_to_decide(
        self, controlled: WatchServer, project: Project
    ) -> None:
        answer = post(controlled, '{"what": "pause"}')
        assert answer.status == 409  # nobody would decide
        assert "nobody runs the search" in answer.read().decode()
        runs_now(project)
        controlled._feed.look()
        assert post(controlled, '{"what": "pause"}').status == 204
        assert post(controlled, json.dumps({"what": "stop", "trial": "ab" * 8})).status == 204
        assert project.ledger.requests("small") == [(0, Request("pause")), (1, Request("stop", "ab" * 8))]
        controlled._feed.look()
        assert controlled._feed.told.state["asked"] == [
            "asked to pause: not decided yet",
            f"asked to stop trial {'ab' * 8}: not decided yet",
        ]
        project.ledger.decide("small", Decision(0, "pause", "", 8))
        controlled._feed.look()
        assert controlled._feed.told.state["asked"][0] == "paused after 8 recorded trials"

    @pytest.mark.parametrize(
        ("more", "status"),
        [
            ({"Origin": "http://example.org"}, 403),
            ({"Origin": ""}, 403),
            ({"Origin": "null"}, 403),
            ({"Host": "example.org"}, 403),
            ({"Content-Type": "text/plain"}, 400),
            ({"Content-Type": "application/x-www-form-urlencoded"}, 400),
        ],
    )
    def test_what_another_site_sends_is_refused(
        self, controlled: WatchServer, project: Project, more: dict[str, str], status: int
    ) -> None:
        runs_now(project)
        controlled._feed.look()
        assert post(controlled, '{"what": "pause"}', **more).status == status
        assert project.ledger.requests("small") == []

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{",
            '{"what": "lunch"}',
            '{"what": "stop"}',
            '{"what": "pause", "trial": "abababababababab"}',
            '{"what": "stop", "trial": "../../x"}',
            '{"what": "pause", "more": 1}',
            '{"what": "pause"' + " " * 20_000 + "}",
        ],
    )
    def test_what_makes_no_sense_is_refused(self, controlled: WatchServer, project: Project, text: str) -> None:
        runs_now(project)
        controlled._feed.look()
        assert post(controlled, text).status == 400
        assert project.ledger.requests("small") == []

    def test_without_control_nobody_may(self, served: WatchServer, project: Project) -> None:
        runs_now(project)
        served._feed.look()
        assert post(served, '{"what": "pause"}').status == 405
        assert project.ledger.requests("small") == []


#: A grid, and a random search over a space with a condition, ranges and a rule.
TWO = {
    **RAW,
    "search": [
        {"family": "ann", "space": {"dense_units": [4, 8]}},
        {
            "family": "cnn",
            "algorithm": "random",
            "max_trials": 5,
            "space": {
                "conv_depth": [1, 2],
                "filters": [2, 4],
                "dense_units": {"min": 4, "max": 64},
                "dropout": {"min": 0.0, "max": 0.5, "step": 0.25},
                "l2": {"min": 1e-6, "max": 1e-2, "sampling": "log"},
            },
            "rules": {"filters_never_decrease": True},
        },
    ],
    "report": {},
    "published": None,
}
VALUES = {"conv_depth": 2, "filters_1": 2, "filters_2": 4, "dense_units": 33, "dropout": 0.25, "l2": 1e-4}


@pytest.fixture
def two(tmp_path: Path, blobs: Dataset, undrawn: None) -> Iterator[tuple[WatchServer, Project]]:
    """A search that runs and is watched with control."""
    project = Project(tmp_path, blobs, {name: value for name, value in TWO.items() if value is not None})
    runs_now(project)
    with serving_with_control(project) as server:
        yield server, project
    project.ledger.close()


def form(server: WatchServer, model: str = "cnn", **values: object) -> dict[str, Any]:
    answer = post(server, json.dumps({"what": "add", "model": model, "values": values}), to="form")
    assert answer.status == 200
    found: dict[str, Any] = json.loads(answer.read())
    return found


class TestChanges:
    def test_the_form_has_what_varies_and_matters_and_says_what_is_wrong(
        self, two: tuple[WatchServer, Project]
    ) -> None:
        server, project = two
        shallow = form(server)
        assert [field["name"] for field in shallow["fields"]] == [
            "conv_depth",
            "filters_1",
            "dense_units",
            "dropout",
            "l2",
        ]
        assert shallow["fields"][0]["choices"] == [[1, "1"], [2, "2"]]
        assert shallow["fields"][3]["choices"] == [[0.0, "0"], [0.25, "0.25"], [0.5, "0.5"]]
        units = {name: shallow["fields"][2][name] for name in ("low", "high", "step", "whole")}
        assert units == {"low": 4, "high": 64, "step": 1, "whole": True}
        assert shallow["fields"][4]["step"] is None
        assert shallow["values"] == {"conv_depth": 1, "filters_1": 2, "dense_units": 4, "dropout": 0.0, "l2": 1e-6}
        assert shallow["problem"] == ""
        deep = form(server, conv_depth=2, filters_1=4, dense_units=65)
        assert [field["name"] for field in deep["fields"]][:3] == ["conv_depth", "filters_1", "filters_2"]
        assert deep["problem"] == "dense_units: 65 is not among the values that are searched; take one of 4 to 64"
        broken = form(server, conv_depth=2, filters_1=4, filters_2=2)
        assert broken["problem"] == "breaks the rule 'filters_never_decrease'; change the values or the rule"
        assert form(server, **{**deep["values"], "conv_depth": 1})["values"].keys() == shallow["values"].keys()
        assert project.ledger.requests("small") == []

    def test_what_makes_sense_stands_in_the_ledger(self, two: tuple[WatchServer, Project]) -> None:
        server, project = two
        assert post(server, json.dumps({"what": "add", "model": "cnn", "values": VALUES})).status == 204
        assert post(server, json.dumps({"what": "max_trials", "model": "cnn", "max_trials": 9})).status == 204
        assert project.ledger.requests("small") == [
            (0, Request("add", model="cnn", values=VALUES)),
            (1, Request("max_trials", model="cnn", max_trials=9)),
        ]
        server._feed.look()
        state = server._feed.told.state
        assert state["asked"][1] == "asked for another max_trials of cnn (9): not decided yet"
        assert state["asked"][0].startswith("asked to add a configuration to cnn (conv_depth 2, filters_1 2, ")
        assert state["searches"] == [
            {"model": "ann", "label": "ANN", "max_trials": None, "none": "a grid has none: it tries all"},
            {"model": "cnn", "label": "CNN", "max_trials": 5, "none": ""},
        ]
        change = Change("blobs", 5, 0, True, limit=9)
        project.ledger.decide("small", Decision(1, "max_trials", "", 2, False, "", "cnn", None, 9, 5, (change,)))
        server._feed.look()
        state = server._feed.told.state
        assert state["searches"][1]["max_trials"] == 9
        assert state["asked"][0] == "max_trials of cnn changed from 5 to 9 after 2 recorded trials"

    @pytest.mark.parametrize(
        ("asked", "line"),
        [
            ({"model": "cn", "values": {}}, "cn: no [[search]] of this name; did you mean 'cnn'?"),
            ({"model": "cnn", "values": {}}, "conv_depth: is missing: it varies; say which value to try"),
            ({"model": "cnn", "values": {**VALUES, "dropout": 0.3}}, "dropout: 0.3 is not among the values"),
            ({"model": "cnn", "values": {**VALUES, "l2": 10**300}}, "l2: 1000000"),
            ({"model": "cnn", "values": {**VALUES, "dense_units": 10**300}}, "dense_units: the number is too large"),
            ({"model": "cnn", "values": {**VALUES, "dense_units": "<b>\n"}}, "dense_units: '<b>"),
            ({"model": "cnn", "values": {**VALUES, "x" * 200: 1}}, "'xxxx"),
            ({"model": "cn", "max_trials": 9}, "cn: no [[search]] of this name; did you mean 'cnn'?"),
            ({"model": "ann", "max_trials": 9}, "max_trials: a grid has none: it tries all"),
            ({"model": "cnn", "max_trials": 5}, "max_trials: is 5 already; take another number"),
            ({"model": "cnn", "max_trials": 0}, "max_trials: is not a number from 1 to 1,000,000"),
            ({"model": "cnn", "max_trials": 10**300}, "max_trials: is not a number from 1 to 1,000,000"),
        ],
    )
    def test_what_the_search_has_not_is_refused_in_one_line_and_not_recorded(
        self, two: tuple[WatchServer, Project], asked: dict[str, object], line: str
    ) -> None:
        server, project = two
        answer = post(server, json.dumps({"what": "add" if "values" in asked else "max_trials", **asked}))
        text = answer.read().decode()
        assert answer.status == 409
        assert text.startswith(line)
        assert len(text.splitlines()) == 1
        assert project.ledger.requests("small") == []

    @pytest.mark.parametrize("to", ["ask", "form"])
    @pytest.mark.parametrize(
        "text",
        [
            '{"what": "add"}',
            '{"what": "add", "model": "cnn"}',
            '{"what": "add", "values": {}}',
            '{"what": "add", "model": "cnn", "values": []}',
            '{"what": "add", "model": "cnn", "values": {"dropout": null}}',
            '{"what": "add", "model": "cnn", "values": {"dropout": [0.5]}}',
            '{"what": "add", "model": "../cnn", "values": {}}',
            '{"what": "add", "model": "cnn", "values": {}, "max_trials": 3}',
            '{"what": "add", "model": "cnn", "values": {}, "trial": "abababababababab"}',
            '{"what": "max_trials", "model": "cnn"}',
            '{"what": "max_trials", "max_trials": 9}',
            '{"what": "max_trials", "model": "cnn", "max_trials": "9"}',
            '{"what": "max_trials", "model": "cnn", "max_trials": 9.5}',
            '{"what": "max_trials", "model": "cnn", "max_trials": true}',
            '{"what": "max_trials", "model": "cnn", "max_trials": 1e9}',
            '{"what": "max_trials", "model": "cnn", "max_trials": 1' + "0" * 5000 + "}",
            '{"what": "add", "model": "cnn", "values": {"a": "' + "x" * 21_000 + '"}}',
        ],
    )
    def test_what_is_no_request_is_refused(self, two: tuple[WatchServer, Project], text: str, to: str) -> None:
        server, project = two
        answer = post(server, text, to=to)
        assert answer.status == 400
        assert answer.read() == b"400 Bad Request\n"
        assert project.ledger.requests("small") == []

    @pytest.mark.parametrize("to", ["ask", "form"])
    def test_neither_another_site_nor_another_token_may(self, two: tuple[WatchServer, Project], to: str) -> None:
        server, project = two
        text = json.dumps({"what": "add", "model": "cnn", "values": VALUES})
        assert post(server, text, to=to, Origin="http://example.org").status == 403
        token = urlsplit(server.address).path.split("/")[1]
        another = token[:-1] + ("x" if token[-1] != "x" else "y")
        for path in (f"/{another}/small/{to}", f"/small/{to}", f"//small/{to}"):
            assert post(server, text, path=path).status == 403
        assert post(server, text, path=f"/{token}/other/{to}").status == 405
        assert project.ledger.requests("small") == []

    def test_without_control_there_is_no_form(self, served: WatchServer) -> None:
        assert post(served, '{"what": "add", "model": "cnn", "values": {}}', to="form").status == 405


def test_a_port_that_is_taken_is_said_in_one_line(served: WatchServer) -> None:
    with pytest.raises(InputError, match=f"--port: {served.port} cannot be had"):
        WatchServer("small", served._feed, served._pages, served.port)
    assert socket.gethostbyname(HOST) == HOST
