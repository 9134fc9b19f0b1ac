"""The comment APIs of GitHub, GitLab and Forgejo on a loopback port, close enough to tell them apart.

One server speaks all three, each under a prefix of its own and each with its own token header, shapes,
pages and refusals. Faults are queued: the next request that acts, or reads, gets them.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from components.clients.forge import Author, Kind, Target

TOKEN = "tok3n-that-nobody-may-see"
ME = Author(login="region-bot", number=41)
SOMEBODY = Author(login="somebody", number=7)
PREFIXES = {Kind.GITHUB: "/github", Kind.GITLAB: "/gitlab/api/v4", Kind.FORGEJO: "/forgejo/api/v1"}
PROJECTS = {Kind.GITHUB: "cloud/regions", Kind.GITLAB: "77", Kind.FORGEJO: "cloud/regions"}
REQUEST = 12


@dataclass
class Stored:
    """A comment as the server keeps it."""

    number: int
    author: Author | None
    body: str
    is_system: bool = False


@dataclass(frozen=True)
class Fault:
    """What one request gets instead of its answer."""

    status: int
    headers: dict[str, str] = field(default_factory=dict[str, str])
    message: str = "no"
    acts: bool = False
    """The request is carried out although its answer says otherwise."""


@dataclass
class FakeForge:
    """All of a forge that comments need."""

    kind: Kind
    port: int = 0
    scheme: str = "http"
    comments: list[Stored] = field(default_factory=list[Stored])
    faults: dict[str, list[Fault]] = field(default_factory=dict[str, list[Fault]])
    """Method -> faults of its next requests; of GET for lists only."""
    asked: list[str] = field(default_factory=list[str])
    """`METHOD path?query` of each request."""
    commands: list[str] = field(default_factory=list[str])
    """Quick actions that GitLab found in a note and carried out."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def target(self) -> Target:
        api = f"{self.scheme}://127.0.0.1:{self.port}{PREFIXES[self.kind]}"
        return Target(kind=self.kind, api=api, project=PROJECTS[self.kind], number=REQUEST)

    def count(self, method: str) -> int:
        return sum(1 for line in self.asked if line.startswith(f"{method} ") and "graphql" not in line)

    def add(self, author: Author | None, body: str, *, is_system: bool = False) -> Stored:
        stored = Stored(max((c.number for c in self.comments), default=100) + 1, author, body, is_system)
        self.comments.append(stored)
        return stored

    def write(self, author: Author, body: str) -> Stored:
        """A new comment, with what the forge does to it of its own accord."""
        return self.add(author, self._kept(body))

    def _kept(self, body: str) -> str:
        if self.kind is not Kind.GITLAB:
            return body
        self.commands += re.findall(r"(?m)^/(merge|approve|close)\b", body)
        return body.rstrip()

    def update(self, stored: Stored, body: str) -> None:
        stored.body = self._kept(body)

    def shape(self, stored: Stored) -> dict[str, Any]:
        author, name = stored.author, "username" if self.kind is Kind.GITLAB else "login"
        user = {"id": author.number, name: author.login} if author else None
        if self.kind is Kind.GITLAB:
            return {"id": stored.number, "author": user, "body": stored.body, "system": stored.is_system}
        url = f"https://forge.example/{PROJECTS[self.kind]}/pulls/{REQUEST}#issuecomment-{stored.number}"
        return {"id": stored.number, "user": user, "body": stored.body, "html_url": url}


