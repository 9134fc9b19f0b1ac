"""Redfish over kept connections, for thousands of BMCs from one process.

Owns HTTP: TLS by the region's authority, basic authentication, errors by their cause. Basic authentication instead of
sessions: a killed run leaves no session behind, and BMCs have few of them. Every request passes the pace. No password
is in a message: what a BMC says of a refused request is masked.
"""

from __future__ import annotations

import json
import ssl
from asyncio.sslproto import SSLProtocol
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import aiohttp
from yarl import URL

from components.clients.redaction import MASK, redact
from components.engine.bring_up.bmc import (
    BusyError,
    DroppedError,
    FaultError,
    MalformedError,
    PasswordRefusedError,
    RefusedError,
    SilentError,
    UntrustedError,
    bmc_problem,
)
from components.engine.pace import Exchange, Pace
from components.errors import Problem
from components.plan.bring_up.cause import Cause
from components.plan.bring_up.work import EndpointWork

ROOT = "/redfish/v1/"
CONNECT_S = 10.0
ANSWER_S = 60.0
"""BMCs that were just plugged in are slow."""
PUSH_S = 1800.0
"""Packages are large, and BMCs take them slowly."""
KEPT_S = 1.0
"""A connection without a request for so long is closed. Long enough for the requests of a step, which follow each
other; a kept one costs 100 KB here and 80 KB at the BMC, and there are thousands."""
SMALL_BYTES = 1 << 20
"""Packages up to this size are kept in memory instead of being read for each push."""
_TLS_BUFFER = 16 << 10
"""One TLS record; asyncio's own 256 KiB for each connection would be most of the memory of a run."""


