"""Two kinds of GPUs on the lab: services land on the cheap one and spill over, jobs of two tenants share what is idle.

Uses the lab that is up, or brings one up and takes it down again. The tenants stand in files that are there only while
the tests run; the tests are one story, in order.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from components.clients.web import call
from components.plan import RegionPlan
from components.plan.fleet import Need, Placement, claim_spec, gpu_plan, resolve
from components.plan.fleet.pool import Pool
from components.plan.model import TrayRole
from components.plan.naming import RACK_LABEL
from components.runtime.objects_pods import SERVICE_LABEL
from stacks.description import describe, refuse_unready
from tests.e2e import tenants
from tests.e2e.process import ROOT, run
from tests.e2e.services import region_up

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

GATEWAY = "10.255.2.1"
FOLDER = ROOT / "stacks" / "regions" / "lab" / "tenants"
ONE, TWO, HOLDER = "tenant-mixed-one", "tenant-mixed-two", "tenant-demo"
HEAD = "tenant: {name}\nquota: {{pods: 20, gpus: 2, borrow_gpus: 4}}\nservices:\n"
SERVICES = """\
  - name: any
    image: hello-gpu
    gpu: {{count: 1}}
    scaling: {{min: {least}, max: 2, concurrency: 10}}
  - name: large
    image: hello-gpu
    gpu: {{count: 1, memory_gb: 80}}
    scaling: {{min: 1, max: 1, concurrency: 10}}
"""
JOB = """\
  - name: train-{n}
    type: job
    image: hello-gpu
    gpu: {{count: 1}}
    job: {{pods: 1, limit_s: 3600}}
"""
LARGE_JOB = JOB.replace("count: 1", "count: 1, memory_gb: 80")
GANG = JOB.format(n="gang").replace("pods: 1", "pods: 2, nvlink_domain: true")
JOBS = [*(JOB.format(n=n) for n in range(1, 6)), LARGE_JOB.format(n="large")]
"""Of each tenant: as many as its 2 GPUs and the 4 that it may borrow."""


def description(name: str, services: str) -> None:
    """The file of a tenant; it is there until the module ends."""
    (FOLDER / f"{name}.yaml").write_text(HEAD.format(name=name) + services)


def up() -> None:
    """What the files say."""
    run("region", "up", "lab", "--layer", "cluster", "--layer", "runtime")


def until(what: Callable[[], Any], wanted: Any, within_s: float) -> Any:
    """The last value, once it is the wanted one or the time is up."""
    end = time.monotonic() + within_s
    while (found := what()) != wanted and time.monotonic() < end:
        time.sleep(2)
    return found


def running(namespace: str, service: str | None = None) -> list[dict[str, Any]]:
    """Pods that run and are not about to end."""
    chosen = ("-l", f"{SERVICE_LABEL}={service}") if service else ()
    pods = tenants.read("-n", namespace, "pods", *chosen)["items"]
    return [p for p in pods if p["status"]["phase"] == "Running" and "deletionTimestamp" not in p["metadata"]]


def hosts(namespace: str, service: str | None = None) -> Counter[str]:
    """Host -> pods that run there."""
    return Counter(pod["spec"]["nodeName"] for pod in running(namespace, service))


@pytest.fixture(scope="module")
def lab_plan() -> Iterator[RegionPlan]:
    """A lab that is up; removed at the end if it was not there before. No service of it holds a GPU."""
    was_up = run("kubectl", "get", "namespace", HOLDER, "--request-timeout=10s", expect=range(256)).returncode == 0
    with region_up(is_there=was_up):
        described = describe("lab")
        refuse_unready(described)
        run("kubectl", "-n", HOLDER, "scale", "deployment", "hello-gpu", "--replicas=0")
        assert until(lambda: running(HOLDER), [], 60) == []
        yield described.plan


@pytest.fixture(scope="module")
def pools(lab_plan: RegionPlan) -> tuple[Pool, Pool]:
    """The cheap one and the dear one."""
    cheap, dear = lab_plan.runtime.fleet.pools
    return cheap, dear


@pytest.fixture(scope="module")
def host_of(lab_plan: RegionPlan) -> dict[str, str]:
    """Pool -> its host: there is one of each."""
    return {host.gpu_pool: host.name for host in lab_plan.deployed_hosts if host.role is TrayRole.GPU_WORKER}


@pytest.fixture(scope="module", autouse=True)
def files(lab_plan: RegionPlan) -> Iterator[None]:
    """No file of these tests, and nothing of what they said, is left."""
    yield
    for name in ("mixed-one", "mixed-two"):
        (FOLDER / f"{name}.yaml").unlink(missing_ok=True)
    up()


@pytest.fixture(scope="module")
def services(lab_plan: RegionPlan, files: None) -> None:
    """A tenant with a service that takes any GPU, and one that needs much memory."""
    description("mixed-one", SERVICES.format(least=1))
    up()


@pytest.fixture
def full(
    lab_plan: RegionPlan, services: None, pools: tuple[Pool, Pool], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Another tenant holds all of the cheap pool that the services left free."""
    cheap = pools[0]
    placement = Placement(need=Need(), pools=(cheap,))
    left = cheap.gpus - 1
    spec = claim_spec(gpu_plan(placement), left, lab_plan.cluster.device_class)["devices"]["requests"][0]
    asked = spec["exactly"]
    exactly = {"deviceClassName": asked["device_class_name"], "selectors": asked["selectors"], "count": left}
    claim = {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaim",
        "metadata": {"name": "holder", "namespace": HOLDER},
        "spec": {"devices": {"requests": [{"name": "gpu", "exactly": exactly}]}},
    }
    image = lab_plan.cluster.image("hello-gpu").reference
    named = [{"name": "gpu", "resourceClaimName": "holder"}]
    with tenants.removed(("-n", HOLDER, "pod", "holder"), ("-n", HOLDER, "resourceclaim", "holder")):
        holder = tenants.pod("holder", HOLDER, image, [], {"part": "holder"}, resourceClaims=named)
        tenants.apply(tmp_path_factory.mktemp("holder"), [claim, holder])
        run("kubectl", "-n", HOLDER, "wait", "pod/holder", "--for=condition=Ready", "--timeout=90s")
        yield


