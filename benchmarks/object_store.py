"""An S3 store for a benchmark's own state."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from components.state.bucket import REGION
from stacks.cli.environment import search_path


@contextmanager
def object_store(folder: Path) -> Generator[dict[str, str]]:
    """A versitygw of its own on loopback with an empty bucket; what Pulumi must find in its environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "s3" / "state").mkdir(parents=True)  # a folder of the store is a bucket
    keys = {"ROOT_ACCESS_KEY": "benchmark", "ROOT_SECRET_KEY": "of-a-benchmark"}
    process = subprocess.Popen(
        ["versitygw", "--port", f"127.0.0.1:{port}", "--quiet", "posix", str(folder / "s3")],
        env={**os.environ, "PATH": search_path(), **keys},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        query = urlencode({"endpoint": f"http://127.0.0.1:{port}", "region": REGION, "s3ForcePathStyle": "true"})
        yield {
            "PULUMI_BACKEND_URL": f"s3://state?{query}",
            "AWS_ACCESS_KEY_ID": keys["ROOT_ACCESS_KEY"],
            "AWS_SECRET_ACCESS_KEY": keys["ROOT_SECRET_KEY"],
            "AWS_REGION": REGION,
        }
    finally:
        process.terminate()
        process.wait(10)
