"""Isolation of tenants, by attack, on the lab; on the one that is up, or on one of its own.

The attacker is the lab's tenant `demo`, as Pulumi declared it. Its victims are two tenants that this module makes from
the plan and removes at the end. Each attack is tried a second time from where the rule does not hold: it works there,
so it is the rule that refuses it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from components.checks.pod_network import IMAGE, PORT
from components.clients.s3 import S3Access, anonymous_client, s3_client
from components.plan import RegionPlan
from components.plan.model import TrayRole
from components.plan.serving import GATEWAY_NAMESPACE, INTERCEPTOR_PORT, INTERCEPTOR_SERVICE, KEDA_NAMESPACE
from components.plan.tenancy.rights import binding, role_name
from components.plan.tenants import TenantPlan
from components.spec.tenant import ApiKey, Person, PersonRole
from stacks.description import describe, refuse_unready
from tests.e2e import buckets, runbooks, tenants
from tests.e2e.process import run
from tests.e2e.services import region_up

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

ATTACKER = "tenant-demo"
NAMED, FREE = "tenant-rival", "isolation-control"
PEOPLE = (
    Person(name="ada@rival.example", role=PersonRole.ADMIN),
    Person(name="dan@rival.example", role=PersonRole.DEVELOPER),
)
KEYS = (ApiKey(name="tester", secret="file:none"),)
ATTACKS = (
    "another tenant's pod",
    "another tenant's service",
    "the API server",
    "a kubelet",
    "a host's SSH",
    "a BMC",
    "a switch's SSH",
    "Ironic",
    "deploy images",
    "the interceptor, past the gateway",
)
OUT_OF_BAND = ("a BMC", "a switch's SSH", "Ironic", "deploy images")
"""No pod has a way there, whatever policies say: the way is the hosts' own, and pods go in their name to the registry
and the object store alone. So the control is made from a host."""
ALLOWED = ("the gateway", "the object store", "the registry")


def rival(name: str, rate: int | None, domain: str) -> tenants.Rival:
    plan = TenantPlan(
        name=name,
        namespace=NAMED,
        pods=20,
        gpus=2,
        domain=f"{name}.{domain}",
        people=PEOPLE,
        keys=KEYS,
        rate_limit_rps=rate,
    )
    return tenants.Rival(tenant=plan)


def is_up() -> bool:
    """Whether a lab is up, with the attacker in it."""
    done = run("kubectl", "get", "httproutes", "-n", ATTACKER, "--request-timeout=10s", expect=range(256))
    return done.returncode == 0 and "hello-gpu" in done.stdout


@pytest.fixture(scope="module")
def lab_plan() -> Iterator[RegionPlan]:
    """A lab that is up, with the images that are published in it; removed at the end if it was not there before."""
    with region_up(is_there=is_up()):
        described = describe("lab")
        refuse_unready(described)
        yield described.plan


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("isolation")


@pytest.fixture(scope="module")
def rivals(lab_plan: RegionPlan, folder: Path) -> Iterator[dict[str, tenants.Rival]]:
    """`rival`, which lets four requests a second through, and `third`, which has another key and no such bound."""
    made = {name: rival(name, rate, lab_plan.domain) for name, rate in (("rival", 4), ("third", None))}
    doors = ("listenersets.gateway.networking.k8s.io", "securitypolicies.gateway.envoyproxy.io", "secrets")
    with tenants.removed(
        ("namespace", NAMED, FREE),
        ("clusterqueue", NAMED),
        *(
            ("-n", GATEWAY_NAMESPACE, kind, *(f"{name}{end}" for name in made for end in ends))
            for kind, ends in (*((k, ("",)) for k in doors[:2]), (doors[2], ("-tls", "-keys")))
        ),
        ("-n", GATEWAY_NAMESPACE, "backendtrafficpolicies.gateway.envoyproxy.io", "rival"),
    ):
        tenants.apply(folder, [tenants.namespace(FREE), *tenants.tenant_objects(lab_plan, made["rival"])])
        for each in made.values():
            tenants.apply(folder, tenants.door_objects(lab_plan, each))
        tenants.kubectl("-n", NAMED, "wait", "--for=condition=Ready", "pod/echo", "--timeout=90s")
        yield made


@pytest.fixture(scope="module")
def client(lab_plan: RegionPlan, rivals: dict[str, tenants.Rival]) -> Iterator[tenants.Client]:
    found = tenants.Client(lab_plan)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not all(found.status(r.host, r.key) == 200 for r in rivals.values()):
        time.sleep(1)
    yield found
    found.close()


def targets(plan: RegionPlan) -> dict[str, str]:
    pod = tenants.read("-n", NAMED, "pod", "echo")["status"]["podIP"]
    service = tenants.read("-n", NAMED, "service", "echo")["spec"]["clusterIP"]
    worker = next(h for h in plan.deployed_hosts if h.role is TrayRole.GPU_WORKER)
    switch = plan.fabric.switches[0].oob_address
    urls = (
        f"http://{pod}:{PORT}/healthz",
        f"http://{service}:{PORT}/healthz",
        "https://kubernetes.default.svc/healthz",
        f"https://{worker.loopback}:10250/healthz",
        f"http://{worker.loopback}:22/",
        worker.bmc_url,
        f"http://{switch}:22/",
        plan.endpoints.ironic,
        plan.endpoints.images,
        f"http://{INTERCEPTOR_SERVICE}.{KEDA_NAMESPACE}:{INTERCEPTOR_PORT}/",
        f"http://{plan.runtime.gateway_vip}/",
        plan.endpoints.s3,
        f"https://{plan.endpoints.address}:{plan.endpoints.registry.rpartition(':')[2]}/v2/",
    )
    return dict(zip((*ATTACKS, *ALLOWED), urls, strict=True))


@pytest.fixture(scope="module")
def found(lab_plan: RegionPlan, folder: Path, rivals: dict[str, tenants.Rival]) -> dict[str, tuple[str, str]]:
    """Target -> what a pod of the attacker found, and one of a namespace without rules."""
    named = targets(lab_plan)
    attacked = tenants.reach(folder, lab_plan, ATTACKER, list(named.values()))
    # the victim's own rules refuse everybody, so what they guard is tried from inside the victim
    inside = [named[a] for a in ATTACKS[:2]]
    outside = [named[a] for a in OUT_OF_BAND]
    free = tenants.reach(folder, lab_plan, FREE, [url for url in named.values() if url not in (*inside, *outside)])
    free |= {url: tenants.reach_from_host(lab_plan, url) for url in outside}
    free |= tenants.reach(folder, lab_plan, NAMED, inside)
    for target, url in named.items():
        print(f"{target}: attacker: {attacked[url]}; control: {free[url]}")
    return {target: (attacked[url], free[url]) for target, url in named.items()}


@pytest.mark.parametrize("target", ATTACKS)
def test_a_tenants_pod_does_not_reach(target: str, found: dict[str, tuple[str, str]]) -> None:
    attacked, control = found[target]
    assert tenants.is_reached(control), f"without the rule it would work; there: {control}"
    assert not tenants.is_reached(attacked), attacked


@pytest.mark.parametrize("target", ALLOWED)
def test_a_tenants_pod_does_reach(target: str, found: dict[str, tuple[str, str]]) -> None:
    assert tenants.is_reached(found[target][0]), found[target][0]


def can(person: str, verb: str, what: str, where: str) -> bool:
    return tenants.kubectl("auth", "can-i", verb, what, "-n", where, "--as", person, expect=(0, 1)).startswith("yes")


def test_people_act_in_their_own_tenant_and_only_admins_read_secrets(
    folder: Path, rivals: dict[str, tenants.Rival]
) -> None:
    for role in (PersonRole.ADMIN, PersonRole.DEVELOPER):
        bound = binding(rivals["rival"].tenant, role)
        body = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": role_name(role), "namespace": NAMED},
            "roleRef": bound["role_ref"],
            "subjects": bound["subjects"],
        }
        tenants.apply(folder, [body])
    ada, dan = (person.name for person in PEOPLE)
    assert can(ada, "get", "secrets", NAMED), "control: an admin of the tenant"
    assert not can(ada, "get", "secrets", ATTACKER)
    assert not can(ada, "get", "secrets", GATEWAY_NAMESPACE), "keys and certificates are out of tenants' reach"
    assert can(dan, "create", "deployments.apps", NAMED), "control: a developer deploys"
    assert not can(dan, "get", "secrets", NAMED)
    assert not can(dan, "create", "deployments.apps", ATTACKER)
    assert not can(ada, "create", "services", NAMED), "external addresses would catch others' requests"


def claim(where: str, devices: int, device_class: str, *, admin: bool = False) -> tenants.Object:
    exactly: dict[str, Any] = {"deviceClassName": device_class, "count": devices} | (
        {"adminAccess": True} if admin else {}
    )
    spec = {"devices": {"requests": [{"name": "gpu", "exactly": exactly}]}}
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaim",
        "metadata": {"name": "too-much", "namespace": where},
        "spec": spec,
    }


def test_a_tenant_claims_no_more_gpus_than_promised(lab_plan: RegionPlan, folder: Path, rivals: object) -> None:
    device_class = lab_plan.cluster.device_class
    assert "exceeded quota" in tenants.attempt(folder, claim(ATTACKER, 5, device_class))
    assert tenants.attempt(folder, claim(FREE, 5, device_class)) == ""


def test_a_tenant_looks_into_nobody_elses_devices(lab_plan: RegionPlan, folder: Path, rivals: object) -> None:
    device_class = lab_plan.cluster.device_class
    refused = tenants.attempt(folder, claim(ATTACKER, 1, device_class, admin=True))
    assert "admin" in refused
    tenants.kubectl("label", "namespace", FREE, "resource.kubernetes.io/admin-access=true")
    assert tenants.attempt(folder, claim(FREE, 1, device_class, admin=True)) == ""


def test_a_tenant_opens_no_port_of_the_hosts(folder: Path, rivals: object) -> None:
    def service(where: str) -> tenants.Object:
        spec = {"type": "NodePort", "ports": [{"port": 80}], "selector": {"a": "b"}}
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "open", "namespace": where}, "spec": spec}

    assert "exceeded quota" in tenants.attempt(folder, service(ATTACKER))
    assert tenants.attempt(folder, service(FREE)) == ""


@pytest.mark.parametrize(
    "spec",
    [
        {"hostNetwork": True},
        {"hostPID": True},
        {"volumes": [{"name": "root", "hostPath": {"path": "/"}}]},
        {"securityContext": {"runAsUser": 0, "runAsNonRoot": False, "seccompProfile": {"type": "RuntimeDefault"}}},
    ],
    ids=["network", "processes", "files", "root"],
)
def test_a_tenants_pod_has_nothing_of_its_host(
    spec: dict[str, Any], lab_plan: RegionPlan, folder: Path, rivals: object
) -> None:
    image = lab_plan.cluster.image(IMAGE).reference
    assert "violates PodSecurity" in tenants.attempt(folder, tenants.pod("host", ATTACKER, image, [], {}, **spec))
    assert tenants.attempt(folder, tenants.pod("host", FREE, image, [], {}, **spec)) == ""


def test_a_tenant_does_not_wait_in_anothers_queue(lab_plan: RegionPlan, folder: Path, rivals: object) -> None:
    def job(where: str, queue: str) -> tenants.Object:
        pod = tenants.pod("x", where, lab_plan.cluster.image(IMAGE).reference, ["reach", "http://127.0.0.1:1/"], {})
        pod["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "10m", "memory": "16Mi"}}
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "queued", "namespace": where, "labels": {"kueue.x-k8s.io/queue-name": queue}},
            "spec": {"suspend": True, "backoffLimit": 0, "template": {"spec": pod["spec"]}},
        }

    with tenants.removed(("-n", ATTACKER, "job", "queued"), ("-n", ATTACKER, "localqueue", "stolen")):
        stolen = {
            "apiVersion": "kueue.x-k8s.io/v1beta2",
            "kind": "LocalQueue",
            "metadata": {"name": "stolen", "namespace": ATTACKER},
            "spec": {"clusterQueue": NAMED},
        }
        tenants.apply(folder, [stolen, job(ATTACKER, "stolen"), job(NAMED, "tenant")])
        deadline = time.monotonic() + 30
        while tenants.read("-n", NAMED, "job", "queued")["spec"]["suspend"] and time.monotonic() < deadline:
            time.sleep(0.5)
        assert not tenants.read("-n", NAMED, "job", "queued")["spec"]["suspend"], "control: its own tenant's job starts"
        time.sleep(2)
        assert tenants.read("-n", ATTACKER, "job", "queued")["spec"]["suspend"]


def test_only_a_tenants_own_key_opens_its_services(client: tenants.Client, rivals: dict[str, tenants.Rival]) -> None:
    own, other = rivals["rival"], rivals["third"]
    assert client.status(own.host, own.key) == 200, "control"
    assert client.status(other.host, other.key) == 200, "control: the other key is good where it belongs"
    time.sleep(1)  # the rate
    assert client.status(own.host) == 401
    assert client.status(own.host, other.key) == 401
    assert client.status(own.host, other.key, sni=other.host) != 200, "another tenant's TLS name does not help"


def test_a_key_is_never_asked_for_in_clear(client: tenants.Client, rivals: dict[str, tenants.Rival]) -> None:
    third = rivals["third"]
    assert client.status(third.host, third.key) == 200, "control: over TLS"
    assert client.status(third.host, third.key, scheme="http") == 404


def test_requests_beyond_the_rate_are_refused(client: tenants.Client, rivals: dict[str, tenants.Rival]) -> None:
    def statuses(rival: tenants.Rival) -> list[int]:
        return [client.status(rival.host, rival.key) for _ in range(20)]

    assert set(statuses(rivals["third"])) == {200}, "control: no rate, no refusal"
    bounded = statuses(rivals["rival"])
    assert 429 in bounded
    assert set(bounded) <= {200, 429}


def test_a_tenant_takes_no_names_of_another(
    folder: Path, client: tenants.Client, rivals: dict[str, tenants.Rival]
) -> None:
    third = rivals["third"]
    parent = {
        "group": "gateway.networking.k8s.io",
        "kind": "ListenerSet",
        "name": "third",
        "namespace": GATEWAY_NAMESPACE,
    }
    with tenants.removed(("-n", ATTACKER, "httproute", "stolen")):
        tenants.apply(folder, [tenants.route("stolen", ATTACKER, third.host, parent)])
        tenants.kubectl(
            "-n", ATTACKER, "wait", "httproute/stolen", "--for=jsonpath={.status.parents[0].conditions[0].type}"
        )
        (parents,) = tenants.read("-n", ATTACKER, "httproute", "stolen")["status"]["parents"]
        accepted = next(c for c in parents["conditions"] if c["type"] == "Accepted")
    assert (accepted["status"], accepted["reason"]) == ("False", "NotAllowedByListeners")
    own = tenants.read("-n", NAMED, "httproute", "third")["status"]["parents"][0]["conditions"]
    assert next(c for c in own if c["type"] == "Accepted")["status"] == "True", "control: its own route is taken"


@pytest.fixture(scope="module")
def bucket_keys(lab_plan: RegionPlan, folder: Path, rivals: object) -> Iterator[dict[str, S3Access]]:
    """Namespace -> what its pods are given: the attacker's as Pulumi made it, the victim's as this module does."""
    tenants.apply(folder, [tenants.authority(lab_plan, NAMED)])
    with buckets.made(lab_plan, "rival") as victim, buckets.given(lab_plan, ATTACKER) as attacker:
        yield {NAMED: victim, ATTACKER: attacker}


def test_a_tenants_pod_opens_its_own_bucket_and_no_other(
    lab_plan: RegionPlan, folder: Path, bucket_keys: dict[str, S3Access]
) -> None:
    attacker, victim = bucket_keys[ATTACKER], bucket_keys[NAMED]
    own, theirs = buckets.signed(attacker, attacker.access_key), buckets.signed(attacker, victim.access_key)
    answers = tenants.reach(folder, lab_plan, ATTACKER, [*own, *theirs], as_made=tenants.trusting)
    assert {answers[url] for url in own} == {"ok"}, "control: the attacker's own key opens its own bucket, from its pod"
    opened = buckets.signed(victim, victim.access_key)
    control = tenants.reach(folder, lab_plan, NAMED, opened, as_made=tenants.trusting)
    assert {control[url] for url in opened} == {"ok"}, "control: the victim's key opens it, from the victim's pod"
    assert {answers[url] for url in theirs} == {"403 Forbidden"}
    bare = {url: url.partition("?")[0] for url in theirs}
    unsigned = tenants.reach(folder, lab_plan, ATTACKER, list(bare.values()), as_made=tenants.trusting)
    assert set(unsigned.values()) == {"403 Forbidden"}, "nor without a key"


def test_the_object_store_shows_nothing_without_a_key(lab_plan: RegionPlan) -> None:
    access = buckets.operator(lab_plan)
    owner, stranger = s3_client(access), anonymous_client(access)
    state = "isolation-state"
    owner.create_bucket(Bucket=state)
    try:
        owner.put_object(Bucket=state, Key="state", Body=b"x")
        assert owner.get_object(Bucket=state, Key="state")["Body"].read() == b"x", "control: the operator's key"
        for call in (
            lambda: stranger.get_object(Bucket=state, Key="state"),
            lambda: stranger.list_objects_v2(Bucket=state),
        ):
            with pytest.raises(ClientError) as refused:
                call()
            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (401, 403)
        # it may hang up on a body that it refuses; what counts is that nothing was written
        with pytest.raises((ClientError, BotoCoreError)):
            stranger.put_object(Bucket=state, Key="state", Body=b"y")
        assert owner.get_object(Bucket=state, Key="state")["Body"].read() == b"x"
    finally:
        for version in owner.list_object_versions(Bucket=state).get("Versions", []):
            owner.delete_object(Bucket=state, Key=version["Key"], VersionId=version["VersionId"])
        owner.delete_object(Bucket=state, Key="state")
        owner.delete_bucket(Bucket=state)


def test_a_used_up_quota_is_found_by_its_runbook(lab_plan: RegionPlan, folder: Path, rivals: object) -> None:
    quota = tenants.read("-n", ATTACKER, "resourcequota", "tenant")["spec"]["hard"]
    left = {**quota, "pods": "0"}
    run("kubectl", "-n", ATTACKER, "patch", "resourcequota", "tenant", "--type=merge", "-p", patch(left))
    try:
        image = lab_plan.cluster.image(IMAGE).reference
        assert "exceeded quota" in tenants.attempt(folder, tenants.pod("one-more", ATTACKER, image, [], {}))
        shown = runbooks.diagnose("QuotaExhausted")
        assert any("cluster.namespace.tenant-demo" in text for text in shown.values())
        assert any(re.search(r"^pods +[0-9]+ +0$", text, re.MULTILINE) for text in shown.values())
    finally:
        run("kubectl", "-n", ATTACKER, "patch", "resourcequota", "tenant", "--type=merge", "-p", patch(quota))


def patch(hard: dict[str, str]) -> str:
    return json.dumps({"spec": {"hard": hard}})
