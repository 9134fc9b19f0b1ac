"""Configuration of the lab's servers."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from lab import roots, wiring
from lab.context import Lab
from lab.home import Home
from lab.services import dns, ntp, pki, registry, registry_tokens, s3, secrets, web
from tests.unit.test_lab_wiring import GOOD

WIRING = wiring.parse(GOOD)


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    home = Home(path=tmp_path)
    home.make()
    pki.ensure(home, WIRING)
    secrets.ensure(home, WIRING)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("coredns", "versitygw", "registry", "registry-tokens"):
        (tools / name).touch()
    monkeypatch.setattr(Home, "tools", tools)
    monkeypatch.setattr(roots, "program", _program)
    return Lab(home, WIRING)


def _program(tree: Path, name: str) -> list[str]:
    return [f"{tree}/{name}"]


def test_the_zone_holds_each_record_and_its_serial_follows_from_them() -> None:
    text = dns.zone_text(WIRING)
    assert "registry IN A 172.30.0.1\n" in text
    assert text == dns.zone_text(WIRING)
    other = WIRING.model_copy(update={"records": {}})
    assert text.splitlines()[2] != dns.zone_text(other).splitlines()[2]


def test_the_name_server_serves_one_zone_on_one_address(lab: Lab) -> None:
    (text,) = (t for p, t in dns.service(lab).files.items() if p.name == "Corefile")
    assert text.count("lab.internal:53 {") == 1
    assert "bind 172.30.0.1" in text
    assert "forward" not in text, "nothing may be asked of the host's resolver"


def test_the_time_server_never_touches_the_clock(lab: Lab) -> None:
    service = ntp.service(lab)
    assert "-x" in service.argv
    (text,) = service.files.values()
    assert "cmdport 0" in text
    assert not any(word in text for word in ("server ", "pool ", "rtcsync", "driftfile"))


def test_the_keys_of_the_object_store_are_on_no_command_line(lab: Lab) -> None:
    service = s3.service(lab)
    credentials = secrets.read(lab.home, "s3")
    assert not any(value in str(word) for value in credentials.values() for word in service.argv)
    assert set(credentials.values()) <= set((service.env or {}).values())


def test_the_operators_key_to_the_images_is_on_no_command_line_and_in_no_configuration(lab: Lab) -> None:
    told = [str(word) for word in registry_tokens.service(lab).argv]
    (config,) = registry.service(lab).files.values()
    password = secrets.read(lab.home, "registry")["password"]
    assert password not in " ".join([*told, config])
    assert str(lab.home.secrets / "registry.json") in told


def test_the_registry_trusts_the_tokens_of_its_issuer_alone(lab: Lab) -> None:
    (text,) = registry.service(lab).files.values()
    told = YAML(typ="safe").load(text)["auth"]["token"]
    assert told == {
        "realm": "https://172.30.0.1:5001/token",
        "service": "registry",
        "issuer": "registry-tokens",
        "jwks": str(registry_tokens.public_keys(lab)),
        "signingalgorithms": ["ES256"],
    }


def test_images_and_packages_are_served_on_ports_of_their_own(lab: Lab) -> None:
    (text,) = web.service(lab).files.values()
    assert "listen 172.30.0.1:8080;" in text
    assert "listen 172.30.0.1:8081;" in text
