"""The switch's side of a commit, with FRR played by a function. tests/integration has the real one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.clients.switch_agent import commit as agent
from components.clients.switch_agent import files
from components.clients.switch_agent import frr as router

FACTORY = "frr version 8.4.4\nfrr defaults datacenter\nend\n"
CONFIG = "frr version 8.4.4\nfrr defaults datacenter\nrouter bgp 65000\nexit\nend\n"


class Frr:
    """What is running, and what frr-reload and vtysh would say."""

    def __init__(self) -> None:
        self.running = FACTORY
        self.syntax_error = ""
        self.stubborn = 0
        """How many reloads leave something undone."""
        self.reloads = 0
        self.daemons = "zebra bgpd bfdd"

    def run(self, *argv: str) -> tuple[int, str, str]:
        line = " ".join(argv)
        if "--reload" in argv:
            self.reloads += 1
            if self.reloads > self.stubborn:
                self.running = Path(argv[-1]).read_text()
            return 0, "", ""
        if "--test" in argv:
            return 0, self.difference(Path(argv[-1]).read_text()), ""
        if "show running-config" in line:
            return 0, f"Building configuration...\n\nCurrent configuration:\n!\n{self.running}", ""
        if "show daemons" in line:
            return 0, f" {self.daemons}\n", ""
        if argv[:2] == ("vtysh", "-C"):
            return (1 if self.syntax_error else 0), "", self.syntax_error
        return 0, "[]\n{}\n", ""

    def difference(self, wanted: str) -> str:
        have, want = self.running.splitlines(), wanted.splitlines()
        gone = [f"no {line}" for line in have if line not in want]
        come = [line for line in want if line not in have]
        parts = [("Lines To Delete", gone), ("Lines To Add", come)]
        return "".join(f"\n{title}\n===\n" + "\n".join(lines) + "\n" for title, lines in parts if lines)


@pytest.fixture
def frr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Frr]:
    frr = Frr()
    (tmp_path / "frr").mkdir()
    (tmp_path / "frr/vtysh.conf").write_text("service integrated-vtysh-config\n")
    monkeypatch.setattr(files, "CONFIG", tmp_path / "frr/frr.conf")
    monkeypatch.setattr(files, "VOLATILE", tmp_path / "run")
    monkeypatch.setattr(files, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(files, "LOG", tmp_path / "log")
    monkeypatch.setattr(router, "run", frr.run)
    monkeypatch.setattr(agent, "arm_timer", lambda commit: None)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    yield frr


def apply(text: str = CONFIG) -> None:
    agent.apply(text, "c1", "lab/fabric", "60", files.digest(router.running()))


def test_the_startup_configuration_is_written_at_confirm_and_not_before(frr: Frr) -> None:
    apply()
    assert frr.running == CONFIG
    assert not files.CONFIG.exists()
    agent.confirm("c1")
    assert files.CONFIG.read_text() == CONFIG
    assert agent.pending() is None
    assert agent.factory()["factory"] == FACTORY


def test_rolled_back_the_switch_runs_what_it_ran(frr: Frr) -> None:
    apply()
    agent.take_back(agent.mine("c1"), "test")
    assert frr.running == FACTORY
    assert agent.pending() is None
    assert "c1 rolled back: test" in files.LOG.read_text()


def test_nothing_is_applied_on_top_of_a_commit_that_waits(frr: Frr) -> None:
    apply()
    with pytest.raises(files.Refused, match="c1 waits"):
        agent.apply(CONFIG, "c2", "lab/fabric", "60", files.digest(router.running()))


def test_nothing_is_applied_if_somebody_typed_a_line_since_the_check(frr: Frr) -> None:
    base = files.digest(router.running())
    frr.running += "ip route 10.0.0.0/8 blackhole\n"
    with pytest.raises(files.Refused, match="has changed since"):
        agent.apply(CONFIG, "c1", "lab/fabric", "60", base)
    assert agent.pending() is None


def test_a_restarted_frr_is_not_confirmed(frr: Frr) -> None:
    apply()
    frr.running = FACTORY  # it read its startup file
    with pytest.raises(files.Refused, match="no longer"):
        agent.confirm("c1")
    assert not files.CONFIG.exists()


def test_a_reload_that_leaves_something_is_repeated_once(frr: Frr) -> None:
    frr.stubborn = 1
    apply()
    assert (frr.running, frr.reloads) == (CONFIG, 2)


def test_a_reload_that_says_success_and_leaves_something_is_taken_back(frr: Frr) -> None:
    frr.stubborn = 2
    with pytest.raises(files.Refused, match=r"not taken cleanly.*taken back") as caught:
        apply()
    assert "+ router bgp 65000" in caught.value.details["left"]
    assert agent.pending() is None


def test_syntax_errors_name_the_line(frr: Frr) -> None:
    frr.syntax_error = "line 3: % Unknown command: router bgp 65000"
    with pytest.raises(files.Refused) as caught:
        agent.check(CONFIG)
    assert caught.value.details == {"line_number": 3, "line": "router bgp 65000"}


def test_a_daemon_that_does_not_run_is_named(frr: Frr) -> None:
    frr.daemons = "zebra"
    with pytest.raises(files.Refused, match="bgpd does not run"):
        agent.check(CONFIG)


def confirmed(frr: Frr) -> None:
    apply()
    agent.confirm("c1")


def test_as_confirmed_nothing_is_computed(frr: Frr, monkeypatch: pytest.MonkeyPatch) -> None:
    confirmed(frr)
    monkeypatch.setattr(router, "delta", lambda *_: pytest.fail("asked"))  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    checked = agent.check(CONFIG)
    assert (checked["delta"], checked["drift"], checked["rewrite"]) == ([], [], False)


def test_a_line_typed_by_hand_is_drift_for_every_candidate_but_itself(frr: Frr) -> None:
    confirmed(frr)
    by_hand = CONFIG.replace("end\n", "ip route 10.0.0.0/8 blackhole\nend\n")
    frr.running = by_hand
    for candidate in (CONFIG, CONFIG.replace("65000", "65001")):
        assert agent.check(candidate)["drift"] == ["- no ip route 10.0.0.0/8 blackhole"]
    assert (agent.check(by_hand)["drift"], agent.check(by_hand)["rewrite"]) == ([], True)


def test_routing_that_was_there_before_this_toolkit_is_drift(frr: Frr) -> None:
    frr.running = CONFIG.replace("65000", "64512")
    assert agent.check(CONFIG)["drift"] == ["- no router bgp 64512"]


def test_differences_carry_their_context(frr: Frr, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    out = (
        "\nLines To Delete\n===============\nrouter bgp 1\n address-family ipv4 unicast\n  no network 10.0.0.0/8\n"
        "\nLines To Add\n============\nrouter bgp 1\n neighbor swp1 bfd\nrouter bgp 1\n exit\n"
    )

    def answer(*argv: str) -> tuple[int, str, str]:
        del argv
        return 0, out, ""

    monkeypatch.setattr(router, "run", answer)
    path = tmp_path / "candidate"
    path.write_text(CONFIG)
    assert router.delta(path) == [
        "- router bgp 1 / address-family ipv4 unicast / no network 10.0.0.0/8",
        "+ router bgp 1 / neighbor swp1 bfd",
    ]


def test_a_removal_that_frr_reload_counts_as_an_addition_is_a_removal(
    frr: Frr, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    del frr
    line = "ip prefix-list A seq 5 permit 10.0.0.0/8"

    def answer(*argv: str) -> tuple[int, str, str]:
        del argv
        return 0, f"\nLines To Add\n===\nno {line}\nno zebra nexthop kernel enable\n", ""

    monkeypatch.setattr(router, "run", answer)
    path = tmp_path / "candidate"
    path.write_text(CONFIG)
    assert router.delta(path, f"{line}\n") == [f"- no {line}", "+ no zebra nexthop kernel enable"]


def test_prose_in_place_of_json_counts_as_nothing() -> None:
    assert router.first_json("% BGP instance not found\n", "{") == {}
    both = json.dumps([{"a": 1}], indent=1) + "\n" + json.dumps({"b": 2}, indent=1)
    assert (router.first_json(both, "["), router.first_json(both, "{")) == ([{"a": 1}], {"b": 2})
