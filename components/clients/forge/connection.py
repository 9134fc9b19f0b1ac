"""Opens a forge: the token by its reference, TLS by the machine's authorities or a private one."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import httpx

from components.clients.forge import forgejo, github, gitlab
from components.clients.forge.http import ForgeHttp
from components.clients.forge.model import TOKENS, Forge, Kind, Target
from components.clients.redaction import register
from components.clients.secrets import SecretError, ca_context, resolve
from components.errors import Problem, SpecError


def connect(project: Path, target: Target, *, token: str | None = None, ca: str | None = None) -> Forge:
    """A client for the forge of `target`. `token` and `ca` are references; raises SecretError, SpecError."""
    _refuse_plain(target)
    value = _token(project, token or TOKENS[target.kind])
    tls = ca_context(project, ca) if ca else None
    match target.kind:
        case Kind.GITHUB:
            return github.GitHub(target, ForgeHttp(target, github.headers(value), tls=tls))
        case Kind.GITLAB:
            return gitlab.GitLab(target, ForgeHttp(target, gitlab.headers(value), tls=tls))
        case Kind.FORGEJO:
            return forgejo.Forgejo(target, ForgeHttp(target, forgejo.headers(value), tls=tls))


def _token(project: Path, reference: str) -> str:
    if not reference.startswith(("env:", "file:")):
        # somebody may have given the token itself: it is not shown
        raise _refusal("--token", "is not a secret reference", "file:PATH or env:NAME")
    value = resolve(project, reference).strip()
    # a header cannot hold anything else, and the error of the HTTP library would show the value
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise _refusal(reference, "does not hold a token", "one word")
    return register(value)


def _refusal(path: str, message: str, allowed: str) -> SecretError:
    problem = Problem(path=path, message=message, allowed=allowed, rule="secret")
    return SecretError("a secret cannot be used", [problem])


def _refuse_plain(target: Target) -> None:
    """A token is not sent where others can read it on the way."""
    url = httpx.URL(target.api)
    if url.scheme == "https" or (url.scheme == "http" and _is_loopback(url.host)):
        return
    problem = Problem(
        path=str(target),
        message="the address of the forge is not safe for a token",
        found=target.api,
        allowed="https://...",
        remedy="correct the external address in the forge's own settings",
        rule="forge-plain-http",
    )
    raise SpecError("nothing was posted", [problem])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
