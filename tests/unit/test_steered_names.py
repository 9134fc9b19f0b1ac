"""A service of several regions at each region's gateway: both of its names, with all that guards the first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from components.checks.tenants import check_door
from components.plan import RegionPlan
from components.plan.edges import SteeringPlan
from components.plan.tenancy.gateway import (
    certificate_names,
    domains,
    keys_spec,
    listener_set_name,
    listener_set_spec,
    traffic_spec,
)
from components.plan.tenancy.steered import steered_domain_of, steered_domains
from components.plan.tenants import ServicePlan, TenantPlan
from components.runtime.objects_routes import interceptor_route_spec, route_spec
from components.runtime.tenant_gateway import TenantGateway, TenantGatewayArgs
from components.spec import Region
from components.spec.service import Sovereignty
from components.spec.services import services_here
from components.spec.tenant import ApiKey
from tests.edge_world import all_regions, plan_of, planned, project, steering_of
from tests.pulumi_mocks import declare

NEAR, OURS = "near.shop.global.serve.internal", "ours.shop.eu.serve.internal"
KEYS = (ApiKey(name="web", secret="file:web"),)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("edges"))


@pytest.fixture(scope="module")
def regions(folder: Path) -> dict[str, Region]:
    return all_regions(folder)


@pytest.fixture(scope="module")
def plans(regions: dict[str, Region]) -> dict[str, RegionPlan]:
    return {name: planned(region) for name, region in regions.items()}


def services(plan: RegionPlan) -> dict[str, ServicePlan]:
    return {service.name: service for service in plan.runtime.services if service.tenant == "shop"}


def shop(plan: RegionPlan) -> TenantPlan:
    return next(tenant for tenant in plan.cluster.tenants if tenant.name == "shop")


def test_each_region_of_a_service_answers_to_the_name_that_the_name_servers_give(
    folder: Path, regions: dict[str, Region], plans: dict[str, RegionPlan]
) -> None:
    steering: SteeringPlan = plan_of(steering_of(folder), regions)
    for steered in steering.services:
        for name in steering.pool(steered.pool).regions:
            assert services(plans[name])[steered.service].steered_host == steered.host
    every = {service.steered_host for plan in plans.values() for service in services(plan).values()}
    assert every == {steered.host for steered in steering.services} | {None}, "alone is of Paris only"


def test_a_route_and_what_wakes_the_service_know_both_of_its_names(plans: dict[str, RegionPlan]) -> None:
    near = services(plans["tokyo"])["near"]
    both = [near.host, NEAR]
    assert near.host.endswith(f".shop.{plans['tokyo'].domain}")
    assert route_spec(near, "front", "gateway")["hostnames"] == both
    assert interceptor_route_spec(near)["rules"][0]["hosts"] == both


def test_a_service_of_one_region_and_every_service_of_a_region_that_is_no_edge_have_one_name(
    plans: dict[str, RegionPlan], regions: dict[str, Region], lab_plan: RegionPlan
) -> None:
    alone = services(plans["paris"])["alone"]
    assert route_spec(alone, "front", "gateway")["hostnames"] == [alone.host]
    assert all(service.steered_host is None for service in lab_plan.runtime.services)
    assert all(not tenant.steered for tenant in lab_plan.cluster.tenants)
    left = planned(regions["tokyo"].model_copy(update={"steering": None}))
    assert services(left)["near"].hosts == (services(left)["near"].host,)
    assert not shop(left).steered


def test_outside_the_union_no_gateway_has_a_name_of_class_eu_nor_a_certificate_for_it(
    plans: dict[str, RegionPlan], regions: dict[str, Region]
) -> None:
    assert domains(shop(plans["paris"])) == {
        "": f"shop.{plans['paris'].domain}",
        "-eu": "shop.eu.serve.internal",
        "-global": "shop.global.serve.internal",
    }
    assert "-eu" not in domains(shop(plans["tokyo"]))
    tokyo = regions["tokyo"]
    near = next(placed for placed in services_here(tokyo) if placed.service.name == "near")
    assert steered_domain_of(tokyo, near)
    wrong = near.service.model_copy(update={"sovereignty": Sovereignty.EU})
    tenant = near.tenant.model_copy(update={"services": (wrong,)})
    broken = tokyo.model_copy(update={"tenants": (tenant,)})  # as if no rule had refused it
    (placed,) = services_here(broken)
    assert placed.is_steered
    assert steered_domain_of(broken, placed) is None
    assert steered_domains(broken, tenant) == ()


def test_steered_names_have_the_keys_and_the_rate_of_their_tenant(plans: dict[str, RegionPlan]) -> None:
    keyed = replace(shop(plans["paris"]), keys=KEYS, rate_limit_rps=10)
    listeners = listener_set_spec(keyed, "front")["listeners"]
    assert [each["name"] for each in listeners] == ["https", "https-eu", "https-global"], "and no plain HTTP"
    target = {"group": "gateway.networking.k8s.io", "kind": "ListenerSet", "name": listener_set_name("shop")}
    for policy in (keys_spec(keyed), traffic_spec(keyed)):
        assert policy["targetRefs"] == [target], "all listeners of the set, whatever their names"


def test_each_domain_has_a_listener_with_a_certificate_that_is_for_no_other(plans: dict[str, RegionPlan]) -> None:
    tenant = shop(plans["paris"])
    args = TenantGatewayArgs(
        tenant=tenant, gateway="front", keys={}, ca_certificate="file:ca", ca_key="file:key", region="paris"
    )
    seen = declare(lambda: TenantGateway("shop-gateway", args))
    listeners = seen["shop-gateway-listeners"]
    secure = [each for each in listeners.inputs["spec"]["listeners"] if each["protocol"] == "HTTPS"]
    assert len(secure) == 3
    for ending, domain in domains(tenant).items():
        assert seen[f"shop-gateway-certificate{ending}"].inputs["names"] == certificate_names(domain)
        (listener,) = [each for each in secure if each["hostname"] == f"*.{domain}"]
        (reference,) = listener["tls"]["certificateRefs"]
        assert seen[f"shop-gateway-tls{ending}"].inputs["metadata"]["name"] == reference["name"]
        assert f"shop-gateway-tls{ending}" in listeners.depends_on, "it is there before its listener"


def test_the_check_of_a_tenants_door_names_all_that_it_opens(plans: dict[str, RegionPlan]) -> None:
    good = {"status": {"conditions": [{"type": "Programmed", "status": "True"}]}}
    assert "*.shop.eu.serve.internal" in check_door(shop(plans["paris"]), good, None, None).expected
