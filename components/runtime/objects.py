"""Bodies of the objects that make a serverless service.

Pure functions from the plan: what stands in the cluster can be read, and tested, without Pulumi.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from components.plan.serving import INTERCEPTOR_PORT, INTERCEPTOR_SERVICE, KEDA_NAMESPACE, SCALER_ADDRESS
from components.plan.tenants import ServicePlan

if TYPE_CHECKING:
    from pulumi_kubernetes.core.v1 import (
        ContainerArgsDict,
        PodSpecArgsDict,
        PodTemplateSpecArgsDict,
        ResourceRequirementsArgsDict,
    )
    from pulumi_kubernetes.resource.v1 import ResourceClaimTemplateSpecArgsDict

WAKE_TIMEOUT_S = 120
"""How long a request waits for a sleeping service before the interceptor answers 504."""
POLL_S = 5
"""How often KEDA asks while a service is awake; waking does not wait for it, falling asleep does."""
GRACE_S = 5
"""From SIGTERM to SIGKILL: KEDA stops only pods without requests, so there is little left to finish."""
CLAIM = "gpu"
"""Name of the claim within a pod."""
USER = 65532
"""The non-root user of minimal images."""


def claim_template_spec(plan: ServicePlan, device_class: str) -> ResourceClaimTemplateSpecArgsDict:
    """One claim for each pod: as many devices of the class as the service asks for."""
    return {
        "spec": {
            "devices": {
                "requests": [{"name": CLAIM, "exactly": {"device_class_name": device_class, "count": plan.gpus}}]
            }
        }
    }


def pod_template(plan: ServicePlan, labels: Mapping[str, str], account: str) -> PodTemplateSpecArgsDict:
    """Pods under the restricted security level, with the claimed GPUs in their only container.

    No readiness probe: the kubelet looks at most once a second, which a cold start would wait for,
    and the interceptor repeats a refused connection every 50 ms.
    """
    resources: ResourceRequirementsArgsDict = {"requests": {"cpu": "100m", "memory": "64Mi"}}
    container: ContainerArgsDict = {
        "name": plan.name,
        "image": plan.image,
        "ports": [{"name": "http", "container_port": plan.port, "protocol": "TCP"}],
        "env": [
            {"name": "PORT", "value": str(plan.port)},
            {"name": "POD_NAME", "value_from": {"field_ref": {"field_path": "metadata.name"}}},
            {"name": "NODE_NAME", "value_from": {"field_ref": {"field_path": "spec.nodeName"}}},
        ],
        "resources": resources,
        "security_context": {
            "allow_privilege_escalation": False,
            "capabilities": {"drop": ["ALL"]},
            "read_only_root_filesystem": True,
        },
    }
    spec: PodSpecArgsDict = {
        "service_account_name": account,
        # Without a token there is no volume to wait for.
        "automount_service_account_token": False,
        "enable_service_links": False,
        "termination_grace_period_seconds": GRACE_S,
        "security_context": {
            "run_as_non_root": True,
            "run_as_user": USER,
            "seccomp_profile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    if plan.gpus:
        resources["claims"] = [{"name": CLAIM}]
        spec["resource_claims"] = [{"name": CLAIM, "resource_claim_template_name": plan.name}]
    return {"metadata": {"labels": dict(labels)}, "spec": spec}


def interceptor_route_spec(plan: ServicePlan) -> dict[str, Any]:
    """Requests for the host go to the service, and wait for it while it sleeps."""
    return {
        "target": {"service": plan.name, "port": plan.port},
        "rules": [{"hosts": [plan.host]}],
        "scalingMetric": {"concurrency": {"targetValue": plan.scaling.concurrency}},
        "timeouts": {"readiness": f"{WAKE_TIMEOUT_S}s"},
    }


def scaled_object_spec(plan: ServicePlan) -> dict[str, Any]:
    """Between min and max by requests in flight; the first request is pushed to KEDA, not polled."""
    return {
        "scaleTargetRef": {"name": plan.name},
        "minReplicaCount": plan.min_replicas,
        "maxReplicaCount": plan.max_replicas,
        "pollingInterval": POLL_S,
        "cooldownPeriod": plan.idle_after_s,
        "triggers": [
            {
                "type": "external-push",
                "metadata": {"scalerAddress": SCALER_ADDRESS, "interceptorRoute": plan.name},
            }
        ],
    }


def reference_grant_spec(plan: ServicePlan) -> dict[str, Any]:
    """Lets routes of the service's namespace name the interceptor, and nothing else."""
    return {
        "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": plan.namespace}],
        "to": [{"group": "", "kind": "Service", "name": INTERCEPTOR_SERVICE}],
    }


def route_spec(plan: ServicePlan, gateway: Any, gateway_namespace: str) -> dict[str, Any]:
    """From the Gateway to the interceptor.

    No timeout: the interceptor bounds the wait for a sleeping service, and a model may stream for
    minutes.
    """
    backend = {"name": INTERCEPTOR_SERVICE, "namespace": KEDA_NAMESPACE, "port": INTERCEPTOR_PORT}
    return {
        "parentRefs": [{"name": gateway, "namespace": gateway_namespace}],
        "hostnames": [plan.host],
        "rules": [{"backendRefs": [backend], "timeouts": {"request": "0s"}}],
    }
