"""The load generator accounts for every request, and counts its own lateness apart."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable

from tests.load import Account, Sent, percentile, send, under_load
from tests.load_client import DROPPED, REFUSED, TIMEOUT, Target

Answer = Callable[[int, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def served(answer: Answer, rate: float, seconds: float, **target: float) -> Account:
    """The account of a load on a server that treats the n-th request as `answer` says."""
    count = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        await reader.readuntil(b"\r\n\r\n")
        count += 1
        with contextlib.suppress(asyncio.CancelledError):  # the test ends before a slow answer
            await answer(count - 1, writer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        return await send(Target(url=f"http://127.0.0.1:{port}/", host="a.b", **target), rate, seconds)  # type: ignore[arg-type]


async def well(_: int, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


async def test_as_many_requests_are_sent_as_the_rate_says_and_all_are_answered() -> None:
    account = await served(well, rate=50, seconds=1)
    assert account.sent == len(account.answered) == 50
    assert not account.lost
    assert account.seconds >= 0.97, "the last one is due 20 ms before the end"


async def test_each_request_that_is_not_answered_with_200_is_lost_by_its_reason() -> None:
    async def answer(number: int, writer: asyncio.StreamWriter) -> None:
        if number % 5 == 1:
            return  # the connection ends without a word
        if number % 5 == 2:
            writer.write(OK.replace(b"200 OK", b"503 No"))
        elif number % 5 == 3:
            await asyncio.sleep(2)
        else:
            writer.write(OK)

    account = await served(answer, rate=50, seconds=0.4, timeout_s=1)
    assert account.sent == 20
    assert account.lost == {DROPPED: 4, "503": 4, TIMEOUT: 4}


async def test_a_connection_that_is_kept_is_used_again_also_after_an_answer_in_chunks() -> None:
    opened = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        with contextlib.suppress(EOFError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        account = await send(Target(url=f"http://127.0.0.1:{port}/", host="a.b", keep_alive=True), 50, 0.4)
    assert len(account.answered) == 20
    assert opened < 10, f"{opened} connections for 20 requests"


async def test_a_service_that_stands_still_does_not_slow_the_load_and_its_silence_is_seen() -> None:
    moves = asyncio.Event()

    async def answer(number: int, writer: asyncio.StreamWriter) -> None:
        if not number:
            await asyncio.sleep(1)
            moves.set()
        await moves.wait()
        writer.write(OK)

    account = await served(answer, rate=40, seconds=1.5)
    assert account.sent == len(account.answered) == 60
    assert account.silence >= 0.8
    assert account.longest >= 0.8


async def test_a_connection_that_is_refused_is_lost_unless_the_client_repeats_it() -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    once = await send(Target(url=url, host="a.b"), rate=20, seconds=0.5)
    assert once.lost == {REFUSED: 10}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        writer.close()

    async def begin_late() -> asyncio.Server:
        await asyncio.sleep(0.5)
        return await asyncio.start_server(serve, "127.0.0.1", port)

    late = asyncio.create_task(begin_late())
    again = await send(Target(url=url, host="a.b", repeats_refused=True), rate=20, seconds=1)
    (await late).close()
    assert not again.lost
    assert again.repeated >= 1
    assert again.longest >= 0.3, "the first one was due before there was a server"


async def test_a_generator_without_a_processor_says_that_it_was_late() -> None:
    async def block() -> None:
        await asyncio.sleep(0.3)
        time.sleep(0.4)  # noqa: ASYNC251  # what takes the processor away is what is tried

    blocked = asyncio.create_task(block())
    account = await served(well, rate=50, seconds=1)
    await blocked
    assert account.sent == 50
    assert account.late_ms(99) >= 200


def test_a_load_goes_on_for_as_long_as_something_is_done_to_its_target() -> None:
    with under_load(Target(url=f"http://127.0.0.1:{free_port()}/", host="a.b"), rate=20) as account:
        time.sleep(1)
    assert 1 <= account.sent <= 40
    assert account.lost == {REFUSED: account.sent}
    assert account.silence == account.seconds


def test_waits_count_from_when_a_request_was_due() -> None:
    late = Sent(due=1.0, late=0.5, took=0.6, outcome="200")
    assert Account(requests=[late], seconds=2).wait_ms(50) == 600
    assert late.at == 1.6


def test_a_percentile_is_a_value_that_was_seen() -> None:
    values = [float(n) for n in range(1, 101)]
    assert [percentile(values, p) for p in (50, 95, 99, 100)] == [50, 95, 99, 100]
    assert percentile([3.0], 99) == 3.0
    assert percentile([], 50) == 0.0
