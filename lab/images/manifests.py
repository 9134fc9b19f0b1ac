"""Manifests of the add-ons, out of the Go modules whose programs run in them, with this region's images.

They are plain objects: a client applies them, nothing of kustomize or Helm is left to do. What would run as a
hook of Helm (Envoy Gateway's job that makes certificates) is an ordinary object among the others.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab import shell
from lab.errors import LabError
from lab.images import store
from lab.images.containers import Built
from lab.toolchain.build import ensure
from lab.toolchain.catalogue import Module, catalogue
from lab.toolchain.golang import go

_FORMAT = b"1"
"""Raised when this module makes other manifests of the same input."""

_IMAGE = re.compile(r"^(?P<indent>\s*(?:- )?image: )(?P<name>[^\s@]+?)(?::[\w.-]+)?$", re.MULTILINE)
"""A line that names an image; `image:` without a value is a field of a schema. A tag follows the last slash."""

_KEDA = "ghcr.io/kedacore/"
_KUEUE = "us-central1-docker.pkg.dev/k8s-staging-images/kueue/kueue"
_ADD_ON = "ko://github.com/kedacore/http-add-on/"


@dataclass(frozen=True, kw_only=True)
class AddOn:
    """One manifest and where it comes from."""

    name: str
    module: str
    """Module of the toolchain."""
    render: Callable[[Module, Mapping[str, str], str], str]
    """From (module, references of our images by name, the registry) to the objects as YAML."""
    tool: str
    """Program that renders it."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A manifest in the cache."""

    name: str
    path: Path
    sha256: str


def build(add_on: AddOn, images: Mapping[str, Built], registry: str, report: store.Report) -> Manifest:
    """The manifest, made if the cache does not have it."""
    module = catalogue().modules[add_on.module]
    references = {name: image.reference(registry) for name, image in images.items()}
    file_name = f"{add_on.name}-{module.version.removeprefix('v')}.yaml"
    inputs = {
        "format": _FORMAT,
        "name": file_name.encode(),
        "pinned": (module.folder / "go.sum").read_bytes(),
        "images": "\n".join(sorted(references.values())).encode(),
        "tool": catalogue().programs[add_on.tool].module.version.encode(),
    }

    def make(draft: Path) -> None:
        text = add_on.render(module, references, registry)
        (draft / file_name).write_text(text)
        (draft / "sha256").write_text(store.sha256_file(draft / file_name))

    done = store.build_once(store.digest_of(inputs), f"manifest {file_name}", make, report)
    return Manifest(name=add_on.name, path=done / file_name, sha256=(done / "sha256").read_text())


def replace_images(text: str, references: Mapping[str, str]) -> str:
    """`text` with each image's upstream name replaced; an image that is not ours is an error."""

    def replace(found: re.Match[str]) -> str:
        try:
            return found["indent"] + references[found["name"]]
        except KeyError:
            raise LabError(
                f"a manifest names an image that the region's registry does not have: {found['name']}",
                allowed=", ".join(references),
                remedy="add the image to lab/images/containers.yaml and its upstream name to lab/images/manifests.py",
            ) from None

    return _IMAGE.sub(replace, text).replace("imagePullPolicy: Always", "imagePullPolicy: IfNotPresent")


def _kustomize(module: Module) -> str:
    folder = go().module_folder(module) / "config" / "default"
    return shell.run(ensure("kubectl")["kubectl"], "kustomize", folder)


def _keda(module: Module, references: Mapping[str, str], _registry: str) -> str:
    names = ("keda", "keda-metrics-apiserver", "keda-admission-webhooks")
    return replace_images(_kustomize(module), {_KEDA + name: references[name] for name in names})


def _http_add_on(module: Module, references: Mapping[str, str], _registry: str) -> str:
    parts = ("operator", "interceptor", "scaler")
    text = replace_images(_kustomize(module), {_ADD_ON + part: references[f"http-add-on-{part}"] for part in parts})
    return text.replace("app.kubernetes.io/version: HEAD", f"app.kubernetes.io/version: {module.version}")


def _envoy_gateway(module: Module, references: Mapping[str, str], registry: str) -> str:
    gateway = references["envoy-gateway"]
    values = {
        "config.envoyGateway.provider.kubernetes.shutdownManager.image": gateway,
        "global.images.envoyProxy.image": references["envoy"],
        "global.images.envoyProxy.pullPolicy": "IfNotPresent",
        # Not used, and not in the registry: whoever turns rate limits on is told by a pull error which image to add.
        "global.images.ratelimit.image": f"{registry}/envoyproxy/ratelimit:8fe6ea42",
    }
    with tempfile.TemporaryDirectory() as folder:
        chart = Path(folder) / "chart"
        shutil.copytree(go().module_folder(module) / "charts" / "gateway-helm", chart, copy_function=shutil.copyfile)
        # The release process fills these in; the module carries the templates.
        template = (chart / "values.tmpl.yaml").read_text()
        filled = template.replace("${GatewayImage}", gateway).replace("${GatewayImagePullPolicy}", "IfNotPresent")
        (chart / "values.yaml").write_text(filled)
        about = (chart / "Chart.yaml").read_text()
        version = module.version.removeprefix("v")
        (chart / "Chart.yaml").write_text(about.replace("v0.0.0-latest", version).replace('"latest"', f'"{version}"'))
        settings = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
        options = ("--namespace", "envoy-gateway-system", "--include-crds", *settings)
        return shell.run(ensure("helm")["helm"], "template", "eg", chart, *options)


def _kueue(module: Module, references: Mapping[str, str], _registry: str) -> str:
    return replace_images(_kustomize(module), {_KUEUE: references["kueue"]})


ADD_ONS = (
    AddOn(name="keda", module="keda", render=_keda, tool="kubectl"),
    AddOn(name="http-add-on", module="keda-http-add-on", render=_http_add_on, tool="kubectl"),
    AddOn(name="envoy-gateway", module="envoy-gateway", render=_envoy_gateway, tool="helm"),
    AddOn(name="kueue", module="kueue", render=_kueue, tool="kubectl"),
)