class _Handler(BaseHTTPRequestHandler):
    forge: FakeForge
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_PATCH(self) -> None:
        self._handle()

    def do_PUT(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def _handle(self) -> None:
        forge, url = self.forge, urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body: dict[str, Any] = json.loads(self.rfile.read(length)) if length else {}
        with forge.lock:
            forge.asked.append(f"{self.command} {self.path}")
            path = url.path.removeprefix(PREFIXES[forge.kind])
            if self._token() != TOKEN:
                self._send(401, {"message": "Bad credentials"})
            elif path in ("/user", "/graphql"):
                self._who(path)
            else:
                queue = forge.faults.get(self.command, [])
                fault = queue.pop(0) if queue else None
                answer = self._answer(path, parse_qs(url.query), body) if fault is None or fault.acts else None
                if fault:
                    self._send(fault.status, {"message": fault.message}, fault.headers)
                elif answer:
                    self._send(*answer)

    def _token(self) -> str:
        match self.forge.kind:
            case Kind.GITHUB:
                assert self.headers["X-GitHub-Api-Version"] == "2022-11-28"
                return self.headers.get("Authorization", "").removeprefix("Bearer ")
            case Kind.GITLAB:
                return self.headers.get("PRIVATE-TOKEN", "")
            case Kind.FORGEJO:
                return self.headers.get("Authorization", "").removeprefix("token ")

    def _who(self, path: str) -> None:
        if self.forge.kind is Kind.GITHUB and path == "/user":
            self._send(403, {"message": "Resource not accessible by integration"})
        elif self.forge.kind is Kind.GITHUB:
            self._send(200, {"data": {"viewer": {"login": ME.login, "databaseId": ME.number}}})
        else:
            name = "username" if self.forge.kind is Kind.GITLAB else "login"
            self._send(200, {"id": ME.number, name: ME.login})

    def _answer(self, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        forge, project = self.forge, PROJECTS[self.forge.kind]
        if forge.kind is Kind.GITLAB:
            of_request = f"/projects/{project}/merge_requests/{REQUEST}/notes"
            one, change = re.fullmatch(rf"{of_request}/(\d+)", path), "PUT"
        else:
            of_request = f"/repos/{project}/issues/{REQUEST}/comments"
            one, change = re.fullmatch(rf"/repos/{project}/issues/comments/(\d+)", path), "PATCH"
        if path == of_request and self.command == "GET":
            return self._list(query)
        if path == of_request and self.command == "POST":
            if forge.kind is Kind.GITHUB and len(body["body"]) > 65_536:
                return 422, {"message": "Validation Failed: body is too long (maximum is 65536 characters)"}, {}
            return 201, forge.shape(forge.write(ME, body["body"])), {}
        stored = next((c for c in forge.comments if one and c.number == int(one[1])), None)
        if stored and self.command == change:
            if forge.kind is Kind.GITLAB and stored.author != ME:
                return 403, {"message": "403 Forbidden"}, {}
            forge.update(stored, body["body"])
            return 200, forge.shape(stored), {}
        if stored and self.command == "DELETE":
            forge.comments.remove(stored)
            return 204, None, {}
        return 404, {"message": "Not Found"}, {}

    def _list(self, query: dict[str, list[str]]) -> tuple[int, Any, dict[str, str]]:
        forge = self.forge
        shapes = [forge.shape(c) for c in forge.comments]
        if forge.kind is Kind.FORGEJO:  # its list has no pages and knows no such options
            return 200, shapes, {}
        size, page = min(100, int(query.get("per_page", ["30"])[0])), int(query.get("page", ["1"])[0])
        start = (page - 1) * size
        if start + size >= len(shapes):
            return 200, shapes[start:], {}
        # a forge behind a proxy names itself as it believes to be called
        link = f'<https://forge.example{self.path.partition("?")[0]}?per_page={size}&page={page + 1}>; rel="next"'
        return 200, shapes[start : start + size], {"Link": f'<https://forge.example/?page=1>; rel="first", {link}'}

    def _send(self, status: int, document: Any, headers: dict[str, str] | None = None) -> None:
        content = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def running(kind: Kind, *, tls: ssl.SSLContext | None = None) -> Generator[FakeForge]:
    """A forge that listens on a port of 127.0.0.1 until the block ends."""
    forge = FakeForge(kind, scheme="https" if tls else "http")
    handler = type("Handler", (_Handler,), {"forge": forge})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    forge.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield forge
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
