"""gRPC on its whole way: client, the gateway, the interceptor, pod; all of them the programs that a region runs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from components.clients.grpc_health import SERVING
from lab.toolchain.catalogue import catalogue
from lab.toolchain.golang import go
from tests.grpc_stage import STREAMS
from tests.regions import ROOT
from tests.stages import told_by

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(900),  # the programs are built where no other run has
    pytest.mark.skipif(os.geteuid() != 0, reason="makes name spaces: run it as root"),
]
ways = pytest.mark.parametrize("way", ["plain", "TLS"])
PATCH = ROOT / "docs/upstream/http-add-on-dead-peer.patch"
TRAILERS = {"x-trailer": "kept", "x-deadline": "told"}
Found = Mapping[str, Any]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    return told_by("grpc_stage", tmp_path_factory.mktemp("grpc"))


def test_a_call_wakes_a_sleeping_service_and_waits_for_it(found: Found) -> None:
    assert found["asleep"] == {"held": True, "answer": {"message": "wake", "trailers": TRAILERS}}


@ways
def test_a_call_comes_with_its_deadline_and_its_answer_with_trailers(found: Found, way: str) -> None:
    assert found[way]["unary"] == {"message": "hello", "trailers": TRAILERS}
    assert found[way]["large"] is True


@ways
def test_an_error_comes_with_its_code_and_words(found: Found, way: str) -> None:
    code, words, trailers = found[way]["refused"]
    assert (code, words) == ("FAILED_PRECONDITION", "not like this")
    assert trailers["x-trailer"] == "kept"


@ways
def test_messages_of_a_stream_pass_both_ways_while_it_is_open(found: Found, way: str) -> None:
    assert found[way]["chat"] == ["one", "two", "three"]


@ways
def test_an_open_stream_keeps_a_service_awake_until_its_caller_goes_away(found: Found, way: str) -> None:
    assert found[way]["open stream"] == 1


@ways
def test_the_health_service_answers(found: Found, way: str) -> None:
    assert found[way]["health"] == SERVING.hex()


def test_an_interceptor_shares_a_connection_to_a_pod_up_to_the_pod_s_own_limit_of_streams(found: Found) -> None:
    assert found["connections"] == {str(STREAMS): 1, str(3 * STREAMS): 3}


def test_only_what_speaks_http2_is_sent_http2(found: Found) -> None:
    versions = dict(found["to the interceptor"])
    assert versions.pop("/") == ["HTTP/1.1"], "the service beside it"
    assert versions
    assert all(each == ["HTTP/2.0"] for each in versions.values()), versions


def test_calls_on_the_connection_to_a_dead_host_end_and_the_next_goes_to_another_replica(found: Found) -> None:
    calls = found["host is dead"]["as the role has it"]
    assert calls["lost"] == ["UNAVAILABLE"], "the one that was under way"
    assert 12 < calls["answered_s"] < 20, "12.6 s with the least estimate of the way there and back, more with others"


def test_left_to_the_kernel_calls_to_a_dead_host_hang(found: Found) -> None:
    assert found["host is dead"]["as the kernel has it"] == {"answered_s": None, "lost": ["DEADLINE_EXCEEDED"]}


def test_the_patch_that_is_proposed_upstream_applies_to_the_pinned_add_on(tmp_path: Path) -> None:
    pinned = go().module_folder(catalogue().modules["keda-http-add-on"])
    for path in ("go.mod", "pkg/net/dial_context.go"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes((pinned / path).read_bytes())
    subprocess.run(["patch", "-s", "-p1", "--fuzz=0", "-d", tmp_path, "-i", PATCH], check=True)
    assert "Control: limitUnacked" in (tmp_path / "pkg/net/dial_context.go").read_text()


def test_no_tenant_sets_what_the_kubelet_allows_the_interceptor(found: Found) -> None:
    assert found["admitted"] == {"platform": True, "tenant": False, "tenant without": True}


def test_a_client_is_told_by_a_code_of_grpc_when_no_interceptor_is_there(found: Found) -> None:
    assert found["interceptor is dead"].startswith("UNAVAILABLE: ")
