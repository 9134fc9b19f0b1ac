"""Connections to a real SSH server on the loopback: who is let in, who is refused, and in which words."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from paramiko import common

from components.clients.ssh import HostKeyError, SshAccess, SshConnection, SshError, fingerprint


def make_key() -> tuple[str, paramiko.PKey]:
    text = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return text, paramiko.Ed25519Key.from_private_key(io.StringIO(text))


HOST_TEXT, HOST_KEY = make_key()
USER_TEXT, USER_KEY = make_key()
_, OTHER_KEY = make_key()


class Door(paramiko.ServerInterface):
    """Opens to one key, and answers each command with itself."""

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return common.AUTH_SUCCESSFUL if key == USER_KEY else common.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return common.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        def answer() -> None:
            if command == b"hang":
                return
            channel.sendall(b"did " + command)
            channel.send_exit_status(3)
            channel.close()

        threading.Timer(0.05, answer).start()
        return True


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The loopback, on which every connection to port 22 reaches the server of this test."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    transports: list[paramiko.Transport] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(HOST_KEY)
            transports.append(transport)
            transport.start_server(event=threading.Event(), server=Door())

    threading.Thread(target=serve, daemon=True).start()
    connect = paramiko.SSHClient.connect

    def elsewhere(self: paramiko.SSHClient, hostname: str, **options: object) -> None:
        connect(self, hostname, sock=socket.create_connection((hostname, port)), **options)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(paramiko.SSHClient, "connect", elsewhere)
    yield "127.0.0.1"
    listener.close()
    for transport in transports:
        transport.close()


def access(pinned: paramiko.PKey | None, private_key: str = USER_TEXT) -> SshAccess:
    line = f"127.0.0.1 {pinned.get_name()} {pinned.get_base64()}\n" if pinned else "# nobody\n"
    return SshAccess(user="root", private_key=private_key, known_hosts=line, known_hosts_source="file:pinned")


async def test_a_command_runs_with_its_output_and_exit_code(address: str) -> None:
    connection = SshConnection(address, access(HOST_KEY))
    done = await connection.run("something")
    await connection.close()
    assert (done.out, done.code) == ("did something", 3)


async def test_a_wrong_host_key_is_refused_with_both_fingerprints_and_their_source(address: str) -> None:
    with pytest.raises(HostKeyError) as caught:
        await SshConnection(address, access(OTHER_KEY)).open()
    assert f"found: {fingerprint(HOST_KEY)}" in str(caught.value)
    assert f"allowed: {fingerprint(OTHER_KEY)} from file:pinned" in str(caught.value)


async def test_an_unknown_host_is_refused_with_its_fingerprint(address: str) -> None:
    with pytest.raises(HostKeyError, match="is not known") as caught:
        await SshConnection(address, access(None)).open()
    assert fingerprint(HOST_KEY) in str(caught.value)


async def test_a_refused_key_says_what_to_authorise(address: str) -> None:
    with pytest.raises(SshError, match="refused the key") as caught:
        await SshConnection(address, access(HOST_KEY, private_key=HOST_TEXT)).open()
    assert "authorised for root" in str(caught.value)


async def test_a_command_that_does_not_end_in_time_ends_the_connection_and_the_next_opens_anew(address: str) -> None:
    connection = SshConnection(address, access(HOST_KEY))
    with pytest.raises(SshError, match="no answer within the time limit"):
        await connection.run("hang", timeout_s=0.3)
    assert (await connection.run("again")).out == "did again"
    await connection.close()


async def test_nobody_there_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise ConnectionRefusedError("Connection refused")

    monkeypatch.setattr(paramiko.SSHClient, "connect", refuse)
    with pytest.raises(SshError, match="check power, the management cable and the address"):
        await SshConnection("127.0.0.1", access(HOST_KEY)).open()
