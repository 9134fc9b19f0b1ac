"""What Pulumi declares at the gateway for a tenant, and the certificates of the region's authority."""

from __future__ import annotations

import base64
import datetime
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pulumi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from components.clients.certificates import Issued, is_issued_by, issue
from components.clients.secrets import SecretError
from components.plan.tenants import TenantPlan
from components.provider.certificate import CertificateHandler
from components.provider.handler import Context
from components.runtime.gateway import Gateway, GatewayArgs
from components.runtime.tenant_gateway import TenantGateway, TenantGatewayArgs
from components.spec.tenant import ApiKey
from stacks.secret_values import secret_value
from tests.authority import write_authority
from tests.pulumi_mocks import Registered, children, declare

OPEN = TenantPlan(name="demo", namespace="tenant-demo", pods=20, gpus=4, domain="demo.lab.internal")
KEYED = replace(OPEN, keys=(ApiKey(name="web", secret="file:web"),), rate_limit_rps=10)
CA, CA_KEY = "file:ca.crt", "file:ca.key"


def declared(tenant: TenantPlan) -> dict[str, Registered]:
    def program() -> None:
        keys = {key.name: pulumi.Output.secret("k" * 32) for key in tenant.keys}
        args = TenantGatewayArgs(
            tenant=tenant, gateway="front", keys=keys, ca_certificate=CA, ca_key=CA_KEY, region="lab"
        )
        TenantGateway("demo-gateway", args)

    return declare(program)


def front() -> dict[str, Registered]:
    args = GatewayArgs(
        gateway="front", vip="10.255.2.1", health_host="lab.internal", health_path="/healthz", region="lab"
    )
    return declare(lambda: Gateway("front", args))


def issued(folder: Path, days: int = 30) -> Issued:
    return issue(folder, ca_certificate=CA, ca_key=CA_KEY, names=["*.demo.lab.internal"], days=days)


def test_a_gateway_takes_the_regions_address_and_the_operators_listeners_only() -> None:
    seen = front()
    spec = seen["front-gateway"].inputs["spec"]
    assert spec["addresses"] == [{"type": "IPAddress", "value": "10.255.2.1"}]
    assert spec["allowedListeners"] == {"namespaces": {"from": "Same"}}
    assert spec["listeners"][0]["allowedRoutes"] == {"namespaces": {"from": "Same"}}, "no tenant takes all names"
    assert seen["front"].outputs == {"gateway": "front", "namespace": "gateway"}


def test_a_gateway_says_by_itself_that_it_is_up_on_its_own_listener_and_at_one_path() -> None:
    seen = front()
    route, answer = seen["front-health-route"].inputs, seen["front-health-answer"].inputs
    (parent,), (rule,) = route["spec"]["parentRefs"], route["spec"]["rules"]
    assert parent["sectionName"] == seen["front-gateway"].inputs["spec"]["listeners"][0]["name"]
    assert rule["matches"] == [{"path": {"type": "Exact", "value": "/healthz"}}]
    assert "backendRefs" not in rule, "nothing is called, so nothing is woken"
    assert route["spec"]["hostnames"] == ["lab.internal"], "below the names of tenants nothing answers in clear"
    (named,) = rule["filters"]
    assert named["extensionRef"]["name"] == answer["metadata"]["name"]
    assert answer["spec"]["directResponse"]["statusCode"] == 200
    assert route["metadata"]["namespace"] == answer["metadata"]["namespace"] == "gateway"
    assert {"front-gateway", "front-health-answer"} <= seen["front-health-route"].depends_on


def test_all_that_opens_a_tenants_door_is_out_of_its_reach() -> None:
    objects = [r for r in children(declared(KEYED), "demo-gateway").values() if "metadata" in r.inputs]
    assert len(objects) == 5
    assert {r.inputs["metadata"]["namespace"] for r in objects} == {"gateway"}


def test_a_door_opens_when_what_guards_it_is_there() -> None:
    listeners = declared(KEYED)["demo-gateway-listeners"]
    assert {"demo-gateway-tls", "demo-gateway-auth", "demo-gateway-traffic"} <= listeners.depends_on


