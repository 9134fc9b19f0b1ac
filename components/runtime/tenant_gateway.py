"""A tenant's place at the region's gateway.

Owns the tenant's listeners with their certificates, the keys that open them, the rate that they let through, and what
is tried again. Does
not own the Gateway (gateway.py), nor the routes (each service brings its own).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.apiextensions import CustomResource

from components.kubernetes.labels import standard_labels
from components.plan.serving import GATEWAY_NAMESPACE
from components.plan.tenancy.gateway import (
    ENVOY_API,
    GATEWAY_API,
    certificate_names,
    domains,
    keys_secret_name,
    keys_spec,
    listener_set_name,
    listener_set_spec,
    tls_secret_name,
    traffic_spec,
)
from components.plan.tenants import TenantPlan
from components.runtime.certificate import Certificate, CertificateArgs

if TYPE_CHECKING:
    from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict


@dataclass(frozen=True, kw_only=True)
class TenantGatewayArgs:
    """What a TenantGateway is made of."""

    tenant: TenantPlan
    """Names, keys and rate, from the plan."""
    gateway: str
    """Gateway that the listeners are added to."""
    keys: Mapping[str, pulumi.Input[str]]
    """Name of the client -> key; secret."""
    ca_certificate: str
    """Reference to the certificate of the region's authority."""
    ca_key: str
    """Reference to its key."""
    region: str
    """Region that it is part of, for the labels."""


class TenantGateway(pulumi.ComponentResource):
    """Listeners for the tenant's names, with TLS, keys, a rate and retries."""

    listeners: pulumi.Output[str]
    """Name of the ListenerSet, which services' routes attach to."""

    def __init__(self, name: str, args: TenantGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpuregion:runtime:TenantGateway", name, None, opts)
        self._labels = standard_labels(args.tenant.name, component="tenant-gateway", part_of=args.region)
        named = domains(args.tenant).items()
        secrets = [self._create_certificate(name, args, ending, domain) for ending, domain in named]
        # What guards the listeners is there before them: none is open for a moment.
        guards: list[pulumi.Resource] = [*secrets]
        if args.tenant.keys:
            guards.append(self._create_keys(name, args))
        guards.append(
            # Was "rate", of tenants with one; drop the alias after 0.2.
            self._create_policy(name, "traffic", "BackendTrafficPolicy", traffic_spec(args.tenant), was="rate")
        )
        listeners = CustomResource(
            f"{name}-listeners",
            api_version=GATEWAY_API,
            kind="ListenerSet",
            metadata=self._metadata(listener_set_name(args.tenant.name)),
            spec=listener_set_spec(args.tenant, args.gateway),
            opts=pulumi.ResourceOptions(parent=self, depends_on=guards),
        )
        self.listeners = listeners.id.apply(lambda _: listener_set_name(args.tenant.name))
        self.register_outputs({"listeners": self.listeners})

    def _metadata(self, name: str) -> ObjectMetaArgsDict:
        return {"name": name, "namespace": GATEWAY_NAMESPACE, "labels": self._labels}

    def _create_certificate(self, name: str, args: TenantGatewayArgs, ending: str, domain: str) -> pulumi.Resource:
        certificate = Certificate(
            f"{name}-certificate{ending}",
            CertificateArgs(names=certificate_names(domain), ca_certificate=args.ca_certificate, ca_key=args.ca_key),
            pulumi.ResourceOptions(parent=self),
        )
        return kubernetes.core.v1.Secret(
            f"{name}-tls{ending}",
            metadata=self._metadata(tls_secret_name(args.tenant.name, ending)),
            type="kubernetes.io/tls",
            data={"tls.crt": certificate.certificate.apply(_encoded), "tls.key": certificate.key.apply(_encoded)},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _create_keys(self, name: str, args: TenantGatewayArgs) -> pulumi.Resource:
        keys = kubernetes.core.v1.Secret(
            f"{name}-keys",
            metadata=self._metadata(keys_secret_name(args.tenant.name)),
            # Not as `stringData`: a key that is left out there is not taken away by the API server.
            data={name: pulumi.Output.from_input(key).apply(_encoded) for name, key in args.keys.items()},
            opts=pulumi.ResourceOptions(parent=self),
        )
        return self._create_policy(name, "auth", "SecurityPolicy", keys_spec(args.tenant), after=[keys])

    def _create_policy(
        self,
        name: str,
        role: str,
        kind: str,
        spec: Mapping[str, object],
        *,
        after: list[pulumi.Resource] | None = None,
        was: str = "",
    ) -> CustomResource:
        return CustomResource(
            f"{name}-{role}",
            api_version=ENVOY_API,
            kind=kind,
            metadata=self._metadata(listener_set_name(self._labels["app.kubernetes.io/name"])),
            spec=dict(spec),
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=after, aliases=[pulumi.Alias(name=f"{name}-{was}")] if was else None
            ),
        )


def _encoded(value: str | None) -> str:
    """As the API takes values of Secrets; nothing of one that has no value yet."""
    return base64.b64encode((value or "").encode()).decode()