class BmcClients:
    """The connections of one run. `connect` makes the client of an endpoint; it costs nothing until it is used."""

    def __init__(
        self,
        pace: Pace,
        tls: ssl.SSLContext | None,
        *,
        connect_s: float = CONNECT_S,
        answer_s: float = ANSWER_S,
        kept_s: float = KEPT_S,
    ) -> None:
        SSLProtocol.max_size = min(SSLProtocol.max_size, _TLS_BUFFER)
        self.pace = pace
        self.timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_s, sock_read=answer_s)
        self.push_timeout = aiohttp.ClientTimeout(total=PUSH_S, sock_connect=connect_s)
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,  # the pace limits; a second queue would only hide from it
                ssl=tls or True,
                keepalive_timeout=kept_s,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
            headers={"Accept": "application/json", "OData-Version": "4.0"},
        )
        self._packages: dict[Path, bytes] = {}

    def connect(self, work: EndpointWork) -> RedfishBmc:
        """The client of one endpoint."""
        return RedfishBmc(work, self)

    def package(self, path: Path) -> bytes | None:
        """The content of a small package; None for one that is to be read as it is sent."""
        if path not in self._packages and path.stat().st_size <= SMALL_BYTES:
            self._packages[path] = path.read_bytes()
        return self._packages.get(path)

    async def close(self) -> None:
        """Close all connections."""
        await self.session.close()

    async def __aenter__(self) -> BmcClients:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class RedfishBmc:
    """One endpoint."""

    def __init__(self, work: EndpointWork, clients: BmcClients) -> None:
        self._work = work
        self._clients = clients
        self._base = URL(work.address)
        self._authorization = ""
        self._secret = ""
        self._has_answered = False

    def use(self, username: str, password: str) -> None:
        """Ask with these credentials from now on."""
        self._authorization = aiohttp.encode_basic_auth(username, password)
        self._secret = password

    async def get(self, path: str, *, expand: bool = False, anonymous: bool = False) -> Mapping[str, Any]:
        """A resource; with `expand` its members too."""
        query = "?$expand=." if expand else ""
        return await self._request("GET", f"{path}{query}", anonymous=anonymous)

    async def patch(self, path: str, body: Mapping[str, Any]) -> None:
        """Change a resource."""
        await self._request("PATCH", path, body=body)

    async def post(self, path: str, body: Mapping[str, Any]) -> None:
        """Call an action."""
        await self._request("POST", path, body=body)

    async def push(self, path: str, package: Path) -> str:
        """Send a package; the path of the task."""
        content = self._clients.package(package)
        if content is not None:
            return self._task(await self._request("POST", path, form=_form(package.name, content)))
        with package.open("rb") as file:  # opened here, read by aiohttp in its own threads
            return self._task(await self._request("POST", path, form=_form(package.name, file)))

    def _task(self, answer: Mapping[str, Any]) -> str:
        task = answer.get("@odata.id")
        if not isinstance(task, str):
            raise self._malformed("the answer to a push names no task")
        return task

    async def _request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        form: aiohttp.MultipartWriter | None = None,
        anonymous: bool = False,
    ) -> Mapping[str, Any]:
        clients, work = self._clients, self._work
        url = self._base.join(URL(path if path.startswith("/") else ROOT + path, encoded=True))
        headers: dict[str, str] = {}
        if self._authorization and not anonymous:
            headers["Authorization"] = self._authorization
        data: aiohttp.MultipartWriter | bytes | None = form
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        kind = f"{work.kind} {'push' if form else method}"
        rack = work.name.partition("/")[0]
        async with clients.pace.request(work.name, rack=rack, turn=work.turn, kind=kind) as exchange:
            try:
                async with clients.session.request(
                    method,
                    url,
                    data=data,
                    headers=headers,
                    allow_redirects=False,
                    timeout=clients.push_timeout if form else clients.timeout,
                ) as response:
                    content = await response.read()
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise self._broken(error, exchange, f"{method} {path}") from None
            self._has_answered = True
            if response.status == 503:
                exchange.overloaded()
            return self._read(response, content, f"{method} {path}", body)

    def _read(
        self, response: aiohttp.ClientResponse, content: bytes, asked: str, body: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        status = response.status
        if status < 300:
            return self._json(content, asked)
        name, found = self._work.name, f"HTTP {status} to {asked}"
        if status == 401:
            raise PasswordRefusedError(f"{name}: refuses the password", [self._problem(Cause.PASSWORD_REFUSED, found)])
        if status == 503:
            after = response.headers.get("Retry-After", "")
            raise BusyError(
                f"{name}: busy",
                [self._problem(Cause.UNSTEADY, found)],
                is_refused=True,
                retry_after_s=float(after) if after.isdigit() else None,
            )
        if status >= 500:
            raise FaultError(f"{name}: {found}", [self._problem(Cause.UNSTEADY, found)])
        said = self._masked(_said(content), body)
        text = f"{found}: {said}"
        raise RefusedError(f"{name}: {text}", self._problem(Cause.SETTINGS_REFUSED, text), status)

    def _json(self, content: bytes, asked: str) -> Mapping[str, Any]:
        if not content:
            return {}
        try:
            found: Any = json.loads(content)
        except ValueError:
            raise self._malformed(f"{asked}: the answer is no JSON") from None
        if not isinstance(found, dict):
            raise self._malformed(f"{asked}: the answer is no object")
        return cast("dict[str, Any]", found)

    def _broken(self, error: Exception, exchange: Exchange, asked: str) -> Exception:
        """What became of a request without an answer."""
        name, reason = self._work.name, f"{asked}: {type(error).__name__}"
        match error:
            case aiohttp.ClientConnectorCertificateError():
                return UntrustedError(f"{name}: {error}", [self._problem(Cause.UNTRUSTED, str(error))])
            case aiohttp.ServerTimeoutError() | TimeoutError():
                if self._has_answered:  # one that never answered says nothing of load
                    exchange.overloaded()
                never_left = isinstance(error, aiohttp.ConnectionTimeoutError)
                problem = self._problem(Cause.SILENT, reason)
                return SilentError(f"{name}: no answer", [problem], is_refused=never_left)
            case aiohttp.ClientConnectorError():
                problem = self._problem(Cause.SILENT, reason)
                return SilentError(f"{name}: no connection", [problem], is_refused=True)
            case _:
                problem = self._problem(Cause.UNSTEADY, reason)
                return DroppedError(f"{name}: the connection broke", [problem])

    def _malformed(self, found: str) -> MalformedError:
        return MalformedError(f"{self._work.name}: {found}", [self._problem(Cause.MALFORMED, found)])

    def _problem(self, cause: Cause, found: str) -> Problem:
        return bmc_problem(self._work.name, cause, found)

    def _masked(self, text: str, body: Mapping[str, Any] | None) -> str:
        for secret in (self._secret, str((body or {}).get("Password", ""))):
            if secret:
                text = text.replace(secret, MASK)
        return redact(text)


def _said(content: bytes) -> str:
    """The BMC's own words, of the Redfish error body."""
    try:
        error: Any = json.loads(content)["error"]
        messages = cast("list[dict[str, Any]]", error.get("@Message.ExtendedInfo") or [])
        texts = [str(m.get("Message", "")) for m in messages] or [str(error.get("message", ""))]
        return " ".join(texts)[:500]
    except (ValueError, KeyError, TypeError, AttributeError):
        return content[:200].decode(errors="replace")


def _form(name: str, content: Any) -> aiohttp.MultipartWriter:
    """The two parts of a push (DSP0266, multipart HTTP push)."""
    form = aiohttp.MultipartWriter("form-data")
    parameters = form.append_json({})
    parameters.set_content_disposition("form-data", name="UpdateParameters")
    file = form.append(content, {"Content-Type": "application/octet-stream"})
    file.set_content_disposition("form-data", name="UpdateFile", filename=name)
    return form
