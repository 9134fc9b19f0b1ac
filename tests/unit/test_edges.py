"""The steering plan: who is sent where, what is refused, and what the name servers are given."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import dns.rdatatype
import dns.zone
import pytest

from components.errors import SpecError
from components.plan.edges import SteeringPlan, compile_steering
from components.plan.edges.model import PoolPlan
from components.plan.edges.rules import ABOUT, RULES
from components.plan.renders.steering import config, steering_files, zone
from components.spec import Region
from components.spec.limits import UNION
from components.spec.service import Sovereignty
from components.spec.steering import Steered, Steering
from components.spec.steering_file import load_steering
from tests.edge_world import all_regions, plan_of, planned, project, region, steering_of
from tests.regions import REGIONS, ROOT

OUTSIDE = ("singapore", "tokyo")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("edges"))


@pytest.fixture(scope="module")
def regions(folder: Path) -> dict[str, Region]:
    return all_regions(folder)


@pytest.fixture(scope="module")
def steering(folder: Path) -> Steering:
    return steering_of(folder)


@pytest.fixture(scope="module")
def plan(steering: Steering, regions: dict[str, Region]) -> SteeringPlan:
    return plan_of(steering, regions)


def changed(steering: Steering, **values: Any) -> Steering:
    """The steering with other values, read again as from a file."""
    return Steering.model_validate_json(json.dumps(steering.model_dump(mode="json") | values), strict=True)


def pool(plan: SteeringPlan, service: str) -> PoolPlan:
    return plan.pool(next(each.pool for each in plan.services if each.service == service))


def test_the_projects_own_steering_compiles(regions: dict[str, Region]) -> None:
    steering = load_steering(REGIONS / "_steering.yaml", root=ROOT)
    assert plan_of(steering, regions).worst_s <= 30


def test_clients_are_sent_to_the_nearest_edge_first_by_the_table_of_delays(plan: SteeringPlan) -> None:
    near = pool(plan, "near")
    assert near.order("singapore") == ("singapore", "tokyo", "paris")
    assert near.order("tokyo") == ("tokyo", "singapore", "paris")
    assert near.order("essonne") == ("paris", "singapore", "tokyo")
    assert near.order("nowhere") == near.regions


def test_a_name_says_its_class_and_a_service_of_one_region_has_none(plan: SteeringPlan) -> None:
    assert [service.host for service in plan.services] == [
        "far.shop.global.serve.internal",
        "near.shop.global.serve.internal",
        "ours.shop.eu.serve.internal",
    ]


def test_an_edge_has_its_gateways_address_or_the_one_that_is_given(
    steering: Steering, regions: dict[str, Region], plan: SteeringPlan
) -> None:
    assert plan.edge("singapore").address == "10.33.66.2"
    edges = {**steering.model_dump(mode="json")["edges"], "singapore": {"address": "192.0.2.7"}}
    assert plan_of(changed(steering, edges=edges), regions).edge("singapore").address == "192.0.2.7"


def test_the_order_of_regions_does_not_matter(steering: Steering, regions: dict[str, Region]) -> None:
    forwards = compile_steering(steering, tuple(regions.values()))
    backwards = compile_steering(steering, tuple(reversed(regions.values())))
    assert dict(steering_files(forwards)) == dict(steering_files(backwards))


def test_rendered_again_every_byte_is_the_same(folder: Path, plan: SteeringPlan) -> None:
    again = plan_of(steering_of(folder), all_regions(folder))
    assert list(steering_files(plan)) == list(steering_files(again))


def test_no_eu_name_its_map_or_its_addresses_know_of_a_region_outside_the_union(plan: SteeringPlan) -> None:
    outside = [edge for edge in plan.edges if edge.country not in UNION]
    assert sorted(edge.region for edge in outside) == list(OUTSIDE)
    eu_only = replace(plan, pools=tuple(p for p in plan.pools if p.sovereignty is Sovereignty.EU))
    text = config(eu_only, plan.name_servers[0])
    assert "eu-essonne-paris" in text
    assert "any-" not in text
    for edge in outside:
        assert edge.region not in text
        assert edge.address not in text


def test_eu_zones_are_held_in_the_union_only(plan: SteeringPlan) -> None:
    holders = {path.partition("/")[0] for path, _ in steering_files(plan) if path.endswith("zones/eu.serve.internal")}
    assert holders == {"ns1", "ns2"}
    ns3 = next(text for path, text in steering_files(plan) if path == "ns3/config")
    assert "eu-" not in ns3


def test_each_zone_is_one_that_a_dns_library_reads_with_a_name_server_for_each_holder(plan: SteeringPlan) -> None:
    text = zone(plan, Sovereignty.ANY)
    plain = re.sub(r"^(\S+) \d+/\d+ DYNA (\S+)$", r'\1 10 TXT "\2"', text, flags=re.M)
    read = dns.zone.from_text(plain, origin="global.serve.internal.")
    assert {name.to_text() for name, _, _ in read.iterate_rdatas(dns.rdatatype.TXT)} == {"far.shop", "near.shop"}
    assert len(list(read.iterate_rdatas(dns.rdatatype.NS))) == 3


def test_a_changed_zone_has_another_serial(plan: SteeringPlan) -> None:
    one, other = zone(plan, Sovereignty.ANY), zone(replace(plan, services=()), Sovereignty.ANY)
    assert one.split()[4] != other.split()[4]
    assert one.split()[1] == "SOA"


def test_every_client_network_is_in_every_map(plan: SteeringPlan) -> None:
    text = config(plan, plan.name_servers[0])
    for network in plan.networks:
        assert text.count(f"{network.network} => [") == len(plan.pools)


def test_the_thresholds_of_the_monitor_are_those_of_the_plan(plan: SteeringPlan) -> None:
    text = config(plan, plan.name_servers[0])
    found = dict(re.findall(r"(interval|timeout|down_thresh) => (\d+)", text))
    assert int(found["interval"]) * int(found["down_thresh"]) + int(found["timeout"]) + plan.ttl_s == plan.worst_s
    assert plan.worst_s == 24


def test_gateways_are_asked_by_name_because_envoy_refuses_what_gdnsd_asks_without(plan: SteeringPlan) -> None:
    for server in plan.name_servers:
        assert f"vhost => {plan.domain}," in config(plan, server)


def test_an_edge_behind_an_address_of_its_own_may_be_asked_at_any_port(
    steering: Steering, regions: dict[str, Region]
) -> None:
    behind = {name: {"address": f"192.0.2.{n}"} for n, name in enumerate(steering.edges, 1)}
    health = {**steering.model_dump(mode="json")["health"], "port": 8080}
    assert plan_of(changed(steering, edges=behind, health=health), regions).health.port == 8080


def test_a_region_that_is_an_edge_knows_it_and_its_gateway_answers_where_the_name_servers_ask(folder: Path) -> None:
    path = folder / "_steering.yaml"
    text = path.read_text()
    path.write_text(text.replace("path: /healthz", "path: /well").replace(", tokyo: {}}", "}"))
    try:
        found = all_regions(folder)
    finally:
        path.write_text(text)
    assert found["paris"].steering == Steered(domain="serve.internal", health_path="/well")
    assert planned(found["paris"]).runtime.health_path == "/well"
    assert found["tokyo"].steering is None
    assert planned(found["tokyo"]).runtime.health_path == "/healthz", "the same in every region, edge or not"


def test_a_fault_of_the_steering_is_told_of_each_region(folder: Path) -> None:
    path = folder / "_steering.yaml"
    text = path.read_text()
    path.write_text(f"{text}\nservers: []\n")
    try:
        with pytest.raises(SpecError, match=r"_steering\.yaml:\d+: servers"):
            region(folder, "paris")
    finally:
        path.write_text(text)


FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("edge-left-late", {"ttl_s": 60}, "4 s x 3 + 2 s + 60 s = 74 s"),
    ("edge-left-late", {"left_within_s": 20}, "at most 20 s"),
    ("edge-health-interval", {"health": {"timeout_s": 5, "interval_s": 4}}, "at least 5 s"),
    ("steering-region-unknown", {"edges": {"paris": {}, "atlantis": {}}}, "atlantis"),
    ("steering-delay-unknown", {"clients": {"lyon": ["198.51.100.0/24"]}}, "lyon"),
    (
        "steering-networks-overlap",
        {"clients": {"paris": ["198.18.0.0/16"], "tokyo": ["198.18.9.0/24"]}},
        "198.18.9.0/24, and 198.18.0.0/16 of paris",
    ),
    (
        "steering-name-servers",
        {"name_servers": [{"name": "ns1", "region": "paris", "address": "10.32.63.21"}]},
        "two regions of the Union",
    ),
    ("edge-health-port", {"health": {"port": 8080}}, "8080 for paris, essonne, singapore, tokyo"),
    ("steering-edge-missing", {"edges": {"paris": {}, "essonne": {}, "singapore": {}}}, "found: tokyo"),
]


@pytest.mark.parametrize(("rule", "values", "says"), FAULTS, ids=lambda v: v if isinstance(v, str) else "")
def test_a_fault_of_the_steering_is_named_by_its_rule(
    rule: str, values: dict[str, Any], says: str, steering: Steering, regions: dict[str, Region]
) -> None:
    with pytest.raises(SpecError) as caught:
        plan_of(changed(steering, **values), regions)
    named = [problem for problem in caught.value.problems if problem.rule == rule]
    assert named, caught.value
    assert any(says in str(problem) for problem in named), caught.value
    assert all(problem.remedy and problem.allowed and problem.found for problem in named)


def test_a_health_check_that_a_far_edge_cannot_answer_is_refused(
    steering: Steering, regions: dict[str, Region]
) -> None:
    far = [
        each.model_copy(update={"planning_ms": 600.0}) if "tokyo" in each.between else each
        for each in regions["paris"].catalogue.latencies
    ]
    catalogue = regions["paris"].catalogue.model_copy(update={"latencies": tuple(far)})
    farther = {name: region.model_copy(update={"catalogue": catalogue}) for name, region in regions.items()}
    with pytest.raises(SpecError, match=r"2 s for a round trip of 600 ms"):
        plan_of(steering, farther)


def test_an_eu_service_that_lists_a_region_outside_the_union_is_refused_here_too(
    steering: Steering, regions: dict[str, Region]
) -> None:
    paris = regions["paris"]
    shop = next(tenant for tenant in paris.tenants if tenant.tenant == "shop")
    near = shop.services[0].model_copy(update={"sovereignty": Sovereignty.EU})
    tenants = tuple(t.model_copy(update={"services": (near,)}) if t is shop else t for t in paris.tenants)
    wrong = {**regions, "paris": paris.model_copy(update={"tenants": tenants})}
    with pytest.raises(SpecError) as caught:
        plan_of(steering, wrong)
    found = {p.found for p in caught.value.problems if p.rule == "steering-outside-union"}
    assert found == set(OUTSIDE)


def test_every_rule_of_the_steering_has_a_row_here() -> None:
    seeded = {rule for rule, *_ in FAULTS} | {"edge-health-timeout", "steering-outside-union"}
    assert seeded == set(ABOUT)
    assert len(RULES) >= 6


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("ttl_s: fast", "a whole number"),
        ("servers: []", "nothing has this key"),
        ("health: {path: healthz}", "does not have the right form"),
    ],
)
def test_a_file_that_is_wrong_in_itself_is_told_with_its_line(line: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "_steering.yaml"
    good = (REGIONS / "_steering.yaml").read_text()
    key = line.partition(":")[0]
    path.write_text("\n".join(each for each in good.splitlines() if not each.startswith(f"{key}:")) + f"\n{line}\n")
    with pytest.raises(SpecError) as caught:
        load_steering(path, root=tmp_path)
    assert says in str(caught.value)
    assert f"_steering.yaml:{len(path.read_text().splitlines())}:" in str(caught.value)


def test_without_the_file_one_reads_what_it_is_for(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"docs/guides/edges\.md"):
        load_steering(tmp_path / "_steering.yaml", root=tmp_path)


def test_the_inventory_gives_the_role_what_it_declares(plan: SteeringPlan) -> None:
    inventory = json.loads(dict(steering_files(plan))["inventory.json"])
    hosts = inventory["all"]["children"]["edge_dns"]["hosts"]
    assert list(hosts) == ["ns1", "ns2", "ns3"]
    assert [each["name"] for each in hosts["ns3"]["edge_dns_zones"]] == ["global.serve.internal"]
    assert hosts["ns1"]["edge_dns_config"] == dict(steering_files(plan))["ns1/config"]
