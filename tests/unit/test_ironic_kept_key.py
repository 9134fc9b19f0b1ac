"""The Redfish hardware type that keeps derived keys: the same sessions as Ironic's own, and no password kept."""

from __future__ import annotations

import gc
import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Generator
from importlib.metadata import entry_points
from typing import Any

import pytest
from ironic.conf import CONF
from ironic.drivers.modules.redfish import utils
from ironic_redfish_kept_key.hardware import RedfishKeptKeyHardware, keep_keys
from ironic_redfish_kept_key.keys import KeptKeys

PASSWORD = "correct horse battery staple"
BMC = {
    "address": "https://127.64.1.1:8443",
    "username": "root",
    "password": PASSWORD,
    "verify_ca": True,
    "auth_type": "basic",
}


class Counted:
    """PBKDF2 with few rounds that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(
        self, hash_name: str, password: bytes, salt: bytes, iterations: int, dklen: int | None = None
    ) -> bytes:
        self.asked += 1
        return hashlib.pbkdf2_hmac(hash_name, password, salt, 2, dklen)


def kept(size: int = 1000) -> tuple[KeptKeys, Counted]:
    counted = Counted()
    return KeptKeys(counted, lambda: size), counted


def derive(keys: KeptKeys, password: str, salt: str = "salt" * 4) -> bytes:
    return keys.pbkdf2_hmac("sha512", password.encode(), salt.encode(), 600_000)


@pytest.fixture
def ironic(monkeypatch: pytest.MonkeyPatch) -> Generator[list[dict[str, Any]]]:
    """Ironic's session cache, empty, with the hardware type loaded; the connections that it opens."""
    opened: list[dict[str, Any]] = []

    def connect(address: str, **options: Any) -> object:
        opened.append({"address": address, **options})
        return object()

    monkeypatch.setattr(utils, "hashlib", hashlib)
    monkeypatch.setattr(utils.sushy, "Sushy", connect)
    monkeypatch.setattr(utils.SessionCache, "_sessions", OrderedDict[Any, Any]())
    RedfishKeptKeyHardware()
    yield opened


def session(**changes: Any) -> object:
    cache: Any = utils.SessionCache({**BMC, **changes})
    with cache as connection:
        return connection


def session_key() -> Any:
    cache: Any = utils.SessionCache(BMC)
    return cache._session_key


def reachable(root: object) -> list[object]:
    """All that an object refers to, however far; not what is everybody's, such as classes and modules."""
    seen: dict[int, object] = {}
    todo: list[object] = [root]
    while todo:
        one = todo.pop()
        if id(one) in seen or isinstance(one, type | type(gc)) or callable(one):
            continue
        seen[id(one)] = one
        todo += gc.get_referents(one)
    return list(seen.values())


def texts(root: object) -> bytes:
    return b"\0".join(
        one.encode() if isinstance(one, str) else bytes(one)
        for one in reachable(root)
        if isinstance(one, str | bytes | bytearray)
    )


def test_a_session_is_found_under_the_key_that_ironic_alone_would_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(utils, "hashlib", hashlib)
    own = session_key()
    keep_keys()
    for _ in range(2):  # derived, then kept
        assert session_key() == own


def test_a_key_is_derived_once_however_often_a_bmc_is_called() -> None:
    keys, counted = kept()
    first = derive(keys, PASSWORD)
    assert [derive(keys, PASSWORD) for _ in range(50)] == [first] * 50
    assert counted.asked == 1


def test_many_threads_get_the_same_key_and_do_not_wait_for_each_other() -> None:
    keys, counted = kept()
    got: list[bytes] = []
    threads = [threading.Thread(target=lambda: got.append(derive(keys, PASSWORD))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(got) == {derive(keys, PASSWORD)}
    assert counted.asked <= 8


@pytest.mark.parametrize("change", [{"password": "another"}, {"username": "admin"}, {"address": "https://127.64.1.2"}])
def test_another_password_user_or_address_gets_a_new_session(
    ironic: list[dict[str, Any]], change: dict[str, str]
) -> None:
    first = session()
    assert session() is first
    assert session(**change) is not first
    assert session() is first
    assert len(ironic) == 2


def test_the_new_session_has_the_new_password(ironic: list[dict[str, Any]]) -> None:
    session()
    session(password="another")
    assert [each["auth"]._password for each in ironic] == [PASSWORD, "another"]


def test_a_node_without_a_password_has_its_session_too(ironic: list[dict[str, Any]]) -> None:
    assert session(password=None) is session(password="")
    assert len(ironic) == 1


def test_what_is_kept_holds_no_password_and_not_the_key_of_its_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[bytes] = []

    def draw(size: int) -> bytes:
        drawn.append(b"\x07" * 3 + b"k" * (size - 3))
        return drawn[-1]

    monkeypatch.setattr(secrets, "token_bytes", draw)
    keys, _ = kept()
    result = derive(keys, PASSWORD)
    held = texts(keys)
    assert result in held, "the search reaches what is kept"
    assert PASSWORD.encode() not in held
    assert drawn and drawn[0] not in held
    assert PASSWORD not in repr(vars(keys))


def test_a_plain_cache_of_calls_would_fail_that_search() -> None:
    plain: dict[tuple[str, bytes], bytes] = {("sha512", PASSWORD.encode()): b"derived"}
    assert PASSWORD.encode() in texts(plain)


def test_marks_of_two_processes_have_nothing_in_common() -> None:
    one, other = kept()[0], kept()[0]
    assert derive(one, PASSWORD) == derive(other, PASSWORD)
    marks = [set(keys._kept) for keys in (one, other)]  # pyright: ignore[reportPrivateUsage]
    assert all(marks) and not marks[0] & marks[1]


def test_a_password_that_ends_as_an_address_begins_is_not_taken_for_it() -> None:
    keys, counted = kept()
    assert derive(keys, "ab", "cd") != derive(keys, "abc", "d")
    assert counted.asked == 2


def test_no_more_keys_are_kept_than_there_may_be_sessions() -> None:
    keys, counted = kept(size=2)
    for password in ("a", "b", "a", "c"):  # b is the one not used for longest
        derive(keys, password)
    assert counted.asked == 3
    derive(keys, "a")
    assert counted.asked == 3
    derive(keys, "b")
    assert counted.asked == 4


def test_where_ironic_keeps_no_sessions_no_key_is_kept(ironic: list[dict[str, Any]]) -> None:
    CONF.set_override("connection_cache_size", 0, "redfish")
    try:
        keys = keep_keys()
        assert keys is not None
        keys.pbkdf2_hmac("sha512", b"a", b"b", 2)
        assert not keys._kept  # pyright: ignore[reportPrivateUsage]
    finally:
        CONF.clear_override("connection_cache_size", "redfish")


def test_nobody_but_the_session_cache_gets_kept_keys(ironic: list[dict[str, Any]]) -> None:
    assert utils.hashlib is not hashlib
    assert hashlib.pbkdf2_hmac.__module__ == "_hashlib"
    assert utils.hashlib.sha256 is hashlib.sha256


def test_loading_the_type_twice_keeps_what_was_kept(ironic: list[dict[str, Any]]) -> None:
    first = keep_keys()
    RedfishKeptKeyHardware()
    assert first is not None
    assert keep_keys() is first


def test_an_ironic_that_derives_no_keys_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(utils, "hashlib")
    assert keep_keys() is None
    assert not hasattr(utils, "hashlib")


def test_ironic_finds_the_type_by_its_name() -> None:
    (found,) = entry_points(group="ironic.hardware.types", name="redfish-kept-key")
    assert found.load() is RedfishKeptKeyHardware
