"""Sessions, accounts and roles as resources; the rules behind them are in `lab.fleet.accounts`."""

from __future__ import annotations

import re

from lab.fleet import accounts
from lab.fleet.accounts import ACCOUNTS, PASSWORD_LENGTH, ROLES, SESSION_TIMEOUT_S, SESSIONS
from lab.fleet.answers import NO_CONTENT, Answer, Json, Message, bad_value, missing, ok, refuse
from lab.fleet.call import Call
from lab.fleet.resources.tree import HEALTHY, ROOT, Family, Tree, collection, link, resource
from lab.fleet.state import Account, Deed

_ROLES = f"{ROOT}/AccountService/Roles"
_PRIVILEGES = {
    "Administrator": ["Login", "ConfigureManager", "ConfigureUsers", "ConfigureSelf", "ConfigureComponents"],
    "Operator": ["Login", "ConfigureSelf", "ConfigureComponents"],
    "ReadOnly": ["Login", "ConfigureSelf"],
}
_LOCKOUT_LEAST_S = 600
_USER = re.compile(r"[A-Za-z0-9_.-]{1,32}")


def add_sessions(tree: Tree) -> None:
    path = f"{ROOT}/SessionService"
    tree.add(
        resource(
            path,
            "SessionService.v1_1_8.SessionService",
            "SessionService",
            "Session Service",
            ServiceEnabled=True,
            SessionTimeout=SESSION_TIMEOUT_S,
            Status=HEALTHY,
            Sessions=link(SESSIONS),
        )
    )
    family = Family(lambda call: list(call.state.sessions), _session, {"DELETE": _close_session})
    tree.family(SESSIONS, "Session", "Session Collection", family, POST=_open_session)


def _session(call: Call, id: str) -> Json | None:
    if (found := call.state.sessions.get(id)) is None:
        return None
    return resource(f"{SESSIONS}/{id}", "Session.v1_5_0.Session", id, "User Session", UserName=found.user)


def _open_session(call: Call) -> Answer:
    asked = call.required(UserName=str, Password=str)
    user = accounts.login(call, asked["UserName"], asked["Password"])
    id, session = accounts.open_session(call, user)
    body = _session(call, id) or {}
    if call.state.accounts[user].must_change:
        text = "The password provided for this account must be changed before access is granted."
        body["@Message.ExtendedInfo"] = [
            Message("PasswordChangeRequired", text, (f"{ACCOUNTS}/{user}",), related=()).as_json()
        ]
    return ok(body, 201, Location=f"{SESSIONS}/{id}", X_Auth_Token=session.token)


def _close_session(call: Call, id: str) -> Answer:
    if call.state.sessions[id].user != call.user:
        accounts.require_administrator(call)
    del call.state.sessions[id]
    call.changed = True
    return NO_CONTENT


def add_accounts(tree: Tree) -> None:
    path = f"{ROOT}/AccountService"
    tree.dynamic(
        path,
        lambda call: resource(
            path,
            "AccountService.v1_14_0.AccountService",
            "AccountService",
            "Account Service",
            ServiceEnabled=True,
            Status=HEALTHY,
            AccountLockoutThreshold=call.state.lockout_threshold,
            AccountLockoutDuration=call.state.lockout_s,
            AccountLockoutCounterResetAfter=call.state.lockout_s,
            AccountLockoutCounterResetEnabled=True,
            MinPasswordLength=PASSWORD_LENGTH[0],
            MaxPasswordLength=PASSWORD_LENGTH[1],
            Accounts=link(ACCOUNTS),
            Roles=link(_ROLES),
        ),
        PATCH=_set_lockout,
    )
    tree.add(collection(_ROLES, "Role", "Role Collection", list(ROLES)))
    for role in ROLES:
        tree.add(
            resource(
                f"{_ROLES}/{role}",
                "Role.v1_3_1.Role",
                role,
                role,
                RoleId=role,
                IsPredefined=True,
                AssignedPrivileges=_PRIVILEGES[role],
            )
        )
    family = Family(lambda call: list(call.state.accounts), _account, {"PATCH": _set_account, "DELETE": _drop_account})
    tree.family(ACCOUNTS, "ManagerAccount", "Account Collection", family, POST=_add_account)


