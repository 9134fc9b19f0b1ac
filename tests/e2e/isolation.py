"""Two tenants that attacks on isolation take for victims, and a namespace without rules, beside those of the lab.

The attacker is the lab's tenant `demo`, as Pulumi declared it. The victims are made from the plan, and removed at the
end. Each attack is tried a second time from where the rule does not hold: it works there, so it is the rule that
refuses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.plan import RegionPlan
from components.plan.serving import GATEWAY_NAMESPACE
from components.plan.tenants import TenantPlan
from components.spec.tenant import ApiKey, Person, PersonRole
from stacks.description import describe, refuse_unready
from tests.e2e import tenants
from tests.e2e.process import run
from tests.e2e.services import region_up

ATTACKER = "tenant-demo"
NAMED, FREE = "tenant-rival", "isolation-control"
PEOPLE = (
    Person(name="ada@rival.example", role=PersonRole.ADMIN),
    Person(name="dan@rival.example", role=PersonRole.DEVELOPER),
)
KEYS = (ApiKey(name="tester", secret="file:none"),)


def rival(name: str, rate: int | None, domain: str) -> tenants.Rival:
    plan = TenantPlan(
        name=name,
        namespace=NAMED,
        pods=20,
        gpus=2,
        domain=f"{name}.{domain}",
        people=PEOPLE,
        keys=KEYS,
        rate_limit_rps=rate,
    )
    return tenants.Rival(tenant=plan)


def is_up() -> bool:
    """Whether a lab is up, with the attacker in it."""
    done = run("kubectl", "get", "httproutes", "-n", ATTACKER, "--request-timeout=10s", expect=range(256))
    return done.returncode == 0 and "hello-gpu" in done.stdout


@pytest.fixture(scope="session")
def lab_plan() -> Iterator[RegionPlan]:
    """A lab that is up, with the images that are published in it; removed at the end if it was not there before."""
    with region_up(is_there=is_up()):
        described = describe("lab")
        refuse_unready(described)
        yield described.plan


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("isolation")


@pytest.fixture(scope="module")
def rivals(lab_plan: RegionPlan, folder: Path) -> Iterator[dict[str, tenants.Rival]]:
    """`rival`, which lets four requests a second through, and `third`, which has another key and no such bound."""
    made = {name: rival(name, rate, lab_plan.domain) for name, rate in (("rival", 4), ("third", None))}
    doors = ("listenersets.gateway.networking.k8s.io", "securitypolicies.gateway.envoyproxy.io", "secrets")
    gone = (f"namespace/{NAMED}", f"namespace/{FREE}", f"clusterqueue/{NAMED}")
    tenants.kubectl("wait", "--for=delete", *gone, "--timeout=90s")  # another module may just have removed its own
    with tenants.removed(
        ("namespace", NAMED, FREE),
        ("clusterqueue", NAMED),
        *(
            ("-n", GATEWAY_NAMESPACE, kind, *(f"{name}{end}" for name in made for end in ends))
            for kind, ends in (*((k, ("",)) for k in doors[:2]), (doors[2], ("-tls", "-keys")))
        ),
        ("-n", GATEWAY_NAMESPACE, "backendtrafficpolicies.gateway.envoyproxy.io", "rival"),
    ):
        tenants.apply(folder, [tenants.namespace(FREE), *tenants.tenant_objects(lab_plan, made["rival"])])
        for each in made.values():
            tenants.apply(folder, tenants.door_objects(lab_plan, each))
        tenants.kubectl("-n", NAMED, "wait", "--for=condition=Ready", "pod/echo", "--timeout=90s")
        yield made
