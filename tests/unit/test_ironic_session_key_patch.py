"""The patch for Ironic in docs/upstream: it applies to the Ironic that is pinned, and does what the report says."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections import OrderedDict
from pathlib import Path
from typing import Any

import ironic
import pytest

from tests.regions import ROOT

PATCH = ROOT / "docs/upstream/ironic-session-key.patch"
FILE = Path("ironic/drivers/modules/redfish/utils.py")
BMC = {"address": "https://192.0.2.1", "username": "root", "password": "a password", "verify_ca": True}

pytestmark = pytest.mark.skipif(shutil.which("patch") is None, reason="needs patch: apt-get install patch")


@pytest.fixture(scope="module")
def patched(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Ironic's module with the patch, loaded beside the installed one."""
    folder = tmp_path_factory.mktemp("patched")
    (folder / FILE).parent.mkdir(parents=True)
    shutil.copy(Path(ironic.__file__).parents[1] / FILE, folder / FILE)
    subprocess.run(["patch", "-s", "-p1", "--fuzz=0", "-d", folder, "-i", PATCH], check=True)
    spec = importlib.util.spec_from_file_location("patched_redfish_utils", folder / FILE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def key(module: Any, **changes: Any) -> tuple[Any, ...]:
    return module.SessionCache({**BMC, **changes})._session_key


def test_the_same_access_has_the_same_key_and_any_other_has_another(patched: Any) -> None:
    assert key(patched) == key(patched)
    others = [{"password": "b"}, {"password": None}, {"username": "admin"}, {"address": "https://192.0.2.2"}]
    assert len({key(patched), *(key(patched, **other) for other in others)}) == 1 + len(others)
    assert key(patched, password=None) == key(patched, password="")


def test_no_slow_hash_is_done(patched: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bytes:
        raise AssertionError("a slow hash")

    monkeypatch.setattr("hashlib.pbkdf2_hmac", refuse)
    key(patched)


def test_a_changed_password_opens_a_session_with_it(patched: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []

    def connect(*_: object, auth: Any, **__: object) -> object:
        opened.append(auth)
        return object()

    monkeypatch.setattr(patched.sushy, "Sushy", connect)
    monkeypatch.setattr(patched.SessionCache, "_sessions", OrderedDict[Any, Any]())
    for password in ("a", "a", "b"):
        with patched.SessionCache({**BMC, "auth_type": "basic", "password": password}):
            pass
    assert [auth._password for auth in opened] == ["a", "b"]


def test_keys_of_two_processes_have_nothing_in_common(patched: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key(patched)
    monkeypatch.setattr(patched.SessionCache, "_key_secret", b"of another process")
    assert key(patched)[:-1] == before[:-1]
    assert key(patched)[-1] != before[-1]


def test_the_key_holds_no_password(patched: Any) -> None:
    assert not any("a password" in str(part) for part in key(patched))
