"""Edges that are clusters: in Singapore and in Essonne a host of one node each, with the runtime and a tenant's services.

Real are all that tests.edge_cluster says, gdnsd, and the distance as far as tests/integration/test_edge_steering.py has
it. Paris and Tokyo are stand-ins. The tests are the steps of one life, in this order.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.edges.client import Client, Visit
from tests.edge_cluster import ClusterEdge
from tests.edge_stage import NEAR, OURS, Stage, staged

pytestmark = [
    pytest.mark.integration,
    pytest.mark.nightly,
    pytest.mark.timeout(1200),  # two clusters start at once
    pytest.mark.skipif(os.geteuid() != 0, reason="boots machines in network namespaces: run it as root"),
    pytest.mark.skipif(not Path("/dev/net/tun").exists(), reason="distance is made over TUN, which is missing"),
]

SERVICES = """\
  - {name: near, image: near, sovereignty: any, regions: [paris, essonne, singapore, tokyo], scaling: {min: 1, max: 1}}
  - {name: ours, image: ours, regions: [paris, essonne], scaling: {min: 1, max: 1}}
"""
VISITS, FAR_VISITS = 60, 15
OURS_THERE = "ours.shop.singapore.internal"
"""What the service would be called there by its own name."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    began = time.monotonic()
    with staged(tmp_path_factory.mktemp("edges"), SERVICES, ("singapore", "essonne")) as stage:
        print(f"two clusters answer after {time.monotonic() - began:.0f} s; distance is made by {stage.world.kind}")
        yield stage


def cluster(stage: Stage, region: str) -> ClusterEdge:
    edge = stage.world.edges[region]
    assert isinstance(edge, ClusterEdge)
    return edge


def pod(visit: Visit) -> tuple[str, str]:
    """Which pod has answered, on which node; none where it was none."""
    answer = json.loads(visit.by) if visit.by.startswith("{") else {"pod": "", "node": ""}
    return answer["pod"], answer["node"]


def p50(client: Client, address: str, count: int) -> float:
    """Of requests over one connection, after the first, which opens it."""
    visits = [client.visit_at(address, NEAR) for _ in range(count + 1)][1:]
    assert all(visit.by for visit in visits), visits
    return statistics.median(visit.ms for visit in visits)


def test_a_client_in_singapore_is_sent_to_a_pod_there_in_50_ms_where_one_in_essonne_takes_170(stage: Stage) -> None:
    client = stage.clients["singapore"]
    address = client.resolve(NEAR)
    assert address and stage.addresses[address] == "singapore"
    far = stage.plan.edge("essonne").address
    for region, at in (("singapore", address), ("essonne", far)):
        there = cluster(stage, region)
        name, node = pod(client.visit_at(at, NEAR))
        assert node == there.host.name
        assert name in there.kubectl("get", "pods", "--namespace=tenant-shop", "--output=name")
    here_ms, far_ms = p50(client, address, VISITS), p50(client, far, FAR_VISITS)
    print(f"p50 from Singapore: a pod at its own edge {here_ms:.1f} ms, a pod in Essonne {far_ms:.1f} ms")
    assert here_ms < 50
    assert far_ms >= 170


def test_a_service_of_class_eu_has_no_object_no_pod_and_no_image_in_singapore(stage: Stage) -> None:
    image = cluster(stage, "essonne").images["ours"]
    manifest = json.loads((image.folder / "blobs/sha256" / image.digest.removeprefix("sha256:")).read_text())
    own = {image.digest, manifest["config"]["digest"]}
    found: dict[str, list[bool]] = {}
    for region in ("essonne", "singapore"):
        there = cluster(stage, region)
        objects = _objects(there)
        assert f'"{NEAR}"' in objects
        on_disk = there.machine.run("ctr", "--namespace=k8s.io", "content", "list", "--quiet").split()
        registry = there.folder / "registry/docker/registry/v2"
        repositories = {path.name for path in (registry / "repositories/shop").iterdir()}
        assert "near" in repositories
        found[region] = [
            *(word in objects for word in ('"ours"', OURS, "shop.eu.", image.digest)),
            *(digest in on_disk for digest in sorted(own)),
            "ours" in repositories,
            *((registry / f"blobs/sha256/{d.removeprefix('sha256:')[:2]}/{d[7:]}").exists() for d in sorted(own)),
        ]
    assert all(found["essonne"]), "the control: where it is placed, all of it is found"
    assert not any(found["singapore"]), found["singapore"]
    _assert_not_answered_in_singapore(stage)


def _objects(there: ClusterEdge) -> str:
    """Every object of every kind that the cluster lists, as JSON."""
    kinds = there.kubectl("api-resources", "--verbs=list", "--output=name").split()
    # Kinds of metrics have no objects of their own, and those of pods are not measured here.
    named = ",".join(kind for kind in kinds if "metrics" not in kind)
    return there.kubectl("get", named, "--all-namespaces", "--output=json", "--show-managed-fields=false")


def _assert_not_answered_in_singapore(stage: Stage) -> None:
    address = stage.plan.edge("singapore").address
    for client in (stage.clients["singapore"], stage.clients["paris"]):
        assert client.visit_at(address, NEAR).by, "the gateway answers at all"
        for host in (OURS, OURS_THERE):
            assert not client.visit_at(address, host).by, host


def test_a_service_of_class_eu_stays_in_the_union_while_the_machine_in_essonne_has_no_power(stage: Stage) -> None:
    world, (ns1, ns2) = stage.world, (stage.server(name) for name in ("ns1", "ns2"))
    client = world.client("c-paris", [ns1])
    before = stage.try_eu([ns1, ns2])
    assert before == {stage.plan.edge("paris").address, stage.plan.edge("essonne").address}, "both are used"
    world.stop_edge("essonne")
    died, seen = time.monotonic(), set[str]()
    while (answer := client.ask(OURS, ns1, subnet="198.18.64.0")) is None or answer.addresses != (
        stage.plan.edge("paris").address,
    ):
        assert time.monotonic() - died < 2 * stage.plan.worst_s, f"Essonne is still given out: {answer}"
        seen |= stage.try_eu([ns1, ns2])
        _assert_not_answered_in_singapore(stage)
    seen |= stage.try_eu([ns1, ns2]) | stage.try_eu_for_others(ns1)
    assert seen <= stage.in_union
    assert world.client("c-essonne").visit(OURS).by == "paris"
    _assert_not_answered_in_singapore(stage)
    world.start_edge("essonne")
    assert pod(client.visit_at(stage.plan.edge("essonne").address, OURS))[1] == cluster(stage, "essonne").host.name


def test_an_edge_whose_cluster_dies_is_left_in_time(stage: Stage) -> None:
    client = stage.world.client("c-singapore")
    assert pod(client.visit(NEAR))[1] == cluster(stage, "singapore").host.name
    stage.world.stop_edge("singapore")
    died, lost = time.monotonic(), 0
    while not (visit := client.visit(NEAR)).by and time.monotonic() - died < 2 * stage.plan.worst_s:
        lost += 1
        time.sleep(0.25)
    left_s = time.monotonic() - died
    print(f"left after {left_s:.1f} s (planned at most {stage.plan.worst_s} s); {lost} requests went to the dead edge")
    assert visit.by == "tokyo", "the next nearest"
    assert lost, "the cluster was dead"
    assert left_s <= 30
