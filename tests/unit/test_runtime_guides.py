"""What the guides on services show is accepted, and becomes what they say."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from components.plan.tenants import ServicePlan
from components.runtime.objects_job import job_spec
from components.runtime.objects_pods import pod_template
from components.runtime.objects_scaling import scaled_object_spec
from components.spec.service import Kind
from tests.regions import REGIONS, ROOT, load_lab, plan_of

GUIDES = ("services.md", "my-first-service.md")
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TENANT = "tenant: {name}\nquota: {{pods: 50, gpus: 4}}\nservices:\n"


def examples() -> list[tuple[str, int, str]]:
    """Guide, number and text of each example; a list of services is one of a tenant of its own."""
    found: list[tuple[str, int, str]] = []
    for guide in GUIDES:
        text = (ROOT / "docs" / "guides" / guide).read_text()
        found += [(guide, number, block) for number, block in enumerate(BLOCK.findall(text))]
    return found


def services_of(folder: Path, text: str) -> tuple[ServicePlan, ...]:
    """Plans of the services of an example, with the lab around them."""
    shutil.copytree(REGIONS / "lab", folder / "stacks/regions/lab")
    shutil.copytree(REGIONS / "_catalogue", folder / "stacks/regions/_catalogue")
    tenants = folder / "stacks/regions/lab/tenants"
    for file in tenants.glob("*.yaml"):
        file.unlink()  # the lab's GPUs are for the example
    whole = text if text.startswith("tenant:") else TENANT.format(name="guide") + text
    name = whole.partition("\n")[0].split()[1]
    (tenants / f"{name}.yaml").write_text(whole)
    return plan_of(load_lab(folder)).runtime.services


@pytest.mark.parametrize(("guide", "number", "text"), examples(), ids=lambda v: str(v)[:20].partition("\n")[0])
def test_an_example_of_a_guide_can_be_declared(tmp_path: Path, guide: str, number: int, text: str) -> None:
    services = services_of(tmp_path, text)
    assert services, f"example {number} of {guide} declares nothing"
    for service in services:
        if service.kind is Kind.JOB:
            assert job_spec(service, {}).get("suspend") is True
            continue
        assert pod_template(service, {})["spec"]["containers"][0]["image"] == service.image  # type: ignore[index]
        if service.kind is Kind.WEB:
            assert scaled_object_spec(service)["maxReplicaCount"] == service.max_replicas


def test_the_guides_show_each_type_and_each_target() -> None:
    shown = "\n".join(text for _, _, text in examples())
    for word in ("type: worker", "type: job", "volumes:", "secrets:", "health:", "rollout:", "queue:"):
        assert word in shown
    for target in ("concurrency", "requests_per_second", "p95_ms", "cpu_percent", "memory_percent", "schedule"):
        assert f"{target}:" in shown
