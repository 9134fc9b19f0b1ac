"""Names that the serverless runtime and the services on it must agree on.

Owns the names of the objects that the playbooks install and that the Pulumi components refer to.
They are upstream's own names: renaming them would mean patching every reference inside the
projects' manifests.
"""

from __future__ import annotations

from components.plan.model import ClusterPlan

KEDA_NAMESPACE = "keda"
"""Where KEDA and its HTTP add-on run."""

INTERCEPTOR_SERVICE = "keda-add-ons-http-interceptor-proxy"
"""The service that holds a request until its target is awake."""

INTERCEPTOR_PORT = 8080

INTERCEPTOR_HTTP2_PORT = 8081
"""Port of the same service that says HTTP/2 without TLS; the role keda_http_add_on adds it."""

H2C = "kubernetes.io/h2c"
"""How a Service's port says HTTP/2 without TLS. The gateway reads it of the interceptor's, the interceptor of a pod's."""

SCALER_ADDRESS = f"keda-add-ons-http-external-scaler.{KEDA_NAMESPACE}:9090"
"""Where KEDA hears, by a push, that a sleeping service has a waiting request."""

GATEWAY_CLASS = "envoy"
"""The GatewayClass that the runtime playbook makes."""

GATEWAY_NAMESPACE = "gateway"
"""Where the region's Gateways are declared, apart from tenants and from the gateway's own pods."""

GATEWAY_PORT = 80
"""Port of a Gateway's own listener, plain HTTP. Network policies let clients in here and at 443, nowhere else."""

ENVOY_NAMESPACE = "envoy-gateway-system"
"""Where Envoy Gateway and the Envoy pods that it makes run."""

TENANT_LABEL = "gpuregion.dev/tenant"
"""Label of namespaces whose routes a Gateway accepts; its value is the namespace's name."""

QUOTA_DEVICES = "gpuregion.dev/gpu"
"""Resource by which Kueue counts claimed GPUs, in ClusterQueues; claims themselves name a DeviceClass."""

METRICS_NAMESPACE = "metrics"
"""Where VictoriaMetrics runs."""

METRICS_ADDRESS = f"http://victoria-metrics.{METRICS_NAMESPACE}:8428"
"""Where scalers and the operator's programs ask for what was measured."""

PAUSED_REPLICAS = "autoscaling.keda.sh/paused-replicas"
"""Annotation of a ScaledObject; while it is there, KEDA holds this many replicas and looks at nothing else."""

BUDGET_QUOTA = "budget"
"""ResourceQuota of a tenant whose budget is used up and who chose to hold: it allows no new pod."""

WORKLOAD_ACCOUNT = "workload"
"""ServiceAccount of a tenant's pods. It has no rights and mounts no token."""


def device_driver(cluster: ClusterPlan) -> str:
    """Name of the driver that publishes the GPUs, as it stands in ResourceSlices.

    Simulated hardware is served by this project's own driver (lab/images/gpu_driver).
    """
    return "gpu.example.com" if cluster.simulated else "gpu.nvidia.com"


def device_quota(device_class: str) -> str:
    """Key of a ResourceQuota that bounds the devices claimed from one class."""
    return f"{device_class}.deviceclass.resource.k8s.io/devices"
