"""Certificates and credentials of the lab: made once, kept, readable by their owner only."""

from __future__ import annotations

import json
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509

from lab import wiring
from lab.home import Home
from lab.services import pki, secrets
from tests.unit.test_lab_wiring import GOOD


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(path=tmp_path)
    made.make()
    return made


WIRING = wiring.parse(GOOD)


def test_certificates_are_made_once(home: Home) -> None:
    assert pki.ensure(home, WIRING)
    before = {path.name: path.read_bytes() for path in home.pki.iterdir()}
    assert not pki.ensure(home, WIRING)
    assert {path.name: path.read_bytes() for path in home.pki.iterdir()} == before
    assert set(before) == {
        *("region-ca.crt", "region-ca.key"),
        *("services.crt", "services.key"),
        *("bmc.crt", "bmc.key"),
    }


def test_a_server_certificate_names_its_servers(home: Home) -> None:
    pki.ensure(home, WIRING)
    names = {
        name: x509.load_pem_x509_certificate((home.pki / f"{name}.crt").read_bytes())
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value
        for name in ("services", "bmc")
    }
    assert "registry.lab.internal" in names["services"].get_values_for_type(x509.DNSName)
    assert [str(a) for a in names["services"].get_values_for_type(x509.IPAddress)] == ["172.30.0.1"]
    assert [str(a) for a in names["bmc"].get_values_for_type(x509.IPAddress)] == ["172.30.0.121", "172.30.0.122"]


def test_a_strict_client_accepts_the_authority(home: Home) -> None:
    pki.ensure(home, WIRING)
    context = ssl.create_default_context(cafile=str(pki.authority(home)))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    assert len(context.get_ca_certs()) == 1


def test_a_new_machine_gets_a_new_bmc_certificate_and_nothing_else_changes(home: Home) -> None:
    pki.ensure(home, WIRING)
    before = {path.name: path.read_bytes() for path in home.pki.iterdir()}
    machine = WIRING.machines[0].model_copy(update={"bmc_address": WIRING.oob.gateway + 50})
    changed = WIRING.model_copy(update={"machines": (machine, WIRING.machines[1])})
    assert pki.ensure(home, changed)
    after = {path.name: path.read_bytes() for path in home.pki.iterdir()}
    assert {name for name in after if after[name] != before[name]} == {"bmc.crt", "bmc.key"}


def test_a_key_without_its_certificate_is_made_again(home: Home) -> None:
    """As after a kill between the two files."""
    pki.ensure(home, WIRING)
    key, other = home.pki / "services.key", home.pki / "bmc.key"
    key.write_bytes(other.read_bytes())
    assert pki.ensure(home, WIRING)
    assert key.read_bytes() != other.read_bytes()


def test_private_files_are_readable_by_their_owner_only(home: Home) -> None:
    pki.ensure(home, WIRING)
    secrets.ensure(home, WIRING)
    private = [*home.pki.glob("*.key"), *home.secrets.glob("*.json"), home.secrets / "ssh_key"]
    assert private
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
    assert stat.S_IMODE(home.secrets.stat().st_mode) == 0o700


def test_credentials_are_made_once(home: Home) -> None:
    assert secrets.ensure(home, WIRING)
    before = {path.name: path.read_bytes() for path in home.secrets.iterdir()}
    assert not secrets.ensure(home, WIRING)
    assert {path.name: path.read_bytes() for path in home.secrets.iterdir()} == before
    assert set(json.loads(before["bmc.json"])) == {"username", "password"}
    assert set(json.loads(before["s3.json"])) == {"access_key", "secret_key"}


def test_every_switch_has_its_key_pinned_by_its_address(home: Home) -> None:
    secrets.ensure(home, WIRING)
    (line,) = (home.secrets / "switch_known_hosts").read_text().splitlines()
    public = secrets.switch_host_key(home, "lab-leaf1").with_suffix(".pub").read_text()
    assert line.split() == ["172.30.0.19", *public.split()[:2]]
