"""The server of a watched search: on this machine alone, for whoever knows the token in its address."""

from __future__ import annotations

import hmac
import json
import re
import secrets
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response

from tuner.errors import InputError, TunerError
from tuner.ledger.ledger import Ledger
from tuner.ledger.requests import OF_A_MODEL, Request
from tuner.page.shared import is_shared_file, shared_files
from tuner.running.asked import check_request
from tuner.text import visible_line
from tuner.untrusted.checked_json import parsed
from tuner.watching.feed import Feed, Told
from tuner.watching.form import form_of
from tuner.watching.pages import Pages
from tuner.workspace import Workspace

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HOST = "127.0.0.1"
#: So many pages follow at once; each keeps a thread busy.
MOST_FOLLOWERS = 32
#: After so many seconds of silence a line is sent, so that a page that has gone is noticed.
SECONDS_BETWEEN_BEATS = 15.0
#: What is asked takes so many bytes at most.
_MOST_ASKED = 20_000
#: Rows are sent in pieces of so many.
_PIECE = 200
#: A picture, a table and the like by how they end; what ends otherwise is to be saved.
_KINDS = {
    "html": "text/html; charset=utf-8", "md": "text/plain; charset=utf-8", "csv": "text/csv; charset=utf-8",
    "json": "application/json", "png": "image/png", "jpeg": "image/jpeg", "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
}  # fmt: skip
#: The same for every answer: nothing of it is kept, framed, or given to another site.
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
#: A page says itself what may run in it; what is no page runs nothing.
_POLICY = "default-src 'none'; frame-ancestors 'none'"
_LAST = re.compile(r"([0-9a-f]{8})\.([0-9]{1,15})", re.ASCII)


class _Handler(WSGIRequestHandler):
    """Answers requests and notes none: their addresses hold the token."""

    def log(self, type: str, message: str, *args: Any) -> None:  # werkzeug's name
        """Say nothing."""


