"""The server of a watched search: what it answers, to whom, and what it refuses."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from made_up import Project

from tuner.errors import InputError
from tuner.ledger.requests import Decision, Request
from tuner.page.render import LIBRARY
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


def test_what_the_page_links_to_is_there_and_nothing_else(served: WatchServer) -> None:
    page = ask(served).read().decode()
    for name in {*re.findall(r'(?:src|href)="([\w.-]+\.(?:png|csv|md))"', page)}:
        answer = ask(served, beside(served, name))
        assert answer.status == 200, name
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.read()
    library = ask(served, beside(served, "").replace("small/", LIBRARY))
    assert library.headers["Content-Type"].startswith("text/javascript")
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


@pytest.fixture
def controlled(project: Project, undrawn: None) -> Iterator[WatchServer]:
    feed = Feed("small", project.search, project.workspace)
    feed.look()
    pages = Pages("small", project.workspace, feed, control=True)
    server = WatchServer("small", feed, pages, ask=asker(feed, project.workspace))
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield server
    server.close()
    thread.join(60)


def post(server: WatchServer, text: str, **more: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(HOST, server.port, timeout=120)
    own = {
        "Host": f"{HOST}:{server.port}",
        "Origin": f"http://{HOST}:{server.port}",
        "Content-Type": "application/json",
    }
    headers = {name: value for name, value in {**own, **more}.items() if value}
    connection.request("POST", beside(server, "ask"), body=text, headers=headers)
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
            '{"what": "pause"' + " " * 2000 + "}",
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


def test_a_port_that_is_taken_is_said_in_one_line(served: WatchServer) -> None:
    with pytest.raises(InputError, match=f"--port: {served.port} cannot be had"):
        WatchServer("small", served._feed, served._pages, served.port)
    assert socket.gethostbyname(HOST) == HOST
