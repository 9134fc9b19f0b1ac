"""Who may ask: passwords, sessions, lockout, and the password that must be changed at the first login.

Lockout as NVIDIA's BMCs have it: after 4 wrong passwords an account is locked for 600 s, even for the right one,
and only that account of that BMC (NVIDIA infra-controller, docs; the threshold 0 is refused). DSP0266 13 has the
rules of sessions and of `PasswordChangeRequired`.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2b

from lab.fleet.answers import Message, Refusal, password_change_required, refuse, unauthorized
from lab.fleet.call import Call
from lab.fleet.endpoint import Endpoint
from lab.fleet.state import Account, Session, State

ACCOUNTS = "/redfish/v1/AccountService/Accounts"
SESSIONS = "/redfish/v1/SessionService/Sessions"
SESSION_TIMEOUT_S = 1800
SESSIONS_MOST = 64
ROLES = ("Administrator", "Operator", "ReadOnly")
PASSWORD_LENGTH = (8, 64)


def digest(endpoint: Endpoint, password: str) -> str:
    """How a password is kept."""
    return blake2b(password.encode(), key=endpoint.name.encode()[:64], digest_size=16).hexdigest()


def deliver(endpoint: Endpoint, state: State, *, must_change: bool) -> None:
    """Make the factory's account."""
    secret = digest(endpoint, endpoint.factory_password)
    state.accounts = {endpoint.entry.bmc_username: Account(secret, "Administrator", must_change=must_change)}


def authenticate(call: Call) -> None:
    """Find out who asks; raises the refusal for a stranger, and for who must change the password first."""
    token, basic = call.headers.get("x-auth-token"), call.headers.get("authorization", "")
    if token is not None:
        call.user = _user_of(call, token)
    elif basic[:6].lower() == "basic ":
        call.user = login(call, *_basic(basic[6:]))
    else:
        raise unauthorized()
    account = call.state.accounts[call.user]
    if account.must_change and not _may_before_change(call):
        raise password_change_required(f"{ACCOUNTS}/{call.user}")


def login(call: Call, user: str, password: str) -> str:
    """Check a password, and count a wrong one against its account and no other."""
    account = call.state.accounts.get(user)
    if account is None or call.now < account.locked_until:
        raise unauthorized()
    if account.failures and call.now > account.failed_at + call.state.lockout_s:
        account.failures = 0
    if account.digest == digest(call.endpoint, password):
        if account.failures:
            account.failures, call.changed = 0, True
        return user
    call.changed = True
    account.failures, account.failed_at = account.failures + 1, call.now
    if account.failures >= call.state.lockout_threshold:
        account.locked_until, account.failures = call.now + call.state.lockout_s, 0
    raise unauthorized()


def open_session(call: Call, user: str) -> tuple[str, Session]:
    """A new login; the longest unused one makes room."""
    sessions = call.state.sessions
    while len(sessions) >= SESSIONS_MOST:
        del sessions[min(sessions, key=lambda id: sessions[id].used_at)]
    number = call.state.next("session")
    # Known to nobody without the account's secret, and the same in every run.
    token = digest(call.endpoint, f"{call.state.accounts[user].digest}/{number}")
    sessions[str(number)] = Session(token, user, call.now)
    call.changed = True
    return str(number), sessions[str(number)]


def require_administrator(call: Call) -> None:
    """Raise the refusal for who may only look."""
    if call.state.accounts[call.user].role != "Administrator":
        raise forbidden()


def forbidden() -> Refusal:
    text = "There are insufficient privileges for the account or credentials associated with the current session."
    return refuse(403, Message("InsufficientPrivilege", text))


def _user_of(call: Call, token: str) -> str:
    for id, session in call.state.sessions.items():
        if session.token == token and session.user in call.state.accounts:
            if call.now > session.used_at + SESSION_TIMEOUT_S:
                del call.state.sessions[id]
                break
            session.used_at = call.now
            return session.user
    raise unauthorized()


def _basic(text: str) -> tuple[str, str]:
    try:
        user, _, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise unauthorized() from None
    return user, password


def _may_before_change(call: Call) -> bool:
    """What is open to an account whose password must be changed: that change, and the way in and out."""
    own = f"{ACCOUNTS}/{call.user}"
    return (call.path == own and call.method in ("GET", "PATCH")) or (
        call.path.startswith(f"{SESSIONS}/") and call.method == "DELETE"
    )
