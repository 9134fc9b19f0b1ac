"""What the Pulumi components of a cluster declare."""

from __future__ import annotations

from components.kubernetes.access import cluster_provider
from components.kubernetes.device_class import GpuDeviceClass, GpuDeviceClassArgs
from components.kubernetes.tenant_namespace import TenantNamespace, TenantNamespaceArgs
from components.plan.tenants import TenantPlan
from tests.pulumi_mocks import children, declare

TENANT = TenantPlan(name="demo", namespace="tenant-demo", pods=20, gpus=4)


def declare_tenant() -> None:
    TenantNamespace("tenant-demo", TenantNamespaceArgs(tenant=TENANT, device_class="gpu", cluster="lab"))


def test_a_tenant_gets_a_namespace_an_account_and_a_quota_and_nothing_else() -> None:
    seen = declare(declare_tenant)
    assert {r.type for r in children(seen, "tenant-demo").values()} == {
        "kubernetes:core/v1:Namespace",
        "kubernetes:core/v1:ServiceAccount",
        "kubernetes:core/v1:ResourceQuota",
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
