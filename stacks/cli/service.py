"""`region service`: what runs, why it is as it is, its words, and two changes by hand.

Owns the commands only. Reading and judging is in components/checks/explain*.py; both changes are to the running
cluster, not to the description, and say so.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from components.checks.explain import explain
from components.checks.explain_model import Explanation, Seen
from components.checks.explain_read import SELECTOR, object_name, read_services
from components.clients.kubernetes_change import KubernetesChange
from components.errors import DeviceError, Problem, SpecError
from components.plan.model import RegionPlan
from components.plan.naming import kubeconfig_path
from components.plan.serving import PAUSED_REPLICAS
from components.plan.tenants import ServicePlan
from components.spec.service import Kind
from components.words import count
from stacks.cli import output, service_text
from stacks.cli.arguments import AsJson, Region
from stacks.cli.cluster_call import on_cluster
from stacks.cli.confirm import agree
from stacks.cli.environment import search_path
from stacks.cli.service_logs import show_logs
from stacks.cli.tenant import chosen_tenant
from stacks.project import ROOT, load_plan

app = typer.Typer(no_args_is_help=True, help="Services of a region: their state, their words, changes by hand.")

Key = Annotated[str, typer.Argument(metavar="TENANT/SERVICE", help="A service of the region.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
UNTIL = "It changes the running cluster, not the description"
"""What every change by hand says of itself."""


def seen_services(plan: RegionPlan, services: Sequence[ServicePlan]) -> list[tuple[Seen, Explanation]]:
    """The services with their states. Raises KubeconfigError, KubernetesError."""
    found = on_cluster(plan.region, lambda api: read_services(api, services))
    return [(seen, explain(seen)) for seen in found]


def chosen_service(plan: RegionPlan, key: str) -> ServicePlan:
    """The service of this key. Raises SpecError naming those that there are."""
    for service in plan.runtime.services:
        if service.key == key:
            return service
    raise SpecError(
        f"there is no service {key!r} in {plan.region}",
        [
            Problem(
                path="TENANT/SERVICE",
                message="a service of this region is named by its tenant and its own name",
                found=key,
                allowed=", ".join(s.key for s in plan.runtime.services) or "none: no tenant has a service here",
                remedy=f"`region service list {plan.region}`",
            )
        ],
    )


@app.command("list")
def list_(
    region: Region, tenant: Annotated[str, typer.Option(help="Only of this tenant.")] = "", as_json: AsJson = False
) -> None:
    """Every service: replicas, state, and why."""
    plan = load_plan(region)
    if tenant:
        chosen_tenant(plan, tenant)
    services = [s for s in plan.runtime.services if tenant in ("", s.tenant)]
    found = seen_services(plan, services)
    if as_json:
        output.machine("services", schema=service_text.SCHEMA, region=region, services=service_text.rows(found))
    else:
        output.people.print(service_text.table(plan, found))


@app.command()
def show(region: Region, service: Key, as_json: AsJson = False) -> None:
    """One service: what is declared, what runs, where to call it."""
    plan = load_plan(region)
    ((seen, found),) = seen_services(plan, [chosen_service(plan, service)])
    if as_json:
        output.machine("service", schema=service_text.SCHEMA, region=region, **service_text.document(seen, found))
    else:
        output.people.print(service_text.details(plan, seen, found), highlight=False, soft_wrap=True)


@app.command("explain")
def explain_(region: Region, service: Key, as_json: AsJson = False) -> None:
    """Why a service is in its state: one cause, what was seen, what to do next. Exit code 1 where it is not well."""
    plan = load_plan(region)
    ((_, found),) = seen_services(plan, [chosen_service(plan, service)])
    if as_json:
        output.machine("explanation", schema=service_text.SCHEMA, service=service, **service_text.explanation(found))
    else:
        output.people.print(service_text.reasons(service, found), highlight=False, soft_wrap=True)
    if not found.is_well:
        raise typer.Exit(1)


@app.command()
def logs(
    region: Region,
    service: Key,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until Ctrl-C.")] = False,
    previous: Annotated[bool, typer.Option("--previous", help="Of containers that ended before these.")] = False,
    tail: Annotated[int, typer.Option(help="Lines of each replica.")] = 50,
) -> None:
    """What the replicas of a service wrote in order of time, each line with its pod; through kubectl."""
    plan = load_plan(region)
    chosen = chosen_service(plan, service)
    kubectl = shutil.which("kubectl", path=search_path())
    if kubectl is None:
        raise SpecError(
            "kubectl is not here", [Problem(path="kubectl", message="logs are read by it", remedy="`make tools`")]
        )
    command = [kubectl, "--kubeconfig", str(ROOT / kubeconfig_path(region)), "-n", chosen.namespace]
    selector = f"{SELECTOR}={chosen.name}"
    if not show_logs(command, selector=selector, tail=tail, follow=follow, previous=previous):
        problem = Problem(
            path=service,
            message="kubectl failed; its words are above",
            remedy=f"`region service explain {region} {service}`",
        )
        raise DeviceError("no logs could be read", [problem])


@app.command()
def scale(
    region: Region,
    service: Key,
    replicas: Annotated[int | None, typer.Option(min=0, help="Hold it at so many, whatever its load.")] = None,
    auto: Annotated[bool, typer.Option("--auto", help="Give it back to its own rule.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Hold a service at a count, or end that. It neither sleeps nor scales until `--auto`, also after `region up`."""
    plan = load_plan(region)
    chosen = chosen_service(plan, service)
    if (replicas is None) is not auto:
        raise typer.BadParameter("give --replicas N or --auto, one of the two")
    if chosen.kind is Kind.JOB:
        raise _not_for(service, "a job has as many pods as it declares", "`job.pods` in the tenant's file")
    if replicas is not None and replicas > chosen.max_replicas:
        raise _not_for(
            service,
            f"at most {chosen.max_replicas} are declared",
            "`scaling.max` in the tenant's file, then `region up`",
        )
    agree(
        f"{UNTIL}: {service} "
        + (
            "scales by its own rule again."
            if auto
            else f"is held at {count(replicas or 0, 'replica')} until --auto; its GPUs stay taken."
        ),
        yes,
    )

    async def change(api: KubernetesChange) -> None:
        path = f"/apis/keda.sh/v1alpha1/namespaces/{chosen.namespace}/scaledobjects/{await object_name(api, chosen)}"
        await api.annotate(path, {PAUSED_REPLICAS: None if replicas is None else str(replicas)})

    on_cluster(region, change)
    output.machine(
        "scaled", schema=service_text.SCHEMA, service=service, replicas=replicas
    ) if as_json else output.people.print("done")


@app.command()
def restart(region: Region, service: Key, yes: Yes = False, as_json: AsJson = False) -> None:
    """Start all replicas again, one after the other, as the rollout of the service says. A sleeping one stays asleep."""
    plan = load_plan(region)
    chosen = chosen_service(plan, service)
    if chosen.kind is Kind.JOB:
        raise _not_for(service, "a job runs once", "`region up` after a change of the job")
    agree(f"{UNTIL}: every replica of {service} is started again.", yes)

    async def change(api: KubernetesChange) -> None:
        path = f"/apis/apps/v1/namespaces/{chosen.namespace}/deployments/{await object_name(api, chosen)}"
        # As `kubectl rollout restart` does it: pods of another template are other pods.
        stamp = {"kubectl.kubernetes.io/restartedAt": datetime.now(UTC).isoformat(timespec="seconds")}
        await api.annotate(path, {}, template={"metadata": {"annotations": stamp}})

    on_cluster(region, change)
    output.machine("restarted", schema=service_text.SCHEMA, service=service) if as_json else output.people.print("done")


def _not_for(service: str, message: str, remedy: str) -> SpecError:
    return SpecError("nothing was touched", [Problem(path=service, message=message, remedy=remedy)])
