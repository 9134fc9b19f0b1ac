"""How Pulumi reaches a cluster.

Owns the settings of the provider of Kubernetes objects. Does not own the kubeconfig: the playbook
that makes the cluster writes it, and only its path is recorded in state, never its key.
"""

from __future__ import annotations

import pulumi
import pulumi_kubernetes as kubernetes


def cluster_provider(
    name: str, kubeconfig: str, cluster: str, opts: pulumi.ResourceOptions | None = None
) -> kubernetes.Provider:
    """The provider for one cluster; `kubeconfig` is a path.

    `cluster` names the cluster for good: without it the provider would take a new API address for
    a new cluster and replace every object.
    """
    return kubernetes.Provider(
        f"{name}-kubernetes",
        kubeconfig=kubeconfig,
        cluster_identifier=cluster,
        enable_server_side_apply=True,
        # An object of someone else is refused, not silently overwritten.
        enable_patch_force=False,
        opts=opts,
    )
