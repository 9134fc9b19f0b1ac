"""`region service`, `region tenant`, `region usage`: what people and programs are told, exit codes, what is changed."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner, Result

from components.checks.explain_read import KINDS, SHARED
from components.checks.metering import Period
from components.checks.metering_cost import bills, budgets
from components.checks.metering_usage import Usage
from components.clients.kubernetes_change import KubernetesChange
from components.clients.metrics import MetricsError
from components.errors import Problem, SpecError
from components.plan.cost import PriceList
from components.plan.fleet import Fleet, Pool
from components.plan.serving import device_quota
from components.spec.service import Kind
from components.spec.tenant import AtLimit, Budget
from stacks.cli import service as service_command
from stacks.cli import status_page
from stacks.cli import tenant as tenant_command
from stacks.cli import usage as usage_command
from stacks.cli.main import app
from tests.fake_cluster import FakeCluster
from tests.services import service, tenant

CASES = Path(__file__).parents[1] / "fixtures" / "explain"
DEMO = dataclasses.replace(tenant("demo"), budget=Budget(month_eur=100, at_limit=AtLimit.HOLD))
JOB = dataclasses.replace(service(name="train"), kind=Kind.JOB)
PLAN: Any = SimpleNamespace(
    region="lab",
    runtime=SimpleNamespace(services=(service(), JOB), gateway_vip="10.255.2.1", fleet=Fleet(), prices=PriceList()),
    cluster=SimpleNamespace(tenants=(DEMO,), device_class="gpu"),
    racks=(),
    deployed_hosts=(),
)
PLACE = "namespaces/tenant-demo"
SCALED = f"/apis/keda.sh/v1alpha1/{PLACE}/scaledobjects/hello-gpu"
DEPLOYMENT = f"/apis/apps/v1/{PLACE}/deployments/hello-gpu"
QUOTAS = f"/api/v1/{PLACE}/resourcequotas"


def cluster_of(case: str) -> FakeCluster:
    """A cluster in the state of a case of tests/fixtures/explain."""
    told = YAML(typ="safe", pure=True).load((CASES / f"{case}.yaml").read_text())
    single = {"deployment": "deployments", "scaled": "scaled", "interceptor": "interceptors", "route": "routes"}
    lists = {plural: [told[name]] for name, plural in single.items() if told.get(name)}
    lists |= {name: told.get(name) or [] for name in ("pods", "events", "quotas", *SHARED)}
    paths = {name: f"{group}/{PLACE}/{plural}" for name, (group, plural) in KINDS.items()} | dict(SHARED)
    return FakeCluster({paths[name]: _placed(objects) for name, objects in lists.items()})


def _placed(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, "metadata": {"namespace": "tenant-demo", **each["metadata"]}} for each in objects]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    fake = cluster_of("serving")
    use(monkeypatch, fake)
    return fake


def use(monkeypatch: pytest.MonkeyPatch, fake: FakeCluster) -> None:
    monkeypatch.setattr(KubernetesChange, "from_file", fake.client)
    for module in (service_command, tenant_command, usage_command):
        monkeypatch.setattr(module, "load_plan", lambda _: PLAN)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]


def region(*arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == code, (done.output, done.stderr, done.exception)
    return done


def told(*arguments: str, code: int = 0) -> dict[str, Any]:
    (line,) = region(*arguments, "--json", code=code).stdout.splitlines()
    document = json.loads(line)
    assert document["schema"] == 1
    return document


def test_a_list_tells_every_service_to_programs_and_to_people(cluster: FakeCluster) -> None:
    document = told("service", "list", "lab")
    assert [(s["service"], s["cause"], s["ready"]) for s in document["services"]] == [
        ("hello-gpu", "serving", 1),
        ("train", "not-there", 0),
    ]
    shown = region("service", "list", "lab").stderr
    assert "demo/hello-gpu" in shown
    assert region("service", "list", "lab").stdout == "", "what people read is no output for programs"


def test_a_tenant_that_there_is_not_has_no_empty_list_of_services(cluster: FakeCluster) -> None:
    refused = region("service", "list", "lab", "--tenant", "nobody", code=1).exception
    assert isinstance(refused, SpecError)
    assert refused.problems[0].allowed == "demo"
    assert len(told("service", "list", "lab", "--tenant", "demo")["services"]) == 2


def test_explain_ends_with_1_where_somebody_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, cluster_of("image-missing"))
    document = told("service", "explain", "lab", "demo/hello-gpu", code=1)
    assert (document["cause"], document["well"]) == ("image-missing", False)
    assert document["evidence"]
    shown = region("service", "explain", "lab", "demo/hello-gpu", code=1).stderr
    assert "image missing" in shown
    assert "next  publish the image" in shown


def test_explain_ends_with_0_where_all_is_well(cluster: FakeCluster) -> None:
    assert told("service", "explain", "lab", "demo/hello-gpu")["cause"] == "serving"


def test_colours_are_left_out_when_that_is_asked(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in region("service", "list", "lab").stderr


def test_a_service_that_is_not_there_is_refused_with_those_that_are(cluster: FakeCluster) -> None:
    done = CliRunner().invoke(app, ["service", "show", "lab", "demo/nobody"])
    assert isinstance(done.exception, SpecError)
    assert "demo/hello-gpu" in str(done.exception)


def test_scale_holds_a_count_and_gives_it_back(cluster: FakeCluster) -> None:
    region("service", "scale", "lab", "demo/hello-gpu", "--replicas", "2", "--yes")
    region("service", "scale", "lab", "demo/hello-gpu", "--auto", "--yes")
    key = "autoscaling.keda.sh/paused-replicas"
    assert cluster.changes == [
        ("PATCH", SCALED, {"metadata": {"annotations": {key: "2"}}}),
        ("PATCH", SCALED, {"metadata": {"annotations": {key: None}}}),
    ]


def test_scale_refuses_more_than_is_declared_and_touches_nothing(cluster: FakeCluster) -> None:
    done = CliRunner().invoke(app, ["service", "scale", "lab", "demo/hello-gpu", "--replicas", "3", "--yes"])
    assert isinstance(done.exception, SpecError)
    assert "at most 2 are declared" in str(done.exception)
    assert cluster.changes == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("service", "scale", "lab", "demo/hello-gpu", "--replicas", "1"),
        ("service", "restart", "lab", "demo/hello-gpu"),
        ("tenant", "hold", "lab", "demo"),
        ("tenant", "release", "lab", "demo"),
    ],
)
def test_nothing_is_changed_unless_somebody_says_so(arguments: tuple[str, ...], cluster: FakeCluster) -> None:
    assert "nothing was touched" in region(*arguments, code=1).stderr
    assert cluster.changes == []


def test_restart_changes_the_template_of_the_pods_only(cluster: FakeCluster) -> None:
    region("service", "restart", "lab", "demo/hello-gpu", "--yes")
    ((method, path, body),) = cluster.changes
    assert (method, path, list(body["spec"])) == ("PATCH", DEPLOYMENT, ["template"])
    assert "kubectl.kubernetes.io/restartedAt" in body["spec"]["template"]["metadata"]["annotations"]


def test_a_job_is_neither_scaled_nor_restarted(cluster: FakeCluster) -> None:
    for arguments in (["scale", "lab", "demo/train", "--replicas", "1"], ["restart", "lab", "demo/train"]):
        done = CliRunner().invoke(app, ["service", *arguments, "--yes"])
        assert isinstance(done.exception, SpecError)
    assert cluster.changes == []


def quota(name: str, **used: str) -> dict[str, Any]:
    hard = {"pods": "20", device_quota("gpu"): "4"}
    return {"metadata": {"name": name, "namespace": "tenant-demo"}, "status": {"hard": hard, "used": used}}


def test_a_tenant_is_told_with_quota_queue_and_budget(cluster: FakeCluster) -> None:
    cluster.objects[QUOTAS] = [quota("tenant", pods="3", **{device_quota("gpu"): "2"})]
    cluster.objects[f"/apis/kueue.x-k8s.io/v1beta2/{PLACE}/localqueues"] = [
        {
            "metadata": {"name": "tenant", "namespace": "tenant-demo"},
            "status": {"pendingWorkloads": 1, "conditions": [{"type": "Active", "status": "True"}]},
        }
    ]
    (document,) = told("tenant", "list", "lab")["tenants"]
    assert document["gpus"] == {"used": 2, "allowed": 4, "promised": 4}
    assert (document["pods"]["used"], document["queue"]["waiting"], document["held"]) == (3, 1, False)
    assert document["budget"] == {"month_eur": 100.0, "at_limit": "hold"}
    assert "quota      pods: 3 of 20" in region("tenant", "show", "lab", "demo").stderr


def test_a_hold_lets_no_new_pod_start_and_ends_when_it_is_released(cluster: FakeCluster) -> None:
    region("tenant", "hold", "lab", "demo", "--yes")
    ((method, path, body),) = cluster.changes
    assert (method, path) == ("PATCH", f"{QUOTAS}/budget")
    assert body["spec"] == {"hard": {"pods": "0"}}
    cluster.objects[QUOTAS] = [quota("tenant"), quota("budget")]
    assert told("tenant", "show", "lab", "demo")["held"] is True
    assert "not held" in region("tenant", "release", "lab", "demo", "--yes").stderr
    cluster.objects[f"{QUOTAS}/budget"] = body
    assert "released" in region("tenant", "release", "lab", "demo", "--yes").stderr


def use_of(gpu_s: float) -> Usage:
    found = Usage(tenant="demo", service="hello-gpu", requests=1000.4, bytes_out=2e9)
    found.gpu_seconds["l4"] = gpu_s
    return found


@pytest.fixture
def metered(monkeypatch: pytest.MonkeyPatch, cluster: FakeCluster) -> list[Period]:
    asked: list[Period] = []
    pool = Pool(
        name="l4",
        gpu_model="NVIDIA L4",
        architecture="ada",
        memory_gib=24,
        gpus_per_host=1,
        domain=1,
        gpus=1,
        eur_hour=1.0,
    )

    def metered(_: Any, period: Period, now: float) -> Any:
        asked.append(period)
        found = bills([use_of(85 * 3600.0)], PLAN.runtime.services, Fleet(pools=(pool,)), PriceList())
        return found, list(budgets((DEMO,), found))

    monkeypatch.setattr(usage_command, "metered", metered)
    monkeypatch.setattr(usage_command, "read_edges", lambda _: ())  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    return asked


def test_usage_is_told_to_programs_and_as_a_table(metered: list[Period]) -> None:
    document = told("usage", "lab", "--from", "2026-10-01", "--to", "2026-11-01")
    (line,) = document["services"]
    assert line["gpu_seconds"] == {"l4": 306000.0}
    assert (line["requests"], line["eur"], line["missing_prices"]) == (1000, 85.0, ["GB sent out"])
    assert document["budgets"] == [{"tenant": "demo", "state": "warning", "spent_eur": 85.0, "budget_eur": 100.0}]
    assert metered[0].seconds == 31 * 86_400
    table = region("usage", "lab", "--csv").stdout.splitlines()
    assert table[0].startswith("tenant,service,gpu_seconds_l4,replica_seconds,requests")
    assert table[1].startswith("demo,hello-gpu,306000.0")
    shown = region("usage", "lab").stderr
    assert "warning at 80%" in shown
    assert "nobody set a price of a GB sent out" in shown


@pytest.mark.parametrize(
    ("first", "last"), [("2026-11-01", "2026-10-01"), ("yesterday", ""), ("2026-11-01", "2999-01-01")]
)
def test_a_period_that_makes_no_sense_is_refused(first: str, last: str, metered: list[Period]) -> None:
    done = CliRunner().invoke(app, ["usage", "lab", "--from", first, *(["--to", last] if last else [])])
    assert isinstance(done.exception, SpecError)
    assert metered == []


def test_a_record_is_what_alerts_and_boards_read(metered: list[Period], cluster: FakeCluster) -> None:
    region("usage", "lab", "--record")
    ((method, path, text),) = cluster.changes
    assert method == "POST"
    assert path.endswith("/victoria-metrics:8428/proxy/api/v1/import/prometheus")
    assert 'gpuregion_tenant_cost_eur{tenant="demo",service="hello-gpu"} 85.0 ' in text
    assert 'gpuregion_tenant_budget_share{tenant="demo"} 0.85 ' in text


def test_a_record_says_when_it_was_made_also_where_nothing_was_used() -> None:
    assert usage_command.recorded([], [], {}, 1_800_000_000.25) == (
        "gpuregion_usage_recorded_timestamp_seconds 1800000000 1800000000250\n"
    )


@pytest.mark.parametrize(("budget", "method"), [(100.0, "DELETE"), (85.0, "PATCH")], ids=["within", "used up"])
def test_a_budget_that_is_used_up_holds_its_tenant_and_one_that_is_not_releases_it(
    budget: float, method: str, metered: list[Period], cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenants = (
        dataclasses.replace(DEMO, budget=Budget(month_eur=budget, at_limit=AtLimit.HOLD)),
        dataclasses.replace(tenant("warned"), budget=Budget(month_eur=1)),
        tenant("free"),
    )
    plan = SimpleNamespace(**{**vars(PLAN), "cluster": SimpleNamespace(tenants=tenants, device_class="gpu")})
    before = usage_command.metered

    def again(*arguments: Any) -> Any:
        found, _ = before(*arguments)
        return found, list(budgets(tenants, found))

    monkeypatch.setattr(usage_command, "metered", again)
    monkeypatch.setattr(usage_command, "load_plan", lambda _: plan)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    region("usage", "lab", "--act")
    assert [(made, path) for made, path, _ in cluster.changes] == [(method, f"{QUOTAS}/budget")]


def test_the_status_page_is_read_from_the_same_objects_and_a_part_that_is_away_is_told(
    metered: list[Period], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> Any:
        raise MetricsError("away", [Problem(path="metrics", message="the metering is down")])

    monkeypatch.setattr(status_page, "metered", away)
    found = status_page.read_status(PLAN)
    assert found.services is not None
    assert [(line.key, line.state) for line in found.services] == [
        ("demo/hello-gpu", "serving"),
        ("demo/train", "not there"),
    ]
    assert found.replicas is not None
    assert found.replicas[0].is_ready
    assert found.tenants is not None
    assert found.unread == (("cost", "the metering is down"),)
    assert found.cost_eur is None
    status_page.write_status_page(PLAN, tmp_path / "status.html")
    assert "demo/hello-gpu" in (tmp_path / "status.html").read_text()
