"""The simulated model engine as OpenAI's own client sees it, started with the arguments that the plan gives it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from components.plan.fleet import Fleet
from components.plan.models import ModelPlan, Served, serve
from components.spec.catalogue import load_catalogue
from lab.toolchain.build import ensure
from tests.regions import REGIONS, ROOT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

WAIT_S = 30
SAID = "good day to you"
ECHO = f"[lab-echo is a simulator, this is an echo] {SAID}"
TOKENS = len(ECHO.split())
CHAT: list[ChatCompletionMessageParam] = [{"role": "user", "content": SAID}]


@pytest.fixture(scope="module")
def program() -> Path:
    """The engine, as its image holds it."""
    return ensure("model-engine")["model-engine"]


@dataclass(frozen=True, kw_only=True)
class Engine:
    """One that runs."""

    plan: ModelPlan
    process: subprocess.Popen[bytes]
    web: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.plan.port}"

    def client(self, *, max_retries: int = 0) -> openai.OpenAI:
        return openai.OpenAI(
            base_url=f"{self.url}/v1",
            api_key="none",
            max_retries=max_retries,
            http_client=openai.DefaultHttpxClient(trust_env=False),
        )

    def health(self) -> int:
        """Status of the path that the kubelet looks at; 0 while nothing listens."""
        try:
            return self.web.get(self.url + self.plan.health).status_code
        except httpx.ConnectError:
            return 0

    def metric(self, name: str) -> float:
        found = re.search(rf"^{name}\{{[^}}]*\}} (\S+)$", self.web.get(f"{self.url}/metrics").text, re.MULTILINE)
        assert found, f"{name} is not told"
        return float(found[1])

    def wait_for(self, name: str, value: float) -> None:
        deadline = time.monotonic() + WAIT_S
        while self.metric(name) != value:
            assert time.monotonic() < deadline, f"{name} is {self.metric(name)}, not {value}"
            time.sleep(0.01)

    def wait_for_health(self, *statuses: int) -> None:
        deadline = time.monotonic() + WAIT_S
        while self.health() not in statuses:
            assert time.monotonic() < deadline, f"the engine does not come to {statuses}"
            time.sleep(0.01)


def plan_of(concurrency: int | None = None) -> ModelPlan:
    catalogue = load_catalogue(REGIONS / "_catalogue", root=ROOT)
    model = catalogue.model("lab-echo")
    assert model is not None
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = int(found.getsockname()[1])
    served = serve(model, Fleet(()), catalogue, concurrency=concurrency, port=port)
    assert isinstance(served, Served)
    return served.plan


def write_weights(folder: Path) -> str:
    """Weights of one file as the pod's first container leaves them; the digest of their manifest."""
    (folder / "model.bin").write_bytes(SAID.encode())
    files = [{"path": "model.bin", "sha256": hashlib.sha256(SAID.encode()).hexdigest()}]
    manifest = json.dumps({"files": files}).encode()
    (folder / ".weights.json").write_bytes(manifest)
    return f"sha256:{hashlib.sha256(manifest).hexdigest()}"


@contextmanager
def running(program: Path, *more: str, concurrency: int | None = None) -> Generator[Engine]:
    """An engine from its start; `more` comes after the plan's arguments, as the `args` of a service do."""
    plan = plan_of(concurrency)
    with tempfile.TemporaryDirectory() as folder:
        told = {**os.environ, "WEIGHTS_MANIFEST": write_weights(Path(folder))}
        process = subprocess.Popen([str(program), *plan.args, "--weights", folder, *more], env=told)
        try:
            yield Engine(plan=plan, process=process)
        finally:
            process.terminate()
            process.wait(WAIT_S)


@pytest.fixture(scope="module")
def engine(program: Path) -> Iterator[Engine]:
    """One that is loaded and speaks fast."""
    with running(program, "--token-seconds", "0.005") as found:
        found.wait_for_health(200)
        yield found


def test_the_model_is_listed_and_marked_as_simulated(engine: Engine) -> None:
    told = engine.client().models.with_raw_response.list()
    (model,) = told.parse().data
    assert model.id == "lab-echo"
    assert model.model_extra == {"simulated": True, "note": "answers are an echo of the prompt"}
    assert "echo" in told.headers["x-simulator"]
    assert engine.client().models.retrieve("lab-echo") == model


def test_every_path_of_the_catalogue_is_there(engine: Engine) -> None:
    for path in engine.plan.paths:
        method = "GET" if path == "/v1/models" else "POST"
        assert engine.web.request(method, engine.url + path).status_code in (200, 400), path


def test_a_chat_is_an_echo_with_its_usage(engine: Engine) -> None:
    answer = engine.client().chat.completions.create(model="lab-echo", messages=CHAT, temperature=0.2, seed=7)
    assert answer.choices[0].message.content == ECHO
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (4, TOKENS)


