"""A server and a client of gRPC for tests of what lies between them: calls of each kind, whose bytes need no schema."""

from __future__ import annotations

import queue
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import grpc

from components.clients.grpc_health import ABOUT_ALL, METHOD, SERVING

SERVICE = "test.Echo"
PATIENCE_S = 60
_MESSAGE_LIMIT = ("grpc.max_receive_message_length", 16 << 20)
_NO_PROXY = ("grpc.enable_http_proxy", 0)


class Server:
    """Answers on one address; what it saw of its callers."""

    def __init__(self, address: str, *, streams_a_connection: int = 100, health: bytes | None = SERVING) -> None:
        self.address = address
        self.open: list[str] = []
        """Streams that are open, each by the other end of its connection."""
        self.answered = 0
        """Calls with one message so far."""
        options = [_MESSAGE_LIMIT, ("grpc.max_concurrent_streams", streams_a_connection)]
        self._server = grpc.server(ThreadPoolExecutor(16), options=options)
        echo: Mapping[str, Any] = {
            "Unary": grpc.unary_unary_rpc_method_handler(self._unary),
            "Refuse": grpc.unary_unary_rpc_method_handler(self._refuse),
            "Chat": grpc.stream_stream_rpc_method_handler(self._chat),
        }
        check: Mapping[str, Any] = {"Check": grpc.unary_unary_rpc_method_handler(lambda *_: health)}
        for name, methods in ((SERVICE, echo), *([("grpc.health.v1.Health", check)] if health else [])):
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, methods),))

    def start(self) -> int:
        """Its port."""
        port = int(self._server.add_insecure_port(self.address))
        self._server.start()
        return port

    def stop(self) -> None:
        self._server.stop(0).wait()

    def _unary(self, request: bytes, context: Any) -> bytes:
        left_s = context.time_remaining()  # rounded up on its way
        deadline = "told" if left_s is not None and left_s < PATIENCE_S + 1 else "not told"
        context.set_trailing_metadata((("x-trailer", "kept"), ("x-deadline", deadline)))
        self.answered += 1
        return request

    def _refuse(self, _: bytes, context: Any) -> None:
        context.set_trailing_metadata((("x-trailer", "kept"),))
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not like this")

    def _chat(self, requests: Iterator[bytes], context: Any) -> Generator[bytes]:
        peer = context.peer()
        self.open.append(peer)
        if context.add_callback(lambda: self.open.remove(peer)):  # however the stream ends
            with suppress(Exception):  # how the iterator tells that the caller is gone
                yield from requests
        else:
            self.open.remove(peer)


class Client:
    """Calls the server, by whatever way its channel takes."""

    def __init__(self, channel: Any) -> None:
        self.channel = channel

    def unary(self, message: bytes, timeout_s: float = PATIENCE_S) -> tuple[bytes, dict[str, str]]:
        """The answer and its trailers."""
        answer, call = self._method("Unary").with_call(message, timeout=timeout_s)
        return answer, dict(call.trailing_metadata())

    def refused(self, timeout_s: float = PATIENCE_S) -> tuple[str, str, dict[str, str]]:
        """Code, words and trailers of an answer that is an error."""
        try:
            self._method("Refuse")(b"", timeout=timeout_s)
        except grpc.RpcError as error:
            told: Any = error
            return told.code().name, told.details(), dict(told.trailing_metadata())
        raise AssertionError("it was not refused")

    def chat(self, *messages: bytes) -> list[bytes]:
        """Each message is sent when the one before has been answered; so nobody on the way may collect them."""
        with self.open_chat() as say:
            return [say(message) for message in messages]

    @contextmanager
    def open_chat(self, *, goes_away: bool = False) -> Generator[Callable[[bytes], bytes]]:
        """A stream that stays open: says one message and waits for what is said back. At the end it is closed, or the
        caller goes away."""
        sent: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        answers: Any = self.channel.stream_stream(f"/{SERVICE}/Chat")(iter(sent.get, None), timeout=PATIENCE_S)

        def say(message: bytes) -> bytes:
            sent.put(message)
            return next(answers)

        try:
            yield say
        finally:
            if goes_away:
                answers.cancel()
            sent.put(None)
        assert goes_away or not list(answers)

    def health(self) -> bytes:
        """Answer of the standard health service, about the server as a whole."""
        return self.channel.unary_unary(METHOD)(ABOUT_ALL, timeout=PATIENCE_S)

    def _method(self, name: str) -> Any:
        return self.channel.unary_unary(f"/{SERVICE}/{name}")


@contextmanager
def client(address: str, host: str, authority: bytes | None = None) -> Generator[Client]:
    """A client that calls the host at this address; with TLS where an authority is given to trust."""
    options = [_MESSAGE_LIMIT, _NO_PROXY, ("grpc.default_authority", host)]
    if authority is None:
        channel = grpc.insecure_channel(f"{address}:80", options)
    else:
        trusted = grpc.ssl_channel_credentials(authority)
        options.append(("grpc.ssl_target_name_override", host))
        channel = grpc.secure_channel(f"{address}:443", trusted, options)
    with channel:
        yield Client(channel)
