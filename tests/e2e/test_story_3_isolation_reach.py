"""What pods and clients of one tenant get to of another's, by attack, on the lab: the network, the gateway, the object
store; on the lab that is up, or on one of its own. `isolation.py` says who attacks whom.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from components.checks.pod_network import PORT
from components.clients.s3 import S3Access, anonymous_client, s3_client
from components.plan import RegionPlan
from components.plan.model import TrayRole
from components.plan.serving import GATEWAY_NAMESPACE, INTERCEPTOR_PORT, INTERCEPTOR_SERVICE, KEDA_NAMESPACE
from tests.e2e import buckets, tenants
from tests.e2e.isolation import ATTACKER, FREE, NAMED

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

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
