"""What keeps a tenant apart: quota, rights, network policies, queues, its place at the gateway."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from components.plan import RegionPlan
from components.plan.tenancy.gateway import (
    KEY_HEADERS,
    PROXIES,
    keys_spec,
    listener_set_spec,
    parent_reference,
    repeats_filter,
    service_url,
    traffic_spec,
)
from components.plan.tenancy.network import Outside, endpoints, policies, tenant_ports
from components.plan.tenancy.queues import cluster_queue_spec, flavor_labels, gpu_pools, shares
from components.plan.tenancy.quota import limits_spec, quota_spec
from components.plan.tenancy.rights import binding, binding_name, role_name, role_rules
from components.plan.tenants import TenantPlan
from components.runtime.objects_routes import route_spec
from components.spec.service import Service
from components.spec.tenant import ApiKey, Person, PersonRole
from tests.regions import ROOT

DEMO = TenantPlan(name="demo", namespace="tenant-demo", pods=20, gpus=4, domain="demo.lab.internal")
RIVAL = replace(DEMO, name="rival", namespace="tenant-rival", domain="rival.lab.internal")
KEYED = replace(DEMO, keys=(ApiKey(name="web", secret="file:.lab/secrets/web"),))
PEOPLE = replace(
    DEMO,
    people=(
        Person(name="ada@example.org", role=PersonRole.ADMIN),
        Person(name="dan@example.org", role=PersonRole.DEVELOPER),
        Person(name="dot@example.org", role=PersonRole.DEVELOPER),
    ),
)


def may(role: PersonRole, verb: str, resource: str, group: str = "") -> bool:
    return any(
        group in rule["apiGroups"] and resource in rule["resources"] and verb in rule["verbs"]
        for rule in role_rules(role)
    )


def test_a_quota_is_what_is_promised_and_what_jobs_may_borrow() -> None:
    hard = quota_spec(replace(DEMO, borrow_gpus=2), "gpu")["hard"]
    assert hard["gpu.deviceclass.resource.k8s.io/devices"] == "6"
    assert hard["pods"] == hard["count/resourceclaims.resource.k8s.io"] == "20"


def test_a_tenant_opens_no_ports_of_hosts_and_no_addresses_from_outside() -> None:
    hard = quota_spec(DEMO, "gpu")["hard"]
    assert (hard["services.loadbalancers"], hard["services.nodeports"]) == ("0", "0")


def test_cores_and_memory_are_bounded_where_the_description_bounds_them() -> None:
    assert "requests.cpu" not in quota_spec(DEMO, "gpu")["hard"]
    hard = quota_spec(replace(DEMO, cpu=8, memory_gib=32), "gpu")["hard"]
    assert (hard["requests.cpu"], hard["requests.memory"]) == ("8", "32Gi")


def test_a_pod_that_asks_for_nothing_fits_a_quota_of_cores() -> None:
    (limit,) = limits_spec()["limits"]
    assert limit["type"] == "Container"
    assert set(limit["defaultRequest"]) == {"cpu", "memory"}


@pytest.mark.parametrize("role", [PersonRole.DEVELOPER, PersonRole.VIEWER])
@pytest.mark.parametrize("verb", ["get", "list", "watch"])
def test_developers_and_viewers_never_read_secrets(role: PersonRole, verb: str) -> None:
    assert may(PersonRole.ADMIN, verb, "secrets")
    assert not may(role, verb, "secrets")


@pytest.mark.parametrize("role", [PersonRole.DEVELOPER, PersonRole.VIEWER])
def test_nobody_but_an_admin_enters_pods_or_gives_rights(role: PersonRole) -> None:
    assert may(PersonRole.ADMIN, "create", "pods/exec")
    assert may(PersonRole.ADMIN, "create", "rolebindings", "rbac.authorization.k8s.io")
    assert not may(role, "create", "pods/exec")
    assert not may(role, "create", "rolebindings", "rbac.authorization.k8s.io")


def test_a_viewer_changes_nothing() -> None:
    assert {verb for rule in role_rules(PersonRole.VIEWER) for verb in rule["verbs"]} == {"get", "list", "watch"}


def test_a_developer_deploys() -> None:
    assert may(PersonRole.DEVELOPER, "create", "deployments", "apps")
    assert may(PersonRole.DEVELOPER, "create", "jobs", "batch")


@pytest.mark.parametrize(
    ("resource", "group"),
    [
        ("services", ""),
        ("resourcequotas", ""),
        ("limitranges", ""),
        ("networkpolicies", "networking.k8s.io"),
        ("httproutes", "gateway.networking.k8s.io"),
        ("localqueues", "kueue.x-k8s.io"),
    ],
)
def test_nobody_of_a_tenant_writes_what_bounds_it_or_reaches_beyond_it(resource: str, group: str) -> None:
    for role in PersonRole:
        assert may(role, "get", resource, group)
        assert not {"create", "update", "patch", "delete"} & {
            verb
            for rule in role_rules(role)
            if group in rule["apiGroups"] and resource in rule["resources"]
            for verb in rule["verbs"]
        }


def test_no_role_names_everything() -> None:
    assert "*" not in {w for role in PersonRole for rule in role_rules(role) for key in rule for w in rule[key]}


def test_each_person_has_the_role_of_the_tenants_file() -> None:
    bound = binding(PEOPLE, PersonRole.DEVELOPER)
    assert [subject["name"] for subject in bound["subjects"]] == ["dan@example.org", "dot@example.org"]
    assert bound["role_ref"]["name"] == role_name(PersonRole.DEVELOPER)
    assert binding_name(PEOPLE, PersonRole.VIEWER) is None


def test_a_tenant_begins_with_everything_refused() -> None:
    deny = policies((8080,), ())["deny-all"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_a_tenants_pods_are_called_by_its_own_and_by_the_platform_on_service_ports_only() -> None:
    found = policies((8080,), ())
    sources = [source for spec in found.values() for rule in spec.get("ingress", ()) for source in rule["from"]]
    named = {
        s["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        for s in sources
        if "namespaceSelector" in s
    }
    assert named == {"keda", "envoy-gateway-system", "metrics"}
    (rule,) = found["from-platform"]["ingress"]
    assert rule["ports"] == [{"port": 8080, "protocol": "TCP"}]
    assert {"podSelector": {}} in sources, "its own pods, of its own namespace"


def test_a_tenant_without_services_is_called_by_nobody_else() -> None:
    assert "from-platform" not in policies((), ())


def egress(specs: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [rule for spec in specs.values() for rule in spec.get("egress", ())]


def test_pods_reach_names_the_front_door_the_caches_of_weights_and_two_endpoints_of_the_region() -> None:
    store = Outside(name="s3", address="172.30.0.1", port=7070)
    rules = egress(policies((8080,), (store,)))
    assert {"to": [{"ipBlock": {"cidr": "172.30.0.1/32"}}], "ports": [{"port": 7070, "protocol": "TCP"}]} in rules
    namespaces = {
        peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        for rule in rules
        for peer in rule["to"]
        if "namespaceSelector" in peer
    }
    allowed = {"kube-system", "envoy-gateway-system", "weights-cache"}
    assert namespaces == allowed, "not the interceptor, which asks for no key"
    assert all(rule.get("ports") for rule in rules if rule["to"] != [{"podSelector": {}}]), (
        "never a host with all its ports"
    )


def test_of_the_labs_services_only_registry_and_object_store_stand_open(lab_plan: RegionPlan) -> None:
    assert {(o.address, o.port) for o in endpoints(lab_plan)} == {("172.30.0.1", port) for port in (5000, 5001, 7070)}
    ironic = lab_plan.endpoints.ironic.rpartition(":")[2]
    assert int(ironic) not in {o.port for o in endpoints(lab_plan)}


def test_ports_are_those_of_the_tenants_own_services(lab_plan: RegionPlan) -> None:
    (demo,) = (t for t in lab_plan.cluster.tenants if t.name == "demo")
    assert tenant_ports(lab_plan, demo) == (8080,)
    assert tenant_ports(lab_plan, replace(demo, name="nobody")) == ()


def test_promises_of_all_tenants_fit_each_pool_and_add_up() -> None:
    tenants = (replace(DEMO, gpus=5), replace(RIVAL, gpus=3))
    pools = {"l4": 3, "b200": 5}
    given = shares(tenants, pools)
    assert {name: sum(share.values()) for name, share in given.items()} == {"demo": 5, "rival": 3}
    assert {pool: sum(share[pool] for share in given.values()) for pool in pools} == pools


def test_flavors_are_the_pools_of_the_fleet_with_the_label_of_their_hosts(lab_plan: RegionPlan) -> None:
    assert gpu_pools(lab_plan) == {"nspawn-rack": 4, "nspawn-rack-large": 4}
    labels = flavor_labels(gpu_pools(lab_plan))
    assert labels["nspawn-rack-large"] == {"gpuregion.dev/gpu-pool": "nspawn-rack-large"}


def test_what_is_borrowed_is_taken_back_when_its_owner_asks() -> None:
    spec = cluster_queue_spec(replace(DEMO, borrow_gpus=2), {"default": 4}, "lab")
    assert spec["cohortName"] == "lab"
    assert spec["preemption"]["reclaimWithinCohort"] == "Any"
    (gpus,) = spec["resourceGroups"][1]["flavors"][0]["resources"]
    assert (gpus["nominalQuota"], gpus["borrowingLimit"]) == ("4", "2")


def test_nobody_borrows_unless_the_description_says_so() -> None:
    spec = cluster_queue_spec(DEMO, {"default": 4}, "lab")
    limits = {r["borrowingLimit"] for g in spec["resourceGroups"] for f in g["flavors"] for r in f["resources"]}
    assert limits == {"0"}


def test_a_queue_is_open_to_its_own_namespace() -> None:
    selector = cluster_queue_spec(DEMO, {"default": 4}, "lab")["namespaceSelector"]
    assert selector == {"matchLabels": {"gpuregion.dev/tenant": "tenant-demo"}}


def test_each_flavor_names_the_same_resources_in_the_same_order_as_its_group() -> None:
    for group in cluster_queue_spec(DEMO, {"l4": 1, "b200": 3}, "lab")["resourceGroups"]:
        for flavor in group["flavors"]:
            assert [r["name"] for r in flavor["resources"]] == group["coveredResources"]


def test_a_tenants_names_are_its_own_at_the_gateway() -> None:
    for listener in listener_set_spec(DEMO, "front")["listeners"]:
        assert listener["hostname"] == "*.demo.lab.internal"
        selector = listener["allowedRoutes"]["namespaces"]["selector"]
        assert selector == {"matchLabels": {"gpuregion.dev/tenant": "tenant-demo"}}


def test_keys_travel_over_tls_only() -> None:
    assert [listener["protocol"] for listener in listener_set_spec(KEYED, "front")["listeners"]] == ["HTTPS"]
    assert [listener["protocol"] for listener in listener_set_spec(DEMO, "front")["listeners"]] == ["HTTP", "HTTPS"]


def test_keys_open_the_listeners_of_their_tenant_and_go_no_further() -> None:
    spec = keys_spec(KEYED)
    assert spec["targetRefs"] == [{"group": "gateway.networking.k8s.io", "kind": "ListenerSet", "name": "demo"}]
    auth = spec["apiKeyAuth"]
    assert auth["credentialRefs"] == [{"group": "", "kind": "Secret", "name": "demo-keys"}]
    assert auth["sanitize"] is True
    assert auth["extractFrom"] == [{"headers": list(KEY_HEADERS)}]


def test_all_proxies_together_let_the_rate_through() -> None:
    (rule,) = traffic_spec(replace(DEMO, rate_limit_rps=10))["rateLimit"]["local"]["rules"]
    assert rule["limit"] == {"requests": 5, "unit": "Second"}


def test_a_request_of_any_method_is_offered_again_where_nothing_of_it_was_sent() -> None:
    spec = traffic_spec(DEMO)
    assert "rateLimit" not in spec, "a tenant without a rate has none"
    assert set(spec["retry"]["retryOn"]["triggers"]) == {"connect-failure", "refused-stream", "reset-before-request"}
    assert "timeout" not in spec["retry"]["perRetry"], "a request may wait for a start, or stream, for long"


def test_one_rule_says_by_method_what_is_offered_again_so_the_rate_is_counted_once(lab_plan: RegionPlan) -> None:
    service = next(s for s in lab_plan.runtime.services if s.name == "hello-gpu")
    (rule,) = route_spec(service, "front", "gateway")["rules"]
    assert rule["filters"] == [repeats_filter(service)]
    assert "matches" not in rule
    assert repeats_filter(replace(service, is_repeatable=True)) != repeats_filter(service)


def test_requests_of_a_model_may_be_worked_on_twice_and_others_where_their_service_says_so() -> None:
    assert not Service(name="a", image="a").is_repeatable
    assert Service(name="a", model="a").is_repeatable
    assert Service(name="a", image="a", repeatable=True).is_repeatable
    assert not Service(name="a", model="a", repeatable=False).is_repeatable
    with pytest.raises(ValidationError):
        Service.model_validate({"name": "a", "repeatable": "yes"})


def test_the_role_makes_as_many_proxies_as_the_rate_is_shared_by() -> None:
    defaults = yaml.safe_load((ROOT / "playbooks/roles/envoy_gateway/defaults/main.yml").read_text())
    assert defaults["envoy_gateway_proxies"] == PROXIES


def test_a_route_attaches_to_its_own_tenants_listeners(lab_plan: RegionPlan) -> None:
    service = next(s for s in lab_plan.runtime.services if s.tenant == "demo")
    assert parent_reference(service)["name"] == "demo"
    assert service_url(service).startswith("http://")
    assert service_url(replace(service, has_keys=True)).startswith("https://")