def _account(call: Call, id: str) -> Json | None:
    if (found := call.state.accounts.get(id)) is None:
        return None
    return resource(
        f"{ACCOUNTS}/{id}",
        "ManagerAccount.v1_11_0.ManagerAccount",
        id,
        "User Account",
        UserName=id,
        RoleId=found.role,
        Enabled=True,
        Locked=call.now < found.locked_until,
        PasswordChangeRequired=found.must_change,
        AccountTypes=["Redfish"],
        Links={"Role": link(f"{_ROLES}/{found.role}")},
    )


def _set_lockout(call: Call) -> Answer:
    accounts.require_administrator(call)
    asked = call.fields(AccountLockoutThreshold=int, AccountLockoutDuration=int)
    threshold = asked.get("AccountLockoutThreshold", call.state.lockout_threshold)
    duration = asked.get("AccountLockoutDuration", call.state.lockout_s)
    # Newer trays refuse to switch the lockout off (NVIDIA infra-controller, docs).
    if threshold < 1:
        raise refuse(400, bad_value(threshold, "AccountLockoutThreshold", "at least 1"))
    if duration < _LOCKOUT_LEAST_S:
        raise refuse(400, bad_value(duration, "AccountLockoutDuration", f"at least {_LOCKOUT_LEAST_S}"))
    call.state.lockout_threshold, call.state.lockout_s, call.changed = threshold, duration, True
    return NO_CONTENT


def _add_account(call: Call) -> Answer:
    accounts.require_administrator(call)
    asked = call.fields(UserName=str, Password=str, RoleId=ROLES, Enabled=bool, PasswordChangeRequired=bool)
    for name in ("UserName", "Password", "RoleId"):
        if name not in asked:
            raise missing(name)
    user = asked["UserName"]
    if not _USER.fullmatch(user):
        raise refuse(400, bad_value(user, "UserName", "letters, digits, _ . - only"))
    if user in call.state.accounts:
        text = f"The requested resource of type ManagerAccount with the property 'UserName' with the value '{user}' already exists."
        raise refuse(400, Message("ResourceAlreadyExists", text, ("ManagerAccount", "UserName", user)))
    _check_password(asked["Password"])
    secret = accounts.digest(call.endpoint, asked["Password"])
    must_change = asked.get("PasswordChangeRequired", False)
    call.state.accounts[user] = Account(secret, asked["RoleId"], must_change=must_change)
    call.changed = True
    return ok(_account(call, user) or {}, 201, Location=f"{ACCOUNTS}/{user}")


def _set_account(call: Call, id: str) -> Answer:
    if id != call.user or set(call.json()) - {"Password"}:
        accounts.require_administrator(call)
    asked = call.fields(Password=str, RoleId=ROLES, Locked=bool, Enabled=bool, PasswordChangeRequired=bool)
    if asked.get("Enabled") is False:
        raise refuse(400, bad_value(False, "Enabled", "true: accounts are deleted, not disabled"))
    account = call.state.accounts[id]
    if "Password" in asked:
        _check_password(asked["Password"])
        account.digest = accounts.digest(call.endpoint, asked["Password"])
        account.must_change = False
        call.record(Deed.PASSWORD, id)
    account.role = asked.get("RoleId", account.role)
    account.must_change = asked.get("PasswordChangeRequired", account.must_change)
    if asked.get("Locked") is False:
        account.locked_until, account.failures = 0, 0
    call.changed = True
    return NO_CONTENT


def _drop_account(call: Call, id: str) -> Answer:
    accounts.require_administrator(call)
    if id == call.user:
        raise refuse(400, Message("ResourceCannotBeDeleted", "The resource cannot be deleted."))
    del call.state.accounts[id]
    call.state.sessions = {n: s for n, s in call.state.sessions.items() if s.user != id}
    call.changed = True
    return NO_CONTENT


def _check_password(password: str) -> None:
    least, most = PASSWORD_LENGTH
    if not least <= len(password) <= most:
        text = f"The password must have {least} to {most} characters."
        raise refuse(400, Message("PropertyValueFormatError", text, ("*", "Password"), related=("#/Password",)))
