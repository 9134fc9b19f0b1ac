"""The real VictoriaMetrics of a test, on loopback."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import httpx

from tests.fleet_world import free_port
from tests.metering_load import Sample

START_S = 60


@contextmanager
def database(program: Path, folder: Path, *, below: str = "") -> Generator[str]:
    """It runs on its folder, and is served below this path, as behind an API server; its address."""
    address = f"127.0.0.1:{free_port()}"
    url = f"http://{address}{below}"
    flags = [f"-storageDataPath={folder}", f"-httpListenAddr={address}", f"-http.pathPrefix={below}"]
    flags += ["-retentionPeriod=400d", "-loggerLevel=ERROR"]
    process = subprocess.Popen([str(program), *flags])
    try:
        deadline = time.monotonic() + START_S
        while not _answers(f"{url}/health"):
            assert time.monotonic() < deadline, "the database does not start"
            assert process.poll() is None, "the database ended"
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(START_S)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def written(url: str, samples: Iterator[Sample]) -> int:
    """Write samples, and wait until they can be asked for."""
    count = 0
    for _, minute in groupby(samples, key=lambda sample: sample[2] // 600):
        lines = [f"{name}{{{_labels(labels)}}} {value} {round(at * 1000)}" for name, labels, at, value in minute]
        httpx.post(f"{url}/api/v1/import/prometheus", content="\n".join(lines), trust_env=False).raise_for_status()
        count += len(lines)
    httpx.get(f"{url}/internal/force_flush", trust_env=False, timeout=60).raise_for_status()
    return count


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f'{name}="{value}"' for name, value in labels.items())
