"""One SSH connection to one device, with its host key pinned.

Owns authentication, host key checks, time limits and the words for their failures. Deliberately uses nothing of
the caller's environment: no agent, no keys or known hosts of a home directory. paramiko blocks, so each
connection has a thread of its own, and calls on one connection are in order.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import io
import logging
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import paramiko
from paramiko.hostkeys import HostKeyEntry, InvalidHostKey

from components.clients.secrets import resolve
from components.errors import DeviceError, Problem

T = TypeVar("T")
_KEEPALIVE_S = 5
# paramiko logs tracebacks of what is raised here as an error with words anyway.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class SshError(DeviceError):
    """No connection, or it broke."""


class HostKeyError(SshError):
    """The device does not have the key that was pinned for it. Not tried again, nothing was sent to it."""


@dataclass(frozen=True, kw_only=True)
class SshAccess:
    """How devices are opened; the same for all devices of a kind."""

    user: str
    private_key: str = field(repr=False)
    """The key itself, OpenSSH format."""
    known_hosts: str = field(repr=False)
    """Pinned keys, OpenSSH format."""
    known_hosts_source: str
    """Reference that the pinned keys came from, for messages."""
    timeout_s: float = 5
    """For each of: connection, banner, authentication."""

    @classmethod
    def from_references(cls, project: Path, *, user: str, private_key: str, known_hosts: str) -> SshAccess:
        """Access from secret references; raises SecretError."""
        return cls(
            user=user,
            private_key=resolve(project, private_key),
            known_hosts=resolve(project, known_hosts, private=False),
            known_hosts_source=known_hosts,
        )


@dataclass(frozen=True, kw_only=True)
class Completed:
    """A command that ran to its end on the device."""

    code: int
    out: str
    err: str


def fingerprint(key: paramiko.PKey) -> str:
    """As `ssh-keygen -l` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")


def _pinned(text: str) -> paramiko.HostKeys:
    keys = paramiko.HostKeys()
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            entry = HostKeyEntry.from_line(line, number)
        except (InvalidHostKey, binascii.Error):
            entry = None
        if entry is not None:
            for name in entry.hostnames or []:
                keys.add(name, entry.key.get_name(), entry.key)
    return keys


def _key(text: str) -> paramiko.PKey:
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text))
        except paramiko.SSHException:
            continue
    raise paramiko.SSHException("the private key is none of ed25519, ecdsa and rsa without a passphrase")


class _Pinned(paramiko.MissingHostKeyPolicy):
    """Refuses a device for which no key is pinned."""

    def __init__(self, access: SshAccess) -> None:
        self._access = access

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        problem = Problem(
            path=hostname,
            message="no host key is pinned for this address",
            found=fingerprint(key),
            allowed=f"a key in {self._access.known_hosts_source}",
            remedy="compare the fingerprint with the device's label or console, then add the key there",
        )
        raise HostKeyError(f"{hostname} is not known", [problem])


class SshConnection:
    """Opened at the first call, and again at the next call after it broke."""

    def __init__(self, address: str, access: SshAccess) -> None:
        self.address = address
        self._access = access
        self._client: paramiko.SSHClient | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"ssh-{address}")

    async def open(self) -> None:
        """Connect if there is no connection. Raises SshError, HostKeyError."""
        await self._in_thread(lambda _: None)

    async def run(self, command: str, *, stdin: str = "", timeout_s: float = 30) -> Completed:
        """Run a command to its end. Raises SshError if it takes longer or the connection breaks."""

        def work(client: paramiko.SSHClient) -> Completed:
            channel_in, out, err = client.exec_command(command, timeout=timeout_s)
            channel_in.write(stdin)
            channel_in.flush()
            channel_in.channel.shutdown_write()
            text, errors = out.read().decode(errors="replace"), err.read().decode(errors="replace")
            return Completed(code=out.channel.recv_exit_status(), out=text, err=errors)

        return await self._in_thread(work)

    async def put(self, path: str, content: bytes) -> bool:
        """Make a file hold exactly this content, whole or not at all; whether it had to be written."""

        def work(client: paramiko.SSHClient) -> bool:
            with client.open_sftp() as sftp:
                try:
                    with sftp.open(path, "rb") as there:
                        if there.read() == content:
                            return False
                except FileNotFoundError:
                    pass
                new = f"{path}.new"
                with sftp.open(new, "wb") as f:
                    f.write(content)
                sftp.chmod(new, 0o700)
                sftp.posix_rename(new, path)
                return True

        return await self._in_thread(work)

    async def close(self) -> None:
        """Let go; harmless when nothing is open."""
        client, self._client = self._client, None
        if client is not None:
            await asyncio.to_thread(client.close)
        self._thread.shutdown(wait=False)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"ssh-{self.address}")

    async def _in_thread(self, work: Callable[[paramiko.SSHClient], T]) -> T:
        def guarded() -> T:
            try:
                if self._client is None:
                    self._client = self._connect()
                return work(self._client)
            except BaseException as error:
                client, self._client = self._client, None
                if client is not None:
                    client.close()
                if isinstance(error, DeviceError) or not isinstance(error, (OSError, EOFError, paramiko.SSHException)):
                    raise
                raise self._failure(error) from error

        return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)

    def _connect(self) -> paramiko.SSHClient:
        access = self._access
        client = paramiko.SSHClient()
        pinned = _pinned(access.known_hosts)
        for name in pinned:
            for kind, key in pinned[name].items():
                client.get_host_keys().add(name, kind, key)
        client.set_missing_host_key_policy(_Pinned(access))
        try:
            client.connect(
                self.address,
                username=access.user,
                pkey=_key(access.private_key),
                look_for_keys=False,
                allow_agent=False,
                timeout=access.timeout_s,
                banner_timeout=access.timeout_s,
                auth_timeout=access.timeout_s,
            )
        except BaseException:
            client.close()
            raise
        if transport := client.get_transport():
            transport.set_keepalive(_KEEPALIVE_S)
        return client

    def _failure(self, error: BaseException) -> SshError:
        source = self._access.known_hosts_source
        if isinstance(error, paramiko.BadHostKeyException):
            problem = Problem(
                path=self.address,
                message="the host key is not the pinned one: another device, or somebody in between",
                found=fingerprint(error.key),
                allowed=f"{fingerprint(error.expected_key)} from {source}",
                remedy="compare with the device's label or console before you change the pinned key",
            )
            return HostKeyError(f"{self.address} does not have the pinned host key", [problem])
        if isinstance(error, paramiko.AuthenticationException):
            message, remedy = "refused the key", f"the key's public half must be authorised for {self._access.user}"
        elif isinstance(error, (TimeoutError, socket.timeout)):
            message, remedy = "no answer within the time limit", "check power, the management cable and the address"
        else:
            message, remedy = "the connection failed", "check power, the management cable and the address"
        problem = Problem(path=self.address, message=message, found=str(error) or type(error).__name__, remedy=remedy)
        return SshError(f"{self.address}: {message}", [problem])
