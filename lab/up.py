"""Brings the lab up: the list of what must be there, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from lab import devices, limits, mounts, network, prerequisites, realtime, roots
from lab.bmc import service as bmc
from lab.context import Lab
from lab.down import take_over
from lab.errors import LabError
from lab.home import claim, locked
from lab.images import publish, ramdisk
from lab.progress import Progress
from lab.services import dns, ironic, ntp, pki, registry, registry_tokens, s3, secrets, web
from lab.services.service import Service, ensure
from lab.steps import Outcome, Step, perform, with_needs
from lab.switches import root as factory


def up(lab: Lab, progress: Progress, only: Sequence[str] = ()) -> Sequence[Outcome]:
    """Make everything of the lab that is missing, or `only` some parts with what they need."""
    prerequisites.require()
    with locked():
        take_over(lab.home, progress)
        claim(lab.home)
        network.refuse_collisions(lab.wiring)
        _prepare(lab)
        steps = with_needs(plan(lab, progress), only) if only else plan(lab, progress)
        outcomes = perform(steps, progress)
    failed = [o for o in outcomes if o.error]
    if failed:
        left_out = len(steps) - len(outcomes)
        raise LabError(
            f"{len(failed)} of {len(steps)} steps failed"
            + (f", {left_out} that need them were left out" if left_out else ""),
            details=[f"{o.step.title}: {o.error}".replace("\n", "\n  ") for o in failed],
            remedy="mend the cause and run `python -m lab up` again: what is there already stays;"
            " docs/runbooks/LabDoesNotStart.md",
        )
    return outcomes


def plan(lab: Lab, progress: Progress) -> list[Step]:
    """All steps. Each looks first and acts only on what is missing."""
    steps = [
        Step(name="root", title="root tree of switches and services", act=partial(_build_root, lab)),
        Step(name="limits", title="limits of the kernel", act=limits.raise_all),
        Step(name="pki", title="region CA and server certificates", act=partial(pki.ensure, lab.home, lab.wiring)),
        Step(name="secrets", title="credentials and keys", act=partial(secrets.ensure, lab.home, lab.wiring)),
        Step(name="network", title="bridge, cables, edge links", act=partial(network.ensure, lab.wiring)),
    ]
    steps += [
        Step(
            name=f"switch:{switch.name}",
            title=f"switch {switch.name}",
            act=partial(devices.turn_on, lab, switch),
            needs=("root", "secrets", "network", "limits"),
        )
        for switch in lab.wiring.switches
    ]
    servers: list[tuple[Callable[[Lab], Service], str, tuple[str, ...]]] = [
        (dns.service, "dns", ()),
        (ntp.service, "ntp", ("root",)),
        (realtime.service, "realtime", ()),
        (web.service, "web", ("root",)),
        (registry_tokens.service, "registry-tokens", ("pki", "secrets")),
        (registry.service, "registry", ("pki", "registry-tokens")),
        (s3.service, "s3", ("pki", "secrets")),
        (bmc.service, "bmc", ("pki", "secrets", "limits")),
        (ironic.service, "ironic", ("pki", "secrets", "ramdisk")),
    ]
    steps += [
        Step(name=name, title=f"{name} server", act=partial(_serve, lab, make), needs=("network", *needs))
        for make, name, needs in servers
    ]
    steps.append(
        Step(
            name="ramdisk",
            title="agent ramdisk of Ironic, built",
            act=partial(_build_ramdisk, lab, partial(progress.note, "ramdisk")),
        )
    )
    build, send = "artifacts-build", "artifacts"
    steps += [
        Step(
            name=build,
            title="images, packages and manifests, built",
            act=partial(_build_artifacts, lab, partial(progress.note, build)),
        ),
        Step(
            name=send,
            title="images, packages and manifests, published",
            act=partial(publish.publish, lab, partial(progress.note, send)),
            needs=(build, "registry", "web", "s3"),
        ),
    ]
    return steps


def _prepare(lab: Lab) -> None:
    lab.home.make()
    mounts.share(lab.home.path)
    lab.write_as_built()


def _build_root(lab: Lab) -> bool:
    missing = not factory.SPEC.path.exists()
    roots.build(factory.SPEC, lab.home.logs / "switch-root.log")
    return missing


def _build_ramdisk(lab: Lab, note: Callable[[str], None]) -> bool:
    ramdisk.build(lab.home.logs / "ramdisk.log", note)
    return False  # into the cache of this user, which is no part of the lab


def _build_artifacts(lab: Lab, note: Callable[[str], None]) -> bool:
    publish.prepare(lab, note)
    return False  # into the cache of this user, which is no part of the lab


def _serve(lab: Lab, make: Callable[[Lab], Service]) -> bool:
    return ensure(make(lab), lab.home)
