"""How the bounds of tenants are judged: each check has a good case and what breaks it."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

from components.checks.buckets import judge_bucket
from components.checks.result import Status
from components.checks.tenants import check_door, check_network, check_queue, check_rights
from components.plan import RegionPlan
from components.plan.tenancy.bucket import variables
from components.plan.tenancy.network import endpoints, policies, tenant_ports
from components.plan.tenancy.queues import cluster_queue_spec
from components.plan.tenants import TenantPlan
from components.spec.tenant import ApiKey, Person, PersonRole

DEMO = TenantPlan(name="demo", namespace="tenant-demo", pods=20, gpus=4, domain="demo.lab.internal")
GOOD = [{"type": "Programmed", "status": "True"}, {"type": "Active", "status": "True"}]


def found_policies(plan: RegionPlan) -> list[dict[str, Any]]:
    specs = policies(tenant_ports(plan, DEMO), endpoints(plan))
    return [{"metadata": {"name": name}, "spec": deepcopy(spec)} for name, spec in specs.items()]


def test_policies_as_planned_are_good(lab_plan: RegionPlan) -> None:
    assert check_network(lab_plan, DEMO, found_policies(lab_plan)).status is Status.OK


def test_a_policy_that_is_gone_is_told(lab_plan: RegionPlan) -> None:
    found = [p for p in found_policies(lab_plan) if p["metadata"]["name"] != "deny-all"]
    assert "deny-all is missing" in check_network(lab_plan, DEMO, found).found


def test_a_policy_that_somebody_added_is_told(lab_plan: RegionPlan) -> None:
    added: dict[str, Any] = {"metadata": {"name": "open"}, "spec": {"podSelector": {}, "egress": [{}]}}
    assert "open is nobody's" in check_network(lab_plan, DEMO, [*found_policies(lab_plan), added]).found


def test_a_policy_that_was_opened_is_told(lab_plan: RegionPlan) -> None:
    found = found_policies(lab_plan)
    deny = next(p for p in found if p["metadata"]["name"] == "deny-all")
    deny["spec"]["egress"] = [{}]
    assert "deny-all is not as planned" in check_network(lab_plan, DEMO, found).found
    found = found_policies(lab_plan)
    region = next(p for p in found if p["metadata"]["name"] == "to-region")
    region["spec"]["egress"][0]["ports"].append({"port": 6443, "protocol": "TCP"})
    assert "to-region is not as planned" in check_network(lab_plan, DEMO, found).found


def test_rights_are_those_of_the_tenants_file() -> None:
    tenant = replace(DEMO, people=(Person(name="dot@example.org", role=PersonRole.VIEWER),))
    bound = {"roleRef": {"name": "gpuregion-tenant-viewer"}, "subjects": [{"name": "dot@example.org"}]}
    assert check_rights(tenant, [bound]).status is Status.OK
    assert "dot@example.org lacks gpuregion-tenant-viewer" in check_rights(tenant, []).found
    stranger = {"roleRef": {"name": "cluster-admin"}, "subjects": [{"name": "eve@example.org"}]}
    assert "eve@example.org has cluster-admin" in check_rights(tenant, [bound, stranger]).found


def test_a_queue_is_active_and_promises_what_is_planned(lab_plan: RegionPlan) -> None:
    spec = cluster_queue_spec(DEMO, {"default": 4}, lab_plan.cluster.name)
    queue = {"spec": spec, "status": {"conditions": GOOD}}
    assert check_queue(lab_plan, DEMO, {"default": 4}, queue).status is Status.OK
    assert "not as planned" in check_queue(lab_plan, DEMO, {"default": 8}, queue).found
    assert "not there" in check_queue(lab_plan, DEMO, {"default": 4}, None).found


def test_a_tenants_listeners_are_guarded_by_its_keys() -> None:
    keyed = replace(DEMO, keys=(ApiKey(name="web", secret="file:web"),))
    listeners = {"status": {"conditions": GOOD}}
    policy = {"status": {"ancestors": [{"conditions": [{"type": "Accepted", "status": "True"}]}]}}
    assert check_door(DEMO, listeners, None, None).status is Status.OK
    assert check_door(keyed, listeners, policy, None).status is Status.OK
    assert "keys: not there" in check_door(keyed, listeners, None, None).found
    refused = {"status": {"ancestors": [{"conditions": [{"type": "Accepted", "status": "False"}]}]}}
    assert check_door(keyed, listeners, refused, None).status is Status.FAIL
    assert "listeners: not there" in check_door(DEMO, None, None, None).found


def test_a_rate_that_is_not_in_force_is_told() -> None:
    bounded = replace(DEMO, rate_limit_rps=10)
    assert "rate: not there" in check_door(bounded, {"status": {"conditions": GOOD}}, None, None).found


def test_a_tenants_key_opens_its_own_bucket_and_no_neighbours(lab_plan: RegionPlan) -> None:
    tenant = replace(DEMO, bucket="lab-tenant-demo")
    told = dict(variables(tenant.bucket, lab_plan.endpoints.s3))
    own, other = tenant.bucket, "lab-tenant-rival"
    assert judge_bucket(lab_plan, tenant, told, {own: True, other: False}).status is Status.OK
    assert judge_bucket(lab_plan, tenant, told, {own: True, other: None}).status is Status.OK, "not there yet"
    for found, says in (
        ({own: True, other: True}, "its key opens lab-tenant-rival, which is another tenant's"),
        ({own: False, other: False}, "its key does not open lab-tenant-demo"),
        ({own: None, other: False}, "lab-tenant-demo is not there"),
        ({own: "HTTP 500", other: False}, "lab-tenant-demo: HTTP 500"),
    ):
        assert says in judge_bucket(lab_plan, tenant, told, found).found
    assert "no Secret" in judge_bucket(lab_plan, tenant, {}, {}).found
    elsewhere = {**told, "AWS_ENDPOINT_URL_S3": "https://elsewhere"}
    assert "tells another AWS_ENDPOINT_URL_S3" in judge_bucket(lab_plan, tenant, elsewhere, {own: True}).found
