"""What the Pulumi components of a cluster declare."""

from __future__ import annotations

from components.kubernetes.access import cluster_provider
from components.kubernetes.device_class import GpuDeviceClass, GpuDeviceClassArgs
from components.kubernetes.gpu_flavors import GpuFlavors, GpuFlavorsArgs
from components.kubernetes.tenant_namespace import TenantNamespace, TenantNamespaceArgs
from components.kubernetes.tenant_network import TenantNetwork, TenantNetworkArgs
from components.kubernetes.tenant_queue import TenantQueue, TenantQueueArgs
from components.kubernetes.tenant_rights import TenantRights, TenantRightsArgs
from components.kubernetes.tenant_roles import TenantRoles, TenantRolesArgs
from components.plan.tenancy.queues import flavor_labels
from components.plan.tenants import TenantPlan
from components.spec.tenant import Person, PersonRole
from tests.pulumi_mocks import Registered, children, declare

TENANT = TenantPlan(name="demo", namespace="tenant-demo", pods=20, gpus=4)


def declare_tenant() -> None:
    TenantNamespace("tenant-demo", TenantNamespaceArgs(tenant=TENANT, device_class="gpu", cluster="lab"))


def kinds(seen: dict[str, Registered], parent: str) -> list[str]:
    return sorted(r.type.rpartition(":")[2] for r in children(seen, parent).values())


def test_a_tenant_gets_a_namespace_an_account_and_bounds_and_nothing_else() -> None:
    seen = declare(declare_tenant)
    assert {r.type for r in children(seen, "tenant-demo").values()} == {
        "kubernetes:core/v1:Namespace",
        "kubernetes:core/v1:ServiceAccount",
        "kubernetes:core/v1:ResourceQuota",
        "kubernetes:core/v1:LimitRange",
    }
    assert seen["tenant-demo"].outputs == {"namespace": "tenant-demo", "service_account": "workload"}


def test_a_tenant_cannot_run_privileged_pods() -> None:
    labels = declare(declare_tenant)["tenant-demo-namespace"].inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_tenant_claims_no_more_gpus_than_its_quota() -> None:
    hard = declare(declare_tenant)["tenant-demo-quota"].inputs["spec"]["hard"]
    assert hard["gpu.deviceclass.resource.k8s.io/devices"] == "4"
    assert hard["pods"] == hard["count/resourceclaims.resource.k8s.io"] == "20"


def test_a_tenants_account_mounts_no_token() -> None:
    account = declare(declare_tenant)["tenant-demo-account"]
    assert account.inputs["automountServiceAccountToken"] is False
    assert account.inputs["metadata"]["namespace"] == "tenant-demo"


def test_the_device_class_hides_the_driver_behind_a_neutral_name() -> None:
    def program() -> None:
        GpuDeviceClass("gpu", GpuDeviceClassArgs(device_class="gpu", driver="gpu.example.com", cluster="lab"))

    seen = declare(program)
    found = seen["gpu-class"]
    assert found.inputs["metadata"]["name"] == "gpu"
    assert found.inputs["spec"]["selectors"] == [{"cel": {"expression": "device.driver == 'gpu.example.com'"}}]
    assert seen["gpu"].outputs == {"device_class": "gpu"}


def test_state_holds_the_path_of_the_kubeconfig_and_not_its_key() -> None:
    seen = declare(lambda: cluster_provider("lab", ".region/lab/kubeconfig", "lab/lab"))
    provider = seen["lab-kubernetes"].inputs
    assert provider["kubeconfig"] == ".region/lab/kubeconfig"
    assert provider["clusterIdentifier"] == "lab/lab"


def test_a_pod_without_requests_is_given_some() -> None:
    limits = declare(declare_tenant)["tenant-demo-limits"].inputs["spec"]["limits"]
    assert limits == [{"type": "Container", "defaultRequest": {"cpu": "100m", "memory": "64Mi"}}]


def test_there_is_one_role_of_the_cluster_for_each_role_of_people() -> None:
    seen = declare(lambda: TenantRoles("lab", TenantRolesArgs(cluster="lab")))
    assert kinds(seen, "lab") == ["ClusterRole"] * 3
    rules = seen["lab-viewer"].inputs["rules"]
    assert {"apiGroups", "resources", "verbs"} == set(rules[0])
    assert seen["lab"].outputs["roles"] == [f"gpuregion-tenant-{r.value}" for r in PersonRole]


def test_people_are_bound_in_the_tenants_namespace_alone() -> None:
    tenant = TenantPlan(
        name="demo",
        namespace="tenant-demo",
        pods=1,
        gpus=0,
        people=(Person(name="dot@example.org", role=PersonRole.VIEWER),),
    )
    args = TenantRightsArgs(tenant=tenant, namespace="tenant-demo", cluster="lab")
    seen = declare(lambda: TenantRights("rights", args))
    assert kinds(seen, "rights") == ["RoleBinding"], "none for roles that nobody has"
    bound = seen["rights-viewer"].inputs
    assert bound["metadata"]["namespace"] == "tenant-demo"
    assert bound["roleRef"]["name"] == "gpuregion-tenant-viewer"
    assert [s["name"] for s in bound["subjects"]] == ["dot@example.org"]


def test_policies_reach_the_api_as_the_plan_has_them() -> None:
    args = TenantNetworkArgs(tenant=TENANT, namespace="tenant-demo", ports=(8080,), outside=(), cluster="lab")
    seen = declare(lambda: TenantNetwork("net", args))
    assert kinds(seen, "net") == ["NetworkPolicy"] * 4
    assert seen["net-deny-all"].inputs["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    ingress = seen["net-from-platform"].inputs["spec"]["ingress"][0]
    labels = ingress["from"][0]["namespaceSelector"]["matchLabels"]
    assert labels == {"kubernetes.io/metadata.name": "keda"}


def test_a_queue_counts_claimed_gpus_in_the_clusters_cohort() -> None:
    args = TenantQueueArgs(tenant=TENANT, share={"default": 4}, cluster="lab")
    seen = declare(lambda: TenantQueue("tenant-demo-queue", args))
    assert kinds(seen, "tenant-demo-queue") == ["ClusterQueue", "LocalQueue"]
    queue = seen["tenant-demo-queue-cluster-queue"].inputs
    assert queue["apiVersion"] == "kueue.x-k8s.io/v1beta2"
    assert queue["spec"]["resourceGroups"][1]["coveredResources"] == ["gpuregion.dev/gpu"]
    local = seen["tenant-demo-queue-local-queue"]
    assert local.inputs["metadata"] == {**local.inputs["metadata"], "name": "tenant", "namespace": "tenant-demo"}
    assert "tenant-demo-queue-cluster-queue" in local.depends_on


def test_flavors_select_hosts_by_label_where_there_are_pools() -> None:
    seen = declare(lambda: GpuFlavors("lab", GpuFlavorsArgs(flavors=flavor_labels(["l4"]), cluster="lab")))
    assert seen["lab"].outputs["flavors"] == ["hosts", "l4"]
    assert "spec" not in seen["lab-hosts"].inputs, "an empty one would differ at each preview"
    assert seen["lab-l4"].inputs["spec"] == {"nodeLabels": {"gpuregion.dev/gpu-pool": "l4"}}
