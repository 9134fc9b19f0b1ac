"""Secrets: where they may come from, who may read them, and where they never appear."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from components.clients.hostkeys import ensure_host_key, pin, public_half
from components.clients.redaction import RedactionFilter, redact, register
from components.clients.secrets import SecretError, ca_context, credentials, resolve


def private(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_references_are_files_of_the_project_or_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private(tmp_path / "s", "from-a-file\n")
    monkeypatch.setenv("REGION_SECRET", "from-a-variable")
    assert resolve(tmp_path, "file:s") == "from-a-file\n"
    assert resolve(tmp_path, "env:REGION_SECRET") == "from-a-variable"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_private_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    private(tmp_path / "s", "content-of-it", mode)
    with pytest.raises(SecretError, match="chmod 600") as failure:
        resolve(tmp_path, "file:s")
    assert "content-of-it" not in str(failure.value)
    assert resolve(tmp_path, "file:s", private=False) == "content-of-it"


@pytest.mark.parametrize("reference", ["file:none", "env:NO_SUCH_VARIABLE", "hunter2", "vault:x", "file:"])
def test_what_is_missing_names_the_reference(tmp_path: Path, reference: str) -> None:
    with pytest.raises(SecretError, match=reference):
        resolve(tmp_path, reference)


def test_credentials_do_not_show(tmp_path: Path) -> None:
    private(tmp_path / "c", '{"username": "u", "password": "pass-word-1"}')
    found = credentials(tmp_path, "file:c")
    assert (found.username, found.password) == ("u", "pass-word-1")
    assert "pass-word-1" not in repr(found)
    assert redact("BMC said: pass-word-1") == "BMC said: ***"
    private(tmp_path / "c", '{"user": "pass-word-2"}')
    with pytest.raises(SecretError) as failure:
        credentials(tmp_path, "file:c")
    assert "pass-word-2" not in str(failure.value)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Authorization: Basic dTpwdw==", "Authorization: Basic ***"),
        ('{"password": "p w"}', '{"password": "***"}'),
        ("redfish_password=abc next", "redfish_password=*** next"),
        ("https://user:pw@host/x", "https://user:***@host/x"),
        ("a b", "a b"),
    ],
)
def test_secret_shapes_are_masked(text: str, redacted: str) -> None:
    assert redact(text) == redacted


def test_the_filter_masks_messages_arguments_and_tracebacks(caplog: pytest.LogCaptureFixture) -> None:
    register("very-secret-value")
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "got %s", ("very-secret-value",), None)
    error = ValueError("very-secret-value")
    record.exc_info = (ValueError, error, None)
    assert RedactionFilter().filter(record)
    assert record.getMessage() == "got ***"
    assert "very-secret-value" not in logging.Formatter().format(record)


def test_a_ca_that_is_no_certificate_names_the_reference(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("nothing")
    with pytest.raises(SecretError, match=r"file:ca\.crt: does not hold a certificate"):
        ca_context(tmp_path, "file:ca.crt")


def test_a_host_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "secrets" / "hostkeys"
    key = ensure_host_key(folder, "t01")
    assert ensure_host_key(folder, "t01") == key
    assert key.public == public_half(key.private)
    assert key.public.startswith("ssh-ed25519 ")
    assert (folder / "t01").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert key.private not in repr(key)


def test_pinning_replaces_the_address_and_keeps_the_others(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    pin(path, {"10.0.0.1": "ssh-ed25519 A", "10.0.0.2": "ssh-ed25519 B"})
    pin(path, {"10.0.0.2": "ssh-ed25519 C"})
    assert path.read_text() == "10.0.0.1 ssh-ed25519 A\n10.0.0.2 ssh-ed25519 C\n"