def test_each_host_publishes_the_gpus_that_its_pool_is_said_to_have(
    lab_plan: RegionPlan, pools: tuple[Pool, Pool], host_of: dict[str, str]
) -> None:
    found: dict[str, Counter[tuple[str, str]]] = {}
    for each in tenants.read("resourceslices")["items"]:
        for device in each["spec"]["devices"]:
            facts = {name: next(iter(value.values())) for name, value in device["attributes"].items()}
            assert facts["simulated"] is True
            seen = (facts["productName"], device["capacity"]["memory"]["value"])
            found.setdefault(each["spec"]["nodeName"], Counter())[seen] += 1
    said = {host_of[p.name]: Counter({(p.gpu_model, f"{p.memory_gib}Gi"): p.gpus_per_host}) for p in pools}
    assert found == said
    assert pools[0].eur_hour < pools[1].eur_hour  # type: ignore[operator]


def test_a_service_lands_on_the_cheap_gpus_and_is_told_which_it_has(
    services: None, pools: tuple[Pool, Pool], host_of: dict[str, str], lab_plan: RegionPlan
) -> None:
    assert hosts(ONE, "any") == {host_of[pools[0].name]: 1}
    answer = json.loads(asyncio.run(call(GATEWAY, host="any.mixed-one.lab.internal")).text)
    claims = tenants.read("-n", ONE, "resourceclaims")["items"]
    (claim,) = [c for c in claims if c["metadata"]["ownerReferences"][0]["name"] == answer["pod"]]
    (given,) = claim["status"]["allocation"]["devices"]["results"]
    assert (answer["node"], answer["gpus"]) == (given["pool"], [given["device"]])
    assert given["request"].endswith(f"/{pools[0].name}"), "the alternative that was taken has the pool's name"


def test_a_service_that_needs_much_memory_lands_where_a_gpu_has_it(
    services: None, pools: tuple[Pool, Pool], host_of: dict[str, str], lab_plan: RegionPlan
) -> None:
    placed = resolve(lab_plan.runtime.fleet, Need(memory_gib=74))
    assert isinstance(placed, Placement)
    assert placed.pools == (pools[1],)
    assert hosts(ONE, "large") == {host_of[pools[1].name]: 1}


def test_the_next_replica_spills_over_to_the_dear_gpus_when_the_cheap_ones_are_taken(
    full: None, pools: tuple[Pool, Pool], host_of: dict[str, str]
) -> None:
    description("mixed-one", SERVICES.format(least=2))
    up()
    both = {host_of[pools[0].name]: 1, host_of[pools[1].name]: 1}
    assert until(lambda: dict(hosts(ONE, "any")), both, 60) == both


@pytest.fixture(scope="module")
def gang(lab_plan: RegionPlan, files: None) -> None:
    """The tenant has one job of two pods in place of its services."""
    description("mixed-one", GANG)
    up()


@pytest.fixture(scope="module")
def jobs(gang: None) -> None:
    """A tenant of nothing but jobs, which has no rival yet."""
    description("mixed-one", "".join(JOBS))
    up()


def test_the_pods_of_a_job_of_one_nvlink_domain_run_together_in_one_rack(gang: None) -> None:
    assert until(lambda: len(running(ONE, "train-gang")), 2, 60) == 2
    racks = tenants.read("nodes")["items"]
    rack_of = {node["metadata"]["name"]: node["metadata"]["labels"][RACK_LABEL] for node in racks}
    assert len({rack_of[host] for host in hosts(ONE, "train-gang")}) == 1


def test_alone_a_tenant_runs_jobs_on_its_own_gpus_and_on_all_that_it_may_borrow(jobs: None) -> None:
    assert until(lambda: len(running(ONE)), len(JOBS), 60) == len(JOBS)


def test_a_job_that_needs_much_memory_runs_where_a_gpu_has_it(
    jobs: None, pools: tuple[Pool, Pool], host_of: dict[str, str]
) -> None:
    there = {host_of[pools[1].name]: 1}
    assert until(lambda: dict(hosts(ONE, "train-large")), there, 60) == there


def test_what_is_idle_is_shared_alike_by_the_tenants_whose_jobs_want_it(jobs: None) -> None:
    def jobs_that_run() -> tuple[int, int]:
        return len(running(ONE)), len(running(TWO))

    description("mixed-two", "".join(JOBS))
    up()
    shared = until(jobs_that_run, (4, 4), 120)
    assert shared == (4, 4), "8 GPUs, of which each owns 2 and nobody uses the other 4"
    time.sleep(20)
    assert jobs_that_run() == (4, 4), "and it stays so: nobody takes back and forth"
