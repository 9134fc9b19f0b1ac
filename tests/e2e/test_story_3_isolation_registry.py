"""What a tenant gets to of another's images, by attack, on the lab: over the network with tokens of the cluster, and by
a pod on a host that has the image on its disk already. `isolation.py` says who attacks whom.
"""

from __future__ import annotations

import secrets
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from components.checks.pod_network import IMAGE
from components.plan import RegionPlan
from components.plan.model import TrayRole
from lab.context import Lab
from lab.services import secrets as lab_secrets
from tests.e2e import tenants
from tests.e2e.isolation import ATTACKER, FREE, NAMED
from tests.e2e.process import ROOT
from tests.image_client import MANIFEST, Caller, digest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

OWN, THEIRS = "tenants/demo/isolation", "tenants/rival/isolation"
API = "https://kubernetes.default.svc.cluster.local"
REFUSED = ("ErrImagePull", "ImagePullBackOff")
PULL_S = 90


def token(namespace: str, audience: str = "registry") -> str:
    """What a pod of this namespace gets from a projected volume."""
    return tenants.kubectl("-n", namespace, "create", "token", "default", "--audience", audience).strip()


class ByAddress(httpx.HTTPTransport):
    """Goes to one address whatever name is called: this machine does not ask the region's name servers."""

    def __init__(self, address: str, verify: ssl.SSLContext) -> None:
        super().__init__(verify=verify)
        self._address = address

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(host=self._address)
        return super().handle_request(request)


@pytest.fixture(scope="module")
def client(lab_plan: RegionPlan) -> Iterator[httpx.Client]:
    endpoints = lab_plan.endpoints
    authority = ssl.create_default_context(cafile=str(ROOT / endpoints.ca_certificate.removeprefix("file:")))
    way = ByAddress(endpoints.address, authority)
    with httpx.Client(base_url=f"https://{endpoints.registry}", transport=way) as made:
        yield made


def looks_at(caller: Caller, repository: str, reference: str = "v1") -> int:
    """Status of asking for an image."""
    path = f"/v2/{repository}/manifests/{reference}"
    return caller.ask("HEAD", path, headers={"Accept": MANIFEST}).status_code


def account(client: httpx.Client, namespace: str, audience: str = "registry") -> Caller:
    return Caller(client=client, credentials=("serviceaccount", token(namespace, audience)))


@pytest.fixture(scope="module")
def image(lab_plan: RegionPlan, client: httpx.Client, rivals: object) -> str:
    """An image of the victim's own that runs, as hosts name it."""
    source, found = lab_plan.cluster.image(IMAGE).reference.partition("/")[2].split("@")
    made = account(client, NAMED).copy(source, found, THEIRS, mark=secrets.token_hex(8))
    return f"{lab_plan.endpoints.registry}/{THEIRS}@{made}"


def test_a_tenants_token_opens_its_own_images_and_no_others(client: httpx.Client, image: str) -> None:
    attacker = account(client, ATTACKER)
    assert attacker.push(OWN, b"mine") == 201, "control: its own prefix"
    assert attacker.pull(OWN, b"mine") == (200, 200)
    assert looks_at(account(client, NAMED), THEIRS) == 200, "control: the victim's own token"
    assert looks_at(attacker, THEIRS) == 401
    assert attacker.push(THEIRS, b"mine") == 401
    assert looks_at(account(client, FREE), THEIRS) == 401, "nor that of a namespace without a tenant"
    assert looks_at(account(client, NAMED, API), THEIRS) == 401


def test_a_tenant_mounts_no_layer_of_another(client: httpx.Client, image: str) -> None:
    secret = b"layer " + secrets.token_bytes(16)
    account(client, NAMED).send(THEIRS, secret)
    asked = {"mount": digest(secret), "from": THEIRS}
    mounted = account(client, NAMED).ask("POST", "/v2/tenants/rival/other/blobs/uploads/", params=asked)
    assert mounted.status_code == 201, "control: the victim mounts its own"
    assert account(client, ATTACKER).ask("POST", f"/v2/{OWN}/blobs/uploads/", params=asked).status_code == 401


def test_only_the_operator_lists_what_there_is(client: httpx.Client, image: str) -> None:
    key = lab_secrets.read(Lab.running().home, "registry")
    operator = Caller(client=client, credentials=(key["username"], key["password"]))
    assert operator.ask("GET", "/v2/_catalog").status_code == 200, "control"
    assert account(client, ATTACKER).ask("GET", "/v2/_catalog").status_code == 401
    assert Caller(client=client).ask("GET", "/v2/_catalog").status_code == 401


def test_whoever_shows_nothing_reads_what_the_region_runs_and_writes_nothing(
    lab_plan: RegionPlan, client: httpx.Client, image: str
) -> None:
    anybody = Caller(client=client)
    source, found = lab_plan.cluster.image(IMAGE).reference.partition("/")[2].split("@")
    assert looks_at(anybody, source, found) == 200, "control: hosts pull so"
    assert anybody.push(source, b"mine") == 401
    assert account(client, ATTACKER).push(source, b"mine") == 401
    assert looks_at(anybody, THEIRS) == 401


def test_a_pod_reaches_the_issuer_and_without_a_token_no_image_of_a_tenant(
    lab_plan: RegionPlan, folder: Path, image: str
) -> None:
    endpoints = lab_plan.endpoints
    tokens, registry = (e.rpartition(":")[2] for e in (endpoints.registry_tokens, endpoints.registry))
    issuer = f"https://{endpoints.address}:{tokens}/healthz"
    theirs = f"https://{endpoints.address}:{registry}/v2/{THEIRS}/manifests/v1"
    found = tenants.reach(folder, lab_plan, ATTACKER, [issuer, theirs], as_made=tenants.trusting)
    assert found == {issuer: "ok", theirs: "401 Unauthorized"}


def start(folder: Path, plan: RegionPlan, where: str, image: str) -> str:
    """`running`, or why a pod with this image does not run, on one and the same host."""
    name = f"image-{secrets.token_hex(3)}"
    host = next(h for h in plan.deployed_hosts if h.role is TrayRole.GPU_WORKER).name
    with tenants.removed(("-n", where, "pod", name)):
        tenants.apply(folder, [tenants.pod(name, where, image, [], {}, nodeName=host)])
        deadline = time.monotonic() + PULL_S
        while True:
            state: dict[str, Any] = {}
            for status in tenants.read("-n", where, "pod", name)["status"].get("containerStatuses", []):
                state = status["state"]
            if "running" in state:
                return "running"
            waiting: dict[str, str] = state.get("waiting", {})
            if waiting.get("reason") in REFUSED:
                print(f"{where}: {waiting.get('message', '')}")
                return waiting["reason"]
            assert time.monotonic() < deadline, f"the pod in {where} neither started nor was refused: {state}"
            time.sleep(0.5)


def test_a_tenant_starts_its_own_image_and_none_of_another_even_from_a_hosts_disk(
    lab_plan: RegionPlan, folder: Path, image: str
) -> None:
    assert start(folder, lab_plan, ATTACKER, image) in REFUSED, "while no host has it"
    assert start(folder, lab_plan, NAMED, image) == "running", "control: the victim's own pod, and no Secret in sight"
    assert start(folder, lab_plan, ATTACKER, image) in REFUSED, "the image is on the disk now"
    assert start(folder, lab_plan, NAMED, image) == "running", "control: the victim's next pod"
