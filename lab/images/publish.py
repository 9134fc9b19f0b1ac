"""Everything that a region installs, built and put where it is fetched from; written down in artifacts.json.

Images go to the registry, packages to the apt repository, manifests and the deploy image below the HTTP server, weights
to the object store. What is there already is left alone: a second run asks the registry once for each image and ends.

    python -m lab.images.publish        does it for the lab of this checkout
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab.context import Lab
from lab.errors import LabError
from lab.home import write_atomically
from lab.images import apt_repository, containers, deploy_image, manifests, store, weights
from lab.images.registry import Registry
from lab.images.registry_auth import OperatorAuth
from lab.services import registry_tokens, secrets
from lab.toolchain.build import ensure

SCHEMA = 1


def prepare(lab: Lab, report: store.Report = store.silent) -> None:
    """Build all that can be built before the services run; `publish` then only sends."""
    built = build_images(lab, report)
    for add_on in manifests.ADD_ONS:
        manifests.build(add_on, built, registry_reference(lab), report)
    for checkpoint in weights.CHECKPOINTS:
        weights.build(checkpoint, report)
    apt_repository.publish(lab.home, report)


def publish(lab: Lab, report: store.Report = store.silent) -> bool:
    """Build and publish everything, write artifacts.json last; returns whether anything was missing."""
    home, services = lab.home, lab.wiring.services
    address = f"http://{services.address}:{services.images}"
    deploy = deploy_image.publish(home, report)
    changed = apt_repository.publish(home, report)
    built = build_images(lab, report)
    with open_registry(lab) as registry:
        changed |= bool(registry.push(built.values(), report))
    listed: dict[str, dict[str, str]] = {}
    for add_on in manifests.ADD_ONS:
        manifest = manifests.build(add_on, built, registry_reference(lab), report)
        # Named by content: a host that fetches while this runs gets the one or the other, whole.
        name = f"{manifest.path.stem}-{manifest.sha256[:12]}.yaml"
        store.publish(manifest.path, home.http / "manifests" / name)
        listed[add_on.name] = {"url": f"{address}/manifests/{name}", "sha256": manifest.sha256}
    index = {
        "schema": SCHEMA,
        "deploy_images": {deploy.name: deploy.artifact(address)},
        "container_images": {
            name: {"reference": image.reference(registry_reference(lab)), "tag": image.image.tag}
            for name, image in built.items()
        },
        "manifests": listed,
        "weights": weights.publish(lab, report),
    }
    path, text = index_file(lab), json.dumps(index, indent=1) + "\n"
    if path.exists() and path.read_text() == text:
        return changed
    write_atomically(path, text)
    return True


def index_file(lab: Lab) -> Path:
    """Where the index of all artifacts is written."""
    return lab.home.path / "artifacts.json"


def build_images(lab: Lab, report: store.Report = store.silent) -> Mapping[str, containers.Built]:
    """All container images, from the cache or made now."""
    images, log = containers.read(), lab.home.logs / "container-images.log"
    paths = ensure(*containers.programs(images))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tasks = {name: pool.submit(containers.build, name, image, paths, report, log) for name, image in images.items()}
    return {name: task.result() for name, task in tasks.items()}


def registry_reference(lab: Lab) -> str:
    """How hosts name the registry: `registry.<domain>:<port>`."""
    return f"registry.{lab.wiring.domain}:{lab.wiring.services.registry}"


def open_registry(lab: Lab) -> Registry:
    """The registry of this lab."""
    services = lab.wiring.services
    return Registry.at(
        name=f"registry.{lab.wiring.domain}",
        address=str(services.address),
        port=services.registry,
        ca=lab.home.pki / "region-ca.crt",
        auth=OperatorAuth(
            tokens=registry_tokens.realm(lab), service=registry_tokens.SERVICE, **secrets.read(lab.home, "registry")
        ),
    )


def main() -> int:
    """Publish for the lab of this checkout; returns the exit code."""
    try:
        lab = Lab.load()
        publish(lab, lambda line: print(line, file=sys.stderr, flush=True))
        print(index_file(lab))
    except LabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
