"""Who may ask a simulated BMC: lockout, sessions, and the password of the factory."""

from __future__ import annotations

from lab.fleet.accounts import ACCOUNTS, SESSIONS
from tests.fleet_world import SYSTEM, TRAY, Client, fleet, move

SERVICE = "/redfish/v1/AccountService"


def test_four_wrong_passwords_lock_the_account_for_ten_minutes_even_for_the_right_one() -> None:
    f = fleet()
    right, wrong = Client(f), Client(f, password="wrong")
    for _ in range(3):
        assert wrong.ask("GET", SYSTEM)[0] == 401
    assert right.ask("GET", SYSTEM)[0] == 200  # and the count begins anew
    for _ in range(4):
        assert wrong.ask("GET", SYSTEM)[0] == 401
    assert right.ask("GET", SYSTEM)[0] == 401
    move(f, 599)
    assert right.ask("GET", SYSTEM)[0] == 401
    move(f, 2)
    assert right.ask("GET", SYSTEM)[0] == 200


def test_a_wrong_password_locks_no_other_endpoint_and_no_other_account() -> None:
    f = fleet(racks=2)
    new = {"UserName": "ironic", "Password": "long-enough", "RoleId": "Administrator"}
    assert Client(f).post(ACCOUNTS, new) == 201
    for _ in range(5):
        Client(f, password="wrong").ask("GET", SYSTEM)
    body = {"UserName": "ironic", "Password": "long-enough"}
    assert Client(f).ask("POST", SESSIONS, body)[0] == 201
    for name in f.endpoints:
        if name != TRAY:
            assert Client(f, name).ask("GET", "/redfish/v1/Systems")[0] == 200


def test_the_lockout_cannot_be_switched_off_or_shortened() -> None:
    client = Client(fleet())
    assert client.patch(SERVICE, {"AccountLockoutThreshold": 0}) == 400
    assert client.patch(SERVICE, {"AccountLockoutDuration": 60}) == 400
    assert client.patch(SERVICE, {"AccountLockoutThreshold": 8, "AccountLockoutDuration": 900}) == 204
    assert client.get(SERVICE)["AccountLockoutThreshold"] == 8


def test_the_first_login_can_do_nothing_but_change_the_password() -> None:
    f = fleet(factory_password_must_change=True)
    client = Client(f)
    assert client.ask("GET", "/redfish/v1")[0] == 200
    status, body, _ = client.ask("GET", SYSTEM)
    assert status == 403
    assert body["error"]["@Message.ExtendedInfo"][0]["MessageId"].endswith("PasswordChangeRequired")
    assert client.get(f"{ACCOUNTS}/root")["PasswordChangeRequired"]
    assert client.patch(f"{ACCOUNTS}/root", {"Password": "short"}) == 400
    assert client.patch(f"{ACCOUNTS}/root", {"Password": "long-enough"}) == 204
    assert client.ask("GET", SYSTEM)[0] == 401
    assert Client(f, password="long-enough").ask("GET", SYSTEM)[0] == 200
    assert client.ledger == {"password_change": 1}


def test_a_session_lets_in_until_it_is_closed_or_long_unused() -> None:
    f = fleet()
    client = Client(f)
    login = {"UserName": "root", "Password": client.password}
    _, _, headers = client.ask("POST", SESSIONS, login, authorization="")
    token = headers["X-Auth-Token"]

    def status(token: str) -> int:
        return client.ask("GET", SYSTEM, authorization="", x_auth_token=token)[0]

    assert status(token) == 200
    assert client.ask("DELETE", headers["Location"])[0] == 204
    assert status(token) == 401
    _, _, headers = client.ask("POST", SESSIONS, login, authorization="")
    move(f, 1801)
    assert status(headers["X-Auth-Token"]) == 401


def test_a_reader_may_look_and_not_touch() -> None:
    f = fleet()
    new = {"UserName": "reader", "Password": "long-enough", "RoleId": "ReadOnly"}
    assert Client(f).post(ACCOUNTS, new) == 201
    _, _, headers = Client(f).ask("POST", SESSIONS, {"UserName": "reader", "Password": "long-enough"})
    token = headers["X-Auth-Token"]
    reset = f"{SYSTEM}/Actions/ComputerSystem.Reset"
    assert Client(f).ask("GET", SYSTEM, authorization="", x_auth_token=token)[0] == 200
    assert Client(f).ask("POST", reset, {"ResetType": "On"}, authorization="", x_auth_token=token)[0] == 403


def test_a_bmc_with_another_factory_password_does_not_let_in() -> None:
    f = fleet(faults=[{"fault": "wrong_password", "endpoints": [TRAY]}])
    assert Client(f).ask("GET", SYSTEM)[0] == 401