def test_a_tenant_without_keys_and_rate_has_a_certificate_listeners_and_retries() -> None:
    kinds = sorted(r.type.rpartition(":")[2] for r in children(declared(OPEN), "demo-gateway").values())
    assert kinds == ["BackendTrafficPolicy", "Certificate", "ListenerSet", "Secret"]


def test_keys_are_kept_by_the_name_of_their_client() -> None:
    secret = declared(KEYED)["demo-gateway-keys"].inputs
    assert secret["data"]["value"]["web"] == base64.b64encode(b"k" * 32).decode(), "a secret, as the API takes it"
    assert "stringData" not in secret, "a key that is left out there would go on to open"


def test_a_certificate_is_the_authoritys_for_these_names(tmp_path: Path) -> None:
    write_authority(tmp_path)
    found = issued(tmp_path)
    certificate = x509.load_pem_x509_certificate(found.certificate.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["*.demo.lab.internal"]
    assert is_issued_by(tmp_path, found.certificate, CA)
    key = serialization.load_pem_private_key(found.key.encode(), None)
    assert key.public_key() == certificate.public_key()
    assert found.certificate.count("BEGIN CERTIFICATE") == 2, "servers show the whole chain"


def test_another_authority_has_not_issued_it(tmp_path: Path) -> None:
    write_authority(tmp_path)
    write_authority(tmp_path, "other")
    assert not is_issued_by(tmp_path, issued(tmp_path).certificate, "file:other.crt")
    with pytest.raises(SecretError, match=r"is not the key of file:other\.crt"):
        issue(tmp_path, ca_certificate="file:other.crt", ca_key=CA_KEY, names=["a"], days=30)


def inputs(**changed: Any) -> dict[str, Any]:
    return {"names": ["*.a.b"], "ca_certificate": CA, "ca_key": CA_KEY, "days": 397, "renew_days": 30, **changed}


def outputs(days: float) -> dict[str, Any]:
    return {"not_after": (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)).isoformat()}


def test_a_certificate_that_is_good_is_left_alone() -> None:
    handler = CertificateHandler()
    assert handler.check(inputs()) == []
    assert handler.diff(inputs(), inputs()) == []
    assert handler.unfinished(inputs(), outputs(31)) == []


def test_one_close_to_its_end_is_issued_anew_and_the_preview_says_so() -> None:
    (change,) = CertificateHandler().unfinished(inputs(), outputs(29))
    assert "issued anew" in change.text
    assert not change.replaces


def test_one_for_other_names_is_issued_anew() -> None:
    assert [c.key for c in CertificateHandler().diff(inputs(), inputs(names=["*.c.d"]))] == ["names"]


def test_one_that_would_always_be_near_its_end_is_refused() -> None:
    assert [p.path for p in CertificateHandler().check(inputs(days=30))] == ["days"]


async def test_a_refresh_finds_a_certificate_of_another_write_authority(tmp_path: Path) -> None:
    write_authority(tmp_path)
    context = Context(project=tmp_path, region="lab", journal=cast("Any", None))
    handler = CertificateHandler()
    created = await handler.create("demo", inputs(), context)
    assert handler.unfinished(inputs(), created.outputs) == []
    write_authority(tmp_path)  # the old one is gone
    read = await handler.read("demo", {**inputs(), **created.outputs}, context)
    (change,) = handler.unfinished(inputs(), read or {})
    assert "authority has changed" in change.text


def test_a_secret_that_is_not_there_is_unknown_in_a_preview_and_refused_in_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    known: list[bool] = []

    def program() -> pulumi.Output[str]:
        value = secret_value(tmp_path, "file:none")

        async def look() -> None:
            known.append(await value.is_known())
            assert await value.is_secret()

        return pulumi.Output.from_input(look())  # type: ignore[arg-type, return-value]

    declare(program)
    assert known == [False]
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: False)
    with pytest.raises(SecretError):
        secret_value(tmp_path, "file:none")
