"""The process `pulumi-language-python ENGINE_ADDRESS`: prints its port, serves, ends on a signal."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from pulumi.runtime.proto import language_pb2_grpc

from lab.toolchain.language_host.host import EXECUTOR, VERSION, PythonHost
from lab.toolchain.language_host.process import Children

_MESSAGE_LIMIT = 400 * 1024 * 1024
"""What the engine allows for a message; gRPC's own 4 MB is less than a large stack's configuration."""

PARENT_POLL_S = 1.0
"""How often the host looks whether its engine still lives; the kernel offers no event for this."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until the engine interrupts; returns the exit code."""
    parser = argparse.ArgumentParser(prog="pulumi-language-python")
    parser.add_argument("engine", nargs="?", help="address of the engine")
    options = parser.parse_args(arguments)
    try:
        executor, version = os.environ[EXECUTOR], os.environ[VERSION]
    except KeyError as missing:
        print(f"{missing} is not set: start the script .tools/bin/pulumi-language-python", file=sys.stderr)
        return 1
    children, ended = Children(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # The engine ends its plugins by an interrupt; that is the ordinary end and no error.
        signal.signal(number, lambda _number, _frame: ended.set())
    server = grpc.server(
        ThreadPoolExecutor(max_workers=16),
        options=[
            ("grpc.max_receive_message_length", _MESSAGE_LIMIT),
            ("grpc.max_send_message_length", _MESSAGE_LIMIT),
        ],
    )
    host = PythonHost(engine=options.engine, executor=Path(executor), version=version, children=children)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    parent = os.getppid()
    # a killed engine sends no interrupt; its programs must not wait for it for ever
    while not ended.wait(PARENT_POLL_S) and os.getppid() == parent:
        pass
    children.stop()
    server.stop(grace=None).wait(timeout=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
