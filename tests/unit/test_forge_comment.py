"""One comment for each region: posted, updated, left alone, and what is said when a forge refuses."""

from __future__ import annotations

import datetime
import ipaddress
import logging
import ssl
from collections.abc import Generator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from components.clients.forge import CommentChange, ForgeError, Kind, Posted, Target, compose, connect, marker, publish
from components.clients.forge import http as forge_http
from components.clients.secrets import SecretError
from components.errors import SpecError
from tests.fake_forge import ME, SOMEBODY, TOKEN, FakeForge, Fault, running


@pytest.fixture(params=list(Kind))
def forge(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Generator[FakeForge]:
    """One forge of each kind; its token in the environment, its retries without a wait."""
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    record_pauses(monkeypatch)
    with running(request.param) as server:
        yield server


async def put(forge: FakeForge, text: str, region: str = "lab", *, update_only: bool = False) -> Posted:
    client = connect(Path.cwd(), forge.target, token="env:FORGE_TOKEN")
    try:
        body = compose(forge.kind, region, text)
        return await publish(client, region, body, update_only=update_only)
    finally:
        await client.close()


async def test_the_first_run_posts_and_the_second_updates_the_same_comment(forge: FakeForge) -> None:
    first = await put(forge, "### lab: one rack is wiped")
    second = await put(forge, "### lab: nothing changes")
    assert [first.outcome, second.outcome] == [CommentChange.CREATED, CommentChange.UPDATED]
    assert [c.body for c in forge.comments] == [f"{marker('lab')}\n### lab: nothing changes"]
    assert second.comment
    assert first.comment
    assert first.comment.number == second.comment.number


async def test_the_same_text_again_sends_nothing(forge: FakeForge) -> None:
    await put(forge, "### lab\n\n| layer | resources |  \n")
    forge.asked.clear()
    assert (await put(forge, "### lab\r\n\r\n| layer | resources |")).outcome is CommentChange.UNCHANGED
    assert {line.split()[0] for line in forge.asked if "graphql" not in line} == {"GET"}


async def test_each_region_has_a_comment_of_its_own(forge: FakeForge) -> None:
    await put(forge, "one", "lab")
    await put(forge, "two", "essonne")
    await put(forge, "three", "lab")
    assert [c.body.splitlines()[1] for c in forge.comments] == ["three", "two"]


async def test_anothers_comment_with_the_same_marker_is_left_alone(forge: FakeForge) -> None:
    theirs = forge.add(SOMEBODY, f"{marker('lab')}\nI wrote this myself")
    forge.add(None, f"{marker('lab')}\nand my account is gone")
    assert (await put(forge, "ours")).outcome is CommentChange.CREATED
    assert (await put(forge, "ours, newer")).outcome is CommentChange.UPDATED
    assert theirs.body == f"{marker('lab')}\nI wrote this myself"
    assert [c.author for c in forge.comments] == [SOMEBODY, None, ME]


async def test_our_own_comment_that_only_quotes_the_marker_is_left_alone(forge: FakeForge) -> None:
    quote = forge.add(ME, f"> {marker('lab')}\n> what was said\n\n{marker('lab')}")
    assert (await put(forge, "ours")).outcome is CommentChange.CREATED
    assert quote.body.startswith("> ")


async def test_a_comment_far_down_a_long_discussion_is_found(forge: FakeForge) -> None:
    for number in range(230):
        forge.add(SOMEBODY, f"remark {number}")
    mine = forge.add(ME, f"{marker('lab')}\nold")
    assert (await put(forge, "new")).outcome is CommentChange.UPDATED
    assert mine.body.endswith("new")
    assert forge.count("GET") >= (1 if forge.kind is Kind.FORGEJO else 3)
    assert forge.count("POST") == 0


async def test_what_the_system_says_about_a_request_is_no_comment(forge: FakeForge) -> None:
    if forge.kind is Kind.GITLAB:
        forge.add(ME, f"{marker('lab')}\nmentioned in commit", is_system=True)
    assert (await put(forge, "ours")).outcome is CommentChange.CREATED


async def test_of_two_comments_of_ours_the_newer_goes(forge: FakeForge) -> None:
    forge.add(ME, f"{marker('lab')}\nfirst")
    forge.add(ME, f"{marker('lab')}\nsecond, of a job that ran beside the first")
    posted = await put(forge, "now")
    assert (posted.outcome, posted.removed) == (CommentChange.UPDATED, 1)
    assert [(c.number, c.body.splitlines()[1]) for c in forge.comments] == [(101, "now")]


async def test_a_region_that_changes_no_more_gets_no_comment_unless_it_has_one(forge: FakeForge) -> None:
    assert (await put(forge, "nothing changes", update_only=True)).outcome is CommentChange.ABSENT
    assert forge.comments == []
    await put(forge, "a rack is wiped")
    assert (await put(forge, "nothing changes", update_only=True)).outcome is CommentChange.UPDATED


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_forge_that_is_busy_is_asked_again_when_it_says(
    forge: FakeForge, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forge.faults[method] = [Fault(429, {"Retry-After": "7"}), Fault(429, {"Retry-After": "7"})]
    waited = record_pauses(monkeypatch)
    assert (await put(forge, "ours")).outcome is CommentChange.CREATED
    assert len(waited) == 2
    assert all(7 < seconds <= 9 for seconds in waited)
    assert len(forge.comments) == 1


async def test_a_broken_forge_is_asked_again_a_few_times_and_then_named(
    forge: FakeForge, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = record_pauses(monkeypatch)
    forge.faults["GET"] = [Fault(503)] * 20
    with pytest.raises(ForgeError, match=r"HTTP 503.*\n.*run the job again later"):
        await put(forge, "ours")
    assert forge.count("GET") - (forge.kind is not Kind.GITHUB) == forge_http.ATTEMPTS
    assert len(set(waited)) == len(waited), "pauses have jitter"


async def test_a_forge_that_asks_for_too_much_patience_ends_the_job(
    forge: FakeForge, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = record_pauses(monkeypatch)
    forge.faults["POST"] = [Fault(429, {"Retry-After": "3600"})]
    with pytest.raises(ForgeError, match="run the job again in 3600 s"):
        await put(forge, "ours")
    assert waited == []


async def test_a_post_whose_answer_is_lost_is_not_posted_twice(forge: FakeForge) -> None:
    forge.faults["POST"] = [Fault(502, acts=True)]
    assert (await put(forge, "ours")).outcome is CommentChange.UNCHANGED
    assert len(forge.comments) == 1


async def test_a_post_that_did_not_arrive_is_posted_again(forge: FakeForge) -> None:
    forge.faults["POST"] = [Fault(502), Fault(500)]
    assert (await put(forge, "ours")).outcome is CommentChange.CREATED
    assert len(forge.comments) == 1


@pytest.mark.parametrize(
    ("status", "rule", "remedy"),
    [
        (401, "forge-credentials", "renew it"),
        (403, "forge-permission", "give it the permission"),
        (404, "forge-not-found", "may not see it"),
    ],
)
async def test_a_refusal_stops_at_once_with_its_remedy(forge: FakeForge, status: int, rule: str, remedy: str) -> None:
    forge.faults["POST"] = [Fault(status, message="Resource not accessible by integration")]
    with pytest.raises(ForgeError) as refused:
        await put(forge, "ours")
    (problem,) = refused.value.problems
    assert (problem.rule, problem.path) == (rule, str(forge.target))
    assert remedy in str(problem.remedy)
    assert "Resource not accessible" in str(problem.found)
    assert forge.count("POST") == 1
    assert refused.value.exit_code == 3


async def test_a_limit_that_comes_as_a_403_says_when_to_come_back(forge: FakeForge) -> None:
    forge.faults["POST"] = [Fault(403, {"Retry-After": "60"}, message="You have exceeded a secondary rate limit")]
    with pytest.raises(ForgeError, match="run the job again in 60 s"):
        await put(forge, "ours")
    assert forge.count("POST") == 1


async def test_an_address_that_has_moved_gets_no_token(forge: FakeForge) -> None:
    forge.faults["GET"] = [Fault(301, {"Location": "https://elsewhere.example/"})]
    with pytest.raises(ForgeError, match="use its new address"):
        await put(forge, "ours")


async def test_a_command_that_a_preview_quotes_is_not_carried_out(forge: FakeForge) -> None:
    await put(forge, "```\nname:\n```\n/merge\n   /approve\n```\n/close\n```\nsee /docs")
    assert forge.commands == []
    assert (await put(forge, "```\nname:\n```\n/merge\n   /approve\n```\n/close\n```\nsee /docs")).outcome is (
        CommentChange.UNCHANGED
    )


@pytest.mark.parametrize(("kind", "limit"), [(Kind.GITHUB, "65,536"), (Kind.GITLAB, "1,000,000")])
def test_a_comment_that_is_too_long_is_refused_with_both_sizes(kind: Kind, limit: str) -> None:
    with pytest.raises(SpecError) as refused:
        compose(kind, "lab", "x" * 1_000_000)
    assert "1,000,031 characters" in str(refused.value)
    assert limit in str(refused.value)
    assert compose(Kind.GITHUB, "lab", "x" * (65_536 - 31))


def test_an_empty_preview_is_refused() -> None:
    with pytest.raises(SpecError, match="the comment is empty"):
        compose(Kind.GITHUB, "lab", " \n")


def test_a_text_that_has_the_marker_gets_no_second_one() -> None:
    text = f"{marker('lab')}\nours"
    assert compose(Kind.GITHUB, "lab", text) == text


async def test_the_token_is_in_no_message_and_no_log(forge: FakeForge, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    forge.faults["POST"] = [Fault(400, message=f"bad header: {TOKEN}")]
    with pytest.raises(ForgeError) as refused:
        await put(forge, "ours")
    assert "bad header: ***" in str(refused.value)
    assert TOKEN not in str(refused.value) + repr(refused.value) + caplog.text


def test_a_token_that_is_none_is_refused_without_being_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target(kind=Kind.GITHUB, api="https://forge.example", project="a/b", number=1)
    monkeypatch.setenv("FORGE_TOKEN", "two words\nand a line")
    with pytest.raises(SecretError) as refused:
        connect(tmp_path, target, token="env:FORGE_TOKEN")
    assert "two words" not in str(refused.value)


def test_a_token_is_not_sent_over_an_open_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    target = Target(kind=Kind.GITLAB, api="http://forge.example/api/v4", project="1", number=1)
    with pytest.raises(SpecError, match="not safe for a token"):
        connect(tmp_path, target, token="env:FORGE_TOKEN")


async def test_a_private_forge_is_trusted_by_its_authority_and_by_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with running(Kind.FORGEJO, tls=self_signed(tmp_path)) as forge:
        stranger = connect(tmp_path, forge.target, token="env:FORGE_TOKEN")
        with pytest.raises(ForgeError, match=r"--ca file:PATH") as refused:
            await publish(stranger, "lab", compose(forge.kind, "lab", "ours"))
        assert [p.rule for p in refused.value.problems] == ["forge-certificate"]
        await stranger.close()
        known = connect(tmp_path, forge.target, token="env:FORGE_TOKEN", ca="file:ca.pem")
        assert (await publish(known, "lab", compose(forge.kind, "lab", "ours"))).outcome is CommentChange.CREATED
        await known.close()


def record_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses between requests, which take no time from now on."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(forge_http, "pause", sleep)
    return waited


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's TLS with a certificate for 127.0.0.1, which is left in ca.pem."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "forge")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return context
