"""The role weights_cache, run on this machine against a kubectl of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.clients.ansible import PlaybookFailedError, RunResult
from tests.role_run import asked, program, run_role

pytestmark = pytest.mark.timeout(300)
RACKS = {"lab-r01": "lab-r01-t02", "lab-r02": "lab-r02-t01"}
KUBECTL = """case "$*" in
    *" delete "*) cat removed ;;
    *" wait "*) exit $(cat code) ;;
    *"get namespace"*) echo namespace/weights-cache ;; # and nothing differs
esac
"""


def run(folder: Path, part: str, *, removed: str = "", code: int = 0) -> RunResult:
    (folder / "removed").write_text(removed)
    (folder / "code").write_text(str(code))
    program(folder, "kubectl", KUBECTL)
    variables = {
        "__weights_cache_directory": str(folder / "addon"),
        "weights_cache_racks": RACKS,
        "weights_cache_image": "registry/weights@sha256:00",
        "weights_cache_endpoint": "https://s3",
        "weights_cache_bucket": "weights",
        "weights_cache_store": {"address": "10.0.0.1", "port": 443},
        "weights_cache_ca_certificate": "an authority",
        "weights_cache_credentials": '{"access_key": "a", "secret_key": "hidden"}',
        "weights_cache_size_gib": 10,
        "weights_cache_rollout_timeout_s": 1,
    }
    return run_role(folder, "weights_cache", part, variables)


def test_the_key_of_the_bucket_is_written_as_it_is_and_others_may_not_read_it(tmp_path: Path) -> None:
    run(tmp_path, "install")
    key = tmp_path / "addon" / "s3.json"
    assert key.read_text() == '{"access_key": "a", "secret_key": "hidden"}'
    assert key.stat().st_mode & 0o077 == 0
    assert (tmp_path / "addon" / "ca.crt").read_text() == "an authority"
    assert "hidden" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize(("removed", "changed"), [("", 0), ('deployment.apps "rack-lab-r09" deleted\n', 1)])
def test_caches_of_racks_that_are_gone_are_removed_and_that_is_said(tmp_path: Path, removed: str, changed: int) -> None:
    result = run(tmp_path, "configure", removed=removed)
    (command,) = asked(tmp_path, " delete ")
    assert command.endswith("--selector gpuregion.dev/rack, gpuregion.dev/rack notin (lab-r01, lab-r02)")
    assert result.changed == changed


def test_all_racks_are_waited_for_by_one_command(tmp_path: Path) -> None:
    (*_, report) = run(tmp_path, "verify").reports["control"]
    assert report == {"role": "weights_cache", "racks": list(RACKS)}
    (command,) = asked(tmp_path, " wait ")
    assert command.endswith("deployment/rack-lab-r01 deployment/rack-lab-r02")


def test_a_rack_without_its_cache_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlaybookFailedError, match="Not every rack has its cache of weights"):
        run(tmp_path, "verify", code=1)