def test_a_streamed_chat_comes_token_by_token_and_ends_with_its_usage(engine: Engine) -> None:
    stream = engine.client().chat.completions.create(
        model="lab-echo", messages=CHAT, stream=True, stream_options={"include_usage": True}
    )
    *pieces, last = stream
    text = [piece.choices[0].delta.content or "" for piece in pieces]
    assert "".join(text) == ECHO
    assert len([part for part in text if part]) == TOKENS
    assert [piece.choices[0].finish_reason for piece in pieces][-2:] == [None, "stop"]
    assert (last.choices, last.usage and last.usage.total_tokens) == ([], 4 + TOKENS)


def test_a_text_is_completed_up_to_the_tokens_that_are_allowed(engine: Engine) -> None:
    answer = engine.client().completions.create(model="lab-echo", prompt=SAID, max_tokens=3)
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("[lab-echo is a ", "length")
    pieces = list(engine.client().completions.create(model="lab-echo", prompt=SAID, stream=True))
    assert "".join(piece.choices[0].text for piece in pieces) == ECHO


def test_equal_texts_are_embedded_equally_in_both_encodings(engine: Engine) -> None:
    client = engine.client()
    first = client.embeddings.create(model="lab-echo", input=[SAID, "else"], dimensions=16)  # base64 by default
    again = client.embeddings.create(model="lab-echo", input=SAID, dimensions=16, encoding_format="float")
    assert first.data[0].embedding == pytest.approx(again.data[0].embedding)
    assert first.data[0].embedding != first.data[1].embedding
    assert sum(number**2 for number in first.data[1].embedding) == pytest.approx(1, abs=1e-5)
    assert first.usage.prompt_tokens == 5


def test_what_is_wrong_raises_the_exception_that_clients_expect(engine: Engine) -> None:
    client = engine.client()
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="lab-eco", messages=CHAT)
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError) as empty:
        client.chat.completions.create(model="lab-echo", messages=[])
    assert (empty.value.type, empty.value.param) == ("invalid_request_error", "messages")
    with pytest.raises(openai.APIStatusError) as large:
        client.embeddings.create(model="lab-echo", input="x" * 2**20)
    assert large.value.status_code == 413


def test_until_it_is_loaded_it_is_not_healthy_and_a_client_that_comes_again_is_answered(program: Path) -> None:
    with running(program, "--load-seconds", "2") as slow:
        slow.wait_for_health(503)
        with pytest.raises(openai.InternalServerError) as early:
            slow.client().models.list()
        assert early.value.status_code == 503
        assert early.value.code == "model_loading"
        assert slow.client(max_retries=3).models.list().data
        assert slow.health() == 200


def test_the_request_beyond_the_concurrency_waits_until_another_ends(program: Path) -> None:
    with running(program, "--token-seconds", "1", concurrency=2) as busy, ThreadPoolExecutor() as pool:
        busy.wait_for_health(200)
        client = busy.client()
        held = [client.chat.completions.create(model="lab-echo", messages=CHAT, stream=True) for _ in range(2)]
        for stream in held:
            next(iter(stream))  # it runs
        waits = pool.submit(client.completions.create, model="lab-echo", prompt=SAID, max_tokens=1)
        busy.wait_for("vllm:num_requests_waiting", 1)
        assert busy.metric("vllm:num_requests_running") == 2
        assert not waits.done()
        held[0].close()
        assert waits.result(WAIT_S).choices[0].text == "[lab-echo "
        assert busy.metric("vllm:num_requests_waiting") == 0
        held[1].close()
        busy.wait_for("vllm:num_requests_running", 0)


def test_the_tokens_that_metering_reads_are_those_that_clients_are_told(program: Path) -> None:
    with running(program, "--token-seconds", "0") as fresh:
        fresh.wait_for_health(200)
        answer = fresh.client().chat.completions.create(model="lab-echo", messages=CHAT)
        assert answer.usage is not None
        assert fresh.metric("vllm:prompt_tokens_total") == answer.usage.prompt_tokens
        assert fresh.metric("vllm:generation_tokens_total") == answer.usage.completion_tokens


def test_a_stream_that_was_begun_is_finished_after_the_end_is_asked(program: Path) -> None:
    with running(program, "--token-seconds", "0.1") as ending:
        ending.wait_for_health(200)
        stream = ending.client().chat.completions.create(model="lab-echo", messages=CHAT, stream=True)
        text = [next(iter(stream)).choices[0].delta.content or ""]
        ending.process.send_signal(signal.SIGTERM)
        ending.web.close()
        text += [piece.choices[0].delta.content or "" for piece in stream]
        assert "".join(text) == ECHO
        assert ending.process.wait(WAIT_S) == 0
        with pytest.raises(openai.APIConnectionError):
            ending.client().models.list()
