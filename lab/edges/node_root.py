"""The root file system of a one-host cluster: the tree of the deploy image with the packages of a host on it.

Made once and kept by content. What a host of a region gets by cloud-init and from its apt repository is there already;
all that is configured is left to the playbooks.
"""

from __future__ import annotations

from pathlib import Path

from lab import roots, shell
from lab.home import cache
from lab.images import apt_repository, deploy_image, store

_OVERLAY = deploy_image.HERE / "deploy"
_NOT_INSTALLED = ("chrony", "frr", "nvidia", "libnvidia", "linux-image")
"""Beginnings of packages that a host without a fabric, a clock and GPUs of its own has no use for."""
_SCRIPT = Path(__file__).with_name("node_root.sh")


def layers(log: Path, report: store.Report = store.silent) -> tuple[Path, Path]:
    """Lower layers of a machine's root, the upper one first."""
    tree = roots.build(deploy_image.TREE, log)
    files = [file for file in apt_repository.collect(report, log) if not file.name.startswith(_NOT_INSTALLED)]
    inputs = store.tree_inputs(_OVERLAY) | {"tree": deploy_image.TREE.digest.encode(), "script": _SCRIPT.read_bytes()}
    # A file of the cache lies in a folder that is named by its content.
    inputs |= {file.name: str(file.relative_to(cache())).encode() for file in files}

    def make(draft: Path) -> None:
        # In a mount name space of its own: a build that is killed leaves no mount behind.
        shell.run("unshare", "--mount", "--propagation=private", _SCRIPT, tree, _OVERLAY, draft, *files, log=log)

    made = store.build_once(store.digest_of(inputs), "root of a one-host cluster", make, report)
    return made / "layer", tree
