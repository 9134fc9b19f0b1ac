"""Workers, jobs, services with secrets and disks, and services with two versions, as Pulumi declares them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pulumi
import pytest

from components.plan.fleet import GpuPlan
from components.plan.rollout import STEADY_S, Track
from components.plan.tenants import ScalingPlan, ServicePlan
from components.runtime.job import Job, JobArgs
from components.runtime.objects_job import job_name
from components.runtime.service import Service, ServiceArgs
from components.spec.rollout import Rollout, Strategy
from components.spec.scaling import Queue
from components.spec.service import Gang, Kind, Volume
from tests.a_service import chat
from tests.pulumi_mocks import Registered, children, declare

SERVICE = chat(gpus=1)
WORKER = replace(SERVICE, kind=Kind.WORKER, gpus=0, min_replicas=2, scaling=ScalingPlan())
JOB = replace(SERVICE, kind=Kind.JOB, gpus=4, job=Gang(pods=18, nvlink_domain=True, retries=2, limit_s=3600))
STAGED = replace(SERVICE, rollout=Rollout(strategy=Strategy.CANARY))
TRACKED = ("Deployment", "Service", "InterceptorRoute", "ScaledObject", "ResourceClaimTemplate")
VALUE = "hunter2-hunter2"


def of(
    plan: ServicePlan, *, left: frozenset[Track] = frozenset(), secrets: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Registered]:
    def program() -> Service:
        values: dict[str, pulumi.Input[str]] = {name: pulumi.Output.secret(value) for name, value in secrets.items()}
        args = ServiceArgs(service=plan, device_class="gpu", gateway="demo", region="lab", left=left, secrets=values)
        return Service("demo.chat", args)

    return declare(program)


def job(plan: ServicePlan) -> dict[str, Registered]:
    return declare(lambda: Job("demo.chat", JobArgs(service=plan, device_class="gpu", region="lab")))


def kinds(seen: dict[str, Registered]) -> list[str]:
    return sorted(r.type.rpartition(":")[2] for r in children(seen, "demo.chat").values())


def test_a_worker_has_no_way_from_outside() -> None:
    assert kinds(of(WORKER)) == ["Deployment", "Service"]


def test_a_worker_without_a_target_has_its_number_from_the_description_at_all_times() -> None:
    deployment = of(WORKER)["demo.chat-deployment"]
    assert deployment.inputs["spec"]["replicas"] == 2
    assert deployment.ignored == ()


def test_what_is_rolled_must_run_for_a_while_before_an_old_replica_ends() -> None:
    """A container without a readiness probe is ready as soon as it starts, also one that ends at once."""
    assert of(SERVICE)["demo.chat-deployment"].inputs["spec"]["minReadySeconds"] == STEADY_S
    immediate = replace(SERVICE, rollout=Rollout(strategy=Strategy.IMMEDIATE))
    assert not of(immediate)["demo.chat-deployment"].inputs["spec"]["minReadySeconds"], "there is no old one"


def test_a_worker_with_a_queue_is_scaled_by_it() -> None:
    seen = of(replace(WORKER, min_replicas=0, scaling=ScalingPlan(queue=Queue(query="sum(waiting)", per_replica=1))))
    assert kinds(seen) == ["Deployment", "ScaledObject", "Service"]
    assert seen["demo.chat-deployment"].ignored == ("spec.replicas",)
    assert [t["type"] for t in seen["demo.chat-scaling"].inputs["spec"]["triggers"]] == ["prometheus"]


def test_a_secret_is_known_to_pulumi_as_secret_and_its_pods_follow_its_name() -> None:
    plan = replace(SERVICE, secrets=(("TOKEN", "file:.lab/secrets/token"),))
    seen = of(plan, secrets={"TOKEN": VALUE})
    secret = seen["demo.chat-secrets"].inputs
    assert pulumi.runtime.rpc.is_rpc_secret(secret["stringData"]), "encrypted in the state, hidden in previews"
    assert pulumi.runtime.rpc.unwrap_rpc_secret(secret["stringData"]) == {"TOKEN": VALUE}
    assert secret["immutable"] is True
    assert "name" not in secret["metadata"], "another value is another Secret: pods are replaced by its new name"
    env = seen["demo.chat-deployment"].inputs["spec"]["template"]["spec"]["containers"][0]["env"]
    (token,) = [variable for variable in env if variable["name"] == "TOKEN"]
    assert token["valueFrom"] == {"secretKeyRef": {"name": "demo.chat-secrets-1a2b", "key": "TOKEN"}}
    others = {name: r.inputs for name, r in seen.items() if name != "demo.chat-secrets"}
    assert VALUE not in str(others)


def test_a_service_without_secrets_has_none() -> None:
    assert "demo.chat-secrets" not in of(SERVICE)


def test_a_disk_outlives_the_description_of_its_service() -> None:
    seen = of(replace(SERVICE, volumes=(Volume(name="data", path="/data", size_gib=5),)))
    claim = seen["demo.chat-volume-data"]
    assert claim.inputs["metadata"]["name"] == "chat-data"
    assert claim.inputs["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}, "it binds with its first pod"
    assert {"demo.chat-volume-data", "demo.chat-claim"} <= seen["demo.chat-deployment"].depends_on


def test_a_job_waits_in_its_tenants_queue_for_all_its_pods() -> None:
    made = job(JOB)["demo.chat-job"]
    assert made.inputs["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "tenant"
    spec = made.inputs["spec"]
    assert (spec["suspend"], spec["parallelism"], spec["completions"]) == (True, 18, 18)
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"]) == (2, 3600)
    assert made.ignored == ("spec.suspend",), "the queue says when it runs"
    assert spec["template"]["spec"]["restartPolicy"] == "Never"


def test_the_pods_of_a_job_of_one_nvlink_domain_go_where_its_first_one_went() -> None:
    template = job(JOB)["demo.chat-job"].inputs["spec"]["template"]
    (term,) = template["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["topologyKey"] == "gpuregion.dev/rack"
    assert set(term["labelSelector"]["matchLabels"].items()) <= set(template["metadata"]["labels"].items())
    assert term["matchLabelKeys"] == ["batch.kubernetes.io/controller-uid"], "not where an older job of its name runs"
    free = job(replace(JOB, job=Gang(pods=2)))["demo.chat-job"].inputs["spec"]["template"]
    assert "affinity" not in free["spec"]


def test_a_job_asks_for_no_topology_of_kueue_which_no_flavor_has() -> None:
    template = job(JOB)["demo.chat-job"].inputs["spec"]["template"]
    assert not [key for key in template["metadata"].get("annotations", {}) if "topology" in key]


def test_each_pod_of_a_job_claims_its_gpus() -> None:
    seen = job(JOB)
    name = seen["demo.chat-job"].inputs["metadata"]["name"]
    pod = seen["demo.chat-job"].inputs["spec"]["template"]["spec"]
    assert pod["resourceClaims"] == [{"name": "gpu", "resourceClaimTemplateName": name}]
    assert seen["demo.chat-claim"].inputs["metadata"]["name"] == name


def test_the_queue_chooses_the_pool_of_a_job_among_those_that_have_what_it_needs() -> None:
    gpu = GpuPlan(pools=("h200", "b200"), selectors=("of h200", "of b200"), why="")
    seen = job(replace(JOB, gpu=gpu))
    (request,) = seen["demo.chat-claim"].inputs["spec"]["spec"]["devices"]["requests"]
    assert request["exactly"] == {"deviceClassName": "gpu", "count": 4}, (
        "Kueue refuses claims that select by themselves"
    )
    both = seen["demo.chat-job"].inputs["spec"]["template"]["spec"]["affinity"]
    assert set(both) == {"nodeAffinity", "podAffinity"}
    affinity = both["nodeAffinity"]
    (term,) = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    (pools,) = term["matchExpressions"]
    assert pools == {"key": "gpuregion.dev/gpu-pool", "operator": "In", "values": ["b200", "h200"]}
    dearer = replace(gpu, pools=gpu.pools[::-1], selectors=gpu.selectors[::-1])
    assert job_name(replace(JOB, gpu=dearer)) == job_name(replace(JOB, gpu=gpu)), "a price is not what a job is"


def test_another_description_of_a_job_is_another_job() -> None:
    assert job_name(JOB) == job_name(replace(JOB))
    others = [replace(JOB, args=("--again",)), replace(JOB, job=Gang(pods=17)), replace(JOB, env=(("A", "b"),))]
    assert len({job_name(plan) for plan in (JOB, *others)}) == 4


def test_a_service_with_two_versions_has_two_tracks_and_one_host() -> None:
    seen = of(STAGED)
    assert kinds(seen) == sorted([*TRACKED, *TRACKED, "HTTPRoute", "ReferenceGrant"])
    route = seen["demo.chat-shares"]
    assert route.inputs["metadata"]["name"] == "chat-shares"
    assert route.ignored == ("spec.rules",), "the shares are the rollout's"
    for track in Track:
        spec = seen[f"demo.chat-{track}-deployment"].inputs["spec"]
        assert spec["selector"]["matchLabels"]["gpuregion.dev/track"] == track
        assert spec["template"]["metadata"]["labels"].items() >= spec["selector"]["matchLabels"].items()
        assert seen[f"demo.chat-{track}-scaling"].inputs["spec"]["scaleTargetRef"] == {"name": f"chat-{track}"}


def test_the_track_that_does_not_answer_may_always_sleep() -> None:
    seen = of(replace(STAGED, min_replicas=2))
    least = {track: seen[f"demo.chat-{track}-scaling"].inputs["spec"]["minReplicaCount"] for track in Track}
    assert least == {Track.A: 2, Track.B: 0}
    assert seen["demo.chat-b-scaling"].ignored == ("spec.minReplicaCount",)


def test_a_worker_is_rolled_whatever_its_strategy_says() -> None:
    assert kinds(of(replace(WORKER, rollout=Rollout(strategy=Strategy.CANARY)))) == ["Deployment", "Service"]


@pytest.mark.parametrize("left", [frozenset[Track](), frozenset({Track.A})])
def test_the_version_that_answers_is_left_as_it_stands(left: frozenset[Track]) -> None:
    seen = of(STAGED, left=left)
    for track in Track:
        is_left = track in left
        assert ("spec.template" in seen[f"demo.chat-{track}-deployment"].ignored) is is_left
        assert (seen[f"demo.chat-{track}-claim"].ignored == ("spec",)) is is_left


def test_a_service_with_one_version_at_a_time_is_never_left() -> None:
    assert of(SERVICE)["demo.chat-deployment"].ignored == ("spec.replicas",)