class WatchServer:
    """Serves the page of a search and what is new of it; a thread for each request.

    Args:
        name: of the search, the last part of the address.
        feed: what is told.
        pages: makes the page.
        port: 0 for one that is free.
        ask: writes what somebody asks of the search, and says why not where it cannot; None where nobody may ask.

    Raises:
        InputError: the port is not free.
    """

    def __init__(
        self, name: str, feed: Feed, pages: Pages, port: int = 0, ask: Callable[[Request], str] | None = None
    ) -> None:
        self._ask = ask
        self._name, self._feed, self._pages = name, feed, pages
        self._token = secrets.token_urlsafe(24)
        self._followers = threading.BoundedSemaphore(MOST_FOLLOWERS)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((HOST, port))
            self._socket.listen(128)
        except OSError as error:
            self._socket.close()
            raise InputError("--port", f"{port} cannot be had ({error.strerror})", "leave it out") from error
        self.port: int = self._socket.getsockname()[1]
        self._hosts = {f"{HOST}:{self.port}", f"localhost:{self.port}"}
        self._server: BaseWSGIServer = make_server(
            HOST, self.port, self._answer, threaded=True, request_handler=_Handler, fd=self._socket.fileno()
        )

    @property
    def address(self) -> str:
        """The address of the page, token included."""
        return f"http://{HOST}:{self.port}/{self._token}/{self._name}/"

    def serve(self) -> None:
        """Answer until `close` is called, or this thread is interrupted."""
        self._server.serve_forever()

    def close(self) -> None:
        """End the server, and what follows."""
        self._feed.end()
        self._server.shutdown()
        self._server.server_close()
        self._socket.close()

    def _answer(self, environment: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        response = self._response(HttpRequest(environment))
        response.headers.extend(_HEADERS)
        if response.mimetype != "text/html":
            response.headers["Content-Security-Policy"] = _POLICY
        return response(environment, start)

    def _response(self, request: HttpRequest) -> Response:
        # A name that leads here, and is not ours, is another site's, by whose pages this one would be read.
        if request.headers.get("Host") not in self._hosts:
            return _refused(HTTPStatus.FORBIDDEN)
        token, _, rest = request.path.removeprefix("/").partition("/")
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return _refused(HTTPStatus.FORBIDDEN)
        if request.method == "POST" and self._ask is not None and rest.startswith(f"{self._name}/"):
            match rest.removeprefix(f"{self._name}/"):
                case "ask":
                    return self._asked(self._ask, request)
                case "form":
                    return self._form(request)
        if request.method not in ("GET", "HEAD"):
            return _refused(HTTPStatus.METHOD_NOT_ALLOWED)
        if is_shared_file(rest) and (text := shared_files().get(rest)) is not None:
            return _file(rest, text.encode())
        folder, _, name = rest.partition("/")
        if folder != self._name:
            return _refused(HTTPStatus.NOT_FOUND)
        if not name:
            return self._page()
        if name == "events":
            return self._events(request)
        content = self._pages.file(name)
        return _refused(HTTPStatus.NOT_FOUND) if content is None else _file(name, content)

    def _page(self) -> Response:
        try:
            return _file("page.html", self._pages.page().html)
        except TunerError as error:  # such as a search that is no longer there
            problem = visible_line(error)
            return Response(problem, HTTPStatus.NOT_FOUND, content_type="text/plain; charset=utf-8")

    def _sent(self, request: HttpRequest) -> Request | Response:
        """Return what a page of ours sent, or why not: no other site may send such a type without asking us."""
        if request.headers.get("Origin") not in {f"http://{host}" for host in self._hosts}:
            return _refused(HTTPStatus.FORBIDDEN)
        if request.mimetype != "application/json" or (request.content_length or _MOST_ASKED + 1) > _MOST_ASKED:
            return _refused(HTTPStatus.BAD_REQUEST)
        try:
            asked = parsed(Request, request.get_data().decode())
        except ValueError:
            return _refused(HTTPStatus.BAD_REQUEST)
        return asked if asked.is_whole else _refused(HTTPStatus.BAD_REQUEST)

    def _asked(self, ask: Callable[[Request], str], request: HttpRequest) -> Response:
        """Take what somebody asks."""
        asked = self._sent(request)
        if isinstance(asked, Response):
            return asked
        try:
            problem = ask(asked)
        except TunerError as error:  # such as a ledger that cannot be written
            problem = str(error)
        return _problem(problem) if problem else Response(status=HTTPStatus.NO_CONTENT)

    def _form(self, request: HttpRequest) -> Response:
        """Tell what can be chosen of a configuration that somebody is about to add, beside what was chosen so far."""
        asked = self._sent(request)
        if isinstance(asked, Response):
            return asked
        if self._feed.search is None or asked.values is None:
            return _refused(HTTPStatus.BAD_REQUEST)
        try:
            form = form_of(self._feed.search, asked.model, asked.values)
        except TunerError as error:  # such as a [[search]] that is not there
            return _problem(str(error))
        return _file("form.json", json.dumps(form, allow_nan=False).encode())

    def _events(self, request: HttpRequest) -> Response:
        if not self._followers.acquire(blocking=False):
            return _refused(HTTPStatus.SERVICE_UNAVAILABLE)
        seen = _LAST.fullmatch(request.headers.get("Last-Event-ID", ""))
        epoch, number = (seen[1], int(seen[2])) if seen else ("", 0)
        response = Response(events(self._feed, epoch, number), content_type="text/event-stream; charset=utf-8")
        response.call_on_close(self._followers.release)
        return response


def events(feed: Feed, epoch: str, number: int) -> Iterator[bytes]:
    """Yield what is new as server-sent events, for ever.

    A piece of rows has the `id` of its last one, by which a page that was cut off asks for what came after it.

    Args:
        feed: what is told.
        epoch: of the list that a page has rows of; empty where it has none.
        number: how many rows of it the page has.
    """
    told: Told | None = feed.told
    state = None
    while told is not None:
        if told.epoch != epoch or number > len(told.rows):
            epoch, number = told.epoch, 0
            yield _event("reset", {"epoch": epoch}, f"{epoch}.0")
        while number < len(told.rows):
            rows = list(told.rows[number : number + _PIECE])
            number += len(rows)
            yield _event("rows", {"rows": rows, "of": len(told.rows)}, f"{epoch}.{number}")
        if told.state != state:
            state = told.state
            yield _event("state", state)
        following = feed.wait(told, SECONDS_BETWEEN_BEATS)
        if following is told:
            yield b": still here\n\n"
        told = following


def _event(kind: str, data: Any, name: str = "") -> bytes:
    head = f"id: {name}\n" if name else ""
    return f"{head}event: {kind}\ndata: {json.dumps(data, allow_nan=False)}\n\n".encode()


def asker(feed: Feed, workspace: Workspace) -> Callable[[Request], str]:
    """Return what writes requests to the ledger, for the run to decide on; it says why not where nobody runs."""

    def ask(request: Request) -> str:
        if not feed.runs:
            return "nobody runs the search on this machine, and a run alone can decide"
        if request.what in OF_A_MODEL:
            if feed.search is None:
                return "the search has no file, and is recorded no longer"
            check_request(request, feed.search)
        with Ledger(workspace.ledger) as ledger:
            ledger.ask(feed.runs, request)
        return ""

    return ask


def _file(name: str, content: bytes) -> Response:
    kind = _KINDS.get(name.rpartition(".")[2])
    response = Response(content, content_type=kind or "application/octet-stream")
    if kind is None:
        response.headers["Content-Disposition"] = "attachment"
    return response


def _problem(problem: str) -> Response:
    return Response(visible_line(problem), HTTPStatus.CONFLICT, content_type="text/plain; charset=utf-8")


def _refused(status: HTTPStatus) -> Response:
    return Response(f"{status.value} {status.phrase}\n", status.value, content_type="text/plain; charset=utf-8")
