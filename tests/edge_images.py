"""The images of a region on an edge: a registry of its own in the edge's namespace, and what is pushed to it.

In it is what the region's plan names and nothing else, as in a region's own registry.
"""

from __future__ import annotations

import json
import os
import ssl
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import httpx

from components.clients.certificates import issue
from components.plan.pending import completed
from components.spec import Region
from components.spec.artifacts import ArtifactIndex
from components.spec.services import services_here
from lab.edges.programs import Programs
from lab.edges.spaces import Inside
from lab.errors import LabError
from lab.images import containers, manifests, store
from lab.images.containers import Built, Image
from lab.images.registry import Registry
from lab.toolchain.build import ensure

SYSTEM = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "etcd", "coredns", "pause")
ADD_ONS = {
    "keda": ("keda", "keda-metrics-apiserver", "keda-admission-webhooks"),
    "http-add-on": ("http-add-on-operator", "http-add-on-interceptor", "http-add-on-scaler"),
    "envoy-gateway": ("envoy-gateway", "envoy"),
}
"""What of the runtime runs on an edge, with its images."""
WEB_PORT = 8080
REGISTRY = "registry"
"""Folder of what the registry has."""
PATIENCE_S = 30


def built(region: Region, tenant: str, log: Path) -> dict[str, Built]:
    """All images of the edge by name; each service of the tenant has one of its own, of the program hello-gpu."""
    listed = containers.read()
    wanted = {name: listed[name] for name in (*SYSTEM, *(each for names in ADD_ONS.values() for each in names))}
    for placed in services_here(region):
        if placed.tenant.tenant == tenant and (name := placed.service.image):
            wanted[name] = service_image(name)
    paths = ensure(*containers.programs(wanted))
    return {name: containers.build(name, image, paths, store.silent, log) for name, image in wanted.items()}


def service_image(name: str) -> Image:
    """Another digest for each name: the version is a part of the image."""
    return Image(repository=f"shop/{name}", tag=name, program="hello-gpu", entrypoint=True, user=65532)


def index(region: Region, images: Mapping[str, Built], registry: str, address: str, folder: Path) -> ArtifactIndex:
    """What the region's plan is made with: these images and the add-ons' manifests, which are put into the folder."""
    listed: dict[str, dict[str, str]] = {}
    for add_on in manifests.ADD_ONS:
        if add_on.name in ADD_ONS:
            made = manifests.build(add_on, images, registry, store.silent)
            store.publish(made.path, folder / made.path.name)
            listed[add_on.name] = {"url": f"http://{address}:{WEB_PORT}/{made.path.name}", "sha256": made.sha256}
    published = ArtifactIndex.model_validate(
        {
            "schema": 1,
            "deploy_images": {},
            "container_images": {
                name: {"reference": image.reference(registry), "tag": image.image.tag} for name, image in images.items()
            },
            "manifests": listed,
        }
    )
    return completed(published, region)[0]


def serve(programs: Programs, namespace: str, name: str, address: str, folder: Path) -> None:
    """The registry, with a certificate by the authority `ca` in the folder, and what serves the manifests."""
    pair = issue(folder, ca_certificate="file:ca.crt", ca_key="file:ca.key", names=[name.partition(":")[0]], days=2)
    certificate, key = folder / "registry.crt", folder / "registry.key"
    certificate.write_text(pair.certificate)
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(pair.key)
    config = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / REGISTRY)}},
        "http": {
            "addr": f"{address}:{name.partition(':')[2]}",
            "relativeurls": True,
            "secret": "of a test",
            "tls": {"certificate": str(certificate), "key": str(key)},
        },
    }
    (folder / "registry.json").write_text(json.dumps(config))
    inside = ["ip", "netns", "exec", namespace]
    quiet = ["env", "OTEL_TRACES_EXPORTER=none"]
    programs.start("registry", [*inside, *quiet, ensure("registry")["registry"], "serve", folder / "registry.json"])
    web = ["python3", "-m", "http.server", str(WEB_PORT), "--bind", address, "--directory", folder / "manifests"]
    programs.start("web", [*inside, *web])


def push(inside: Inside, images: Iterable[Built], name: str, address: str, authority: Path) -> None:
    """Put images into the registry, once it answers."""
    inside.run(_push, images, name, address, authority)


def _push(images: Iterable[Built], name: str, address: str, authority: Path) -> None:
    port = name.partition(":")[2]
    client = httpx.Client(
        base_url=f"https://{address}:{port}/v2/",
        headers={"Host": name},
        verify=ssl.create_default_context(cafile=str(authority)),
        timeout=60,
        trust_env=False,
    )
    host = name.partition(":")[0]
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            client.get("", extensions={"sni_hostname": host}).raise_for_status()
            break
        except httpx.HTTPError as error:
            if time.monotonic() > end:
                raise LabError(f"the registry {name} does not answer", found=str(error)) from None
            time.sleep(0.2)
    with Registry(name=host, reference=name, client=client) as registry:
        registry.push(images)
