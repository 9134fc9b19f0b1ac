"""What the API server and quotas refuse to a tenant, by attack, on the lab: others' objects, the hosts, more than was
promised; on the lab that is up, or on one of its own. `isolation.py` says who attacks whom.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from components.checks.pod_network import IMAGE
from components.plan import RegionPlan
from components.plan.serving import GATEWAY_NAMESPACE
from components.plan.tenancy.rights import binding, role_name
from components.spec.tenant import PersonRole
from tests.e2e import runbooks, tenants
from tests.e2e.isolation import ATTACKER, FREE, NAMED, PEOPLE
from tests.e2e.process import run

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


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
