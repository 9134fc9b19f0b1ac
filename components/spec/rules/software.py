"""Rules on software: image, driver and cluster are versions that go together, on hardware that they fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from components.spec.catalogue.rack import RackProfile
from components.spec.catalogue.software import SoftwareSet
from components.spec.image import Image
from components.spec.limits import CONTAINERD_FOR_KUBERNETES
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """A kind of rack with its image: what the software must fit; the first rack of it stands for all."""

    index: int
    profile: RackProfile
    image: Image

    @property
    def architecture(self) -> str | None:
        """Of its GPUs; None without any."""
        tray = self.profile.tray
        return "simulated" if self.profile.simulated and tray.gpus else tray.gpu_architecture


def _pairs(region: Region) -> Iterator[_Pair]:
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    seen: set[tuple[str, str]] = set()
    for r, rack in enumerate(region.racks):
        profile, image = profiles.get(rack.profile), region.images.get(rack.image)
        if profile and image and (rack.profile, rack.image) not in seen:
            seen.add((rack.profile, rack.image))
            yield _Pair(index=r, profile=profile, image=image)


def _sets(region: Region, pair: _Pair, driver: str | None) -> tuple[SoftwareSet, ...]:
    return region.catalogue.software_for(
        os=pair.image.os, arch=pair.image.arch, gpu_architecture=pair.architecture, driver=driver
    )


def _driver(region: Region, pair: _Pair) -> str | None:
    """The driver that the hosts get; those without GPUs get none."""
    return region.drivers.nvidia if pair.architecture else None


@rule("image-arch", "racks", "images", "catalogue")
def images_run_on_the_trays(region: Region) -> Iterator[Fault]:
    """An image is built for the processors of the trays that it goes to.

    Example: an image of x86_64 on GB200 trays, which are aarch64.
    """
    for pair in _pairs(region):
        if pair.image.arch != pair.profile.tray.arch:
            yield Fault(
                at=("racks", pair.index, "image"),
                message=f"trays of {pair.profile.profile} do not run an image of this architecture",
                found=f"{pair.image.name}: {pair.image.arch}",
                allowed=pair.profile.tray.arch,
                remedy="name another image, or build this one for these trays",
            )


@rule("software-set", "racks", "images", "drivers", "catalogue")
def software_sets_exist(region: Region) -> Iterator[Fault]:
    """Some set of the catalogue has the image's system, the trays' GPUs and the driver together.

    Example: driver 570.0.0, where all sets for Blackwell have 580.126.20.
    """
    for pair in _pairs(region):
        if pair.image.arch != pair.profile.tray.arch or _sets(region, pair, _driver(region, pair)):
            continue
        others = _sets(region, pair, None)
        gpus = f"{pair.architecture} GPUs" if pair.architecture else "servers without GPUs"
        if others:
            yield Fault(
                at=("drivers", "nvidia"),
                message=f"no software set has this driver for {gpus} on {pair.image.os} ({pair.image.arch})",
                found=region.drivers.nvidia,
                allowed=", ".join(f"{each.driver} ({each.software})" for each in others),
                remedy="take a driver that was tested, or add the set to the catalogue once it was",
            )
        else:
            known = sorted(
                {
                    f"{each.os} ({each.arch})"
                    for each in region.catalogue.software
                    if pair.architecture is None or pair.architecture in each.gpu_architectures
                }
            )
            yield Fault(
                at=("racks", pair.index, "image"),
                message=f"no software set is for {gpus} on the system of this image",
                found=f"{pair.image.name}: {pair.image.os} ({pair.image.arch})",
                allowed=", ".join(known) or "no system is known for these GPUs",
                remedy="use an image of one of these systems, or add a set to the catalogue",
            )


def _used(region: Region) -> Iterator[tuple[_Pair, tuple[SoftwareSet, ...]]]:
    """Kinds of racks with the sets that they may use; those without one have a rule of their own."""
    for pair in _pairs(region):
        if sets := _sets(region, pair, _driver(region, pair)):
            yield pair, sets


@rule("software-kubernetes", "racks", "images", "drivers", "cluster", "catalogue")
def kubernetes_is_in_range(region: Region) -> Iterator[Fault]:
    """Every kind of host has a software set that was tested with the cluster's Kubernetes and containerd.

    Example: Kubernetes 1.33.1 where the sets begin with 1.34.
    """
    cluster = region.cluster
    minor, containerd = (version.rpartition(".")[0] for version in (cluster.kubernetes, cluster.containerd))
    if containerd not in CONTAINERD_FOR_KUBERNETES.get(minor, ()):  # another rule: nothing runs these two
        return
    for pair, sets in _used(region):
        if not any(each.kubernetes.holds(cluster.kubernetes) for each in sets):
            at, found = "kubernetes", cluster.kubernetes
            ranges = (f"{each.kubernetes.oldest} to {each.kubernetes.newest} ({each.software})" for each in sets)
        elif not any(containerd in each.containerd for each in sets):
            at, found = "containerd", cluster.containerd
            ranges = (f"{', '.join(each.containerd)} ({each.software})" for each in sets)
        else:
            continue
        yield Fault(
            at=("cluster", at),
            message=f"the software of {pair.profile.profile} hosts was not tested with this version",
            found=found,
            allowed="; ".join(ranges),
            remedy="choose a version in range, or add a set to the catalogue once it was tested",
        )
        return


@rule("software-doca", "racks", "images", "drivers", "catalogue")
def doca_is_of_the_set(region: Region) -> Iterator[Fault]:
    """Where a software set has DOCA, the region installs that version of it, and otherwise none.

    Example: `doca: 3.0.0` where the set of the driver has 3.2.1.
    """
    doca = region.drivers.doca
    wanted = {
        each.doca: each.software for pair, sets in _used(region) if pair.architecture for each in sets if each.doca
    }
    if (doca is None and wanted) or (doca is not None and doca not in wanted):
        yield Fault(
            at=("drivers", "doca") if doca else ("drivers",),
            message="the drivers of the network cards are not those that the GPU driver was tested with",
            found=doca or "no doca",
            allowed=", ".join(f"{version} ({name})" for version, name in sorted(wanted.items())) or "none",
            remedy="take the version of the set" if wanted else "remove `doca`: no set of these hosts has it",
        )


@rule("imex-missing", "racks", "images", "drivers", "catalogue")
def nvlink_racks_have_imex(region: Region) -> Iterator[Fault]:
    """Hosts of an NVLink domain have a set with IMEX, which must be of the driver's version.

    Example: GB200 racks with a software set that names no `imex`.
    """
    for pair, sets in _used(region):
        if pair.profile.nvlink and not any(each.imex == each.driver for each in sets):
            yield Fault(
                at=("racks", pair.index, "image"),
                message=f"trays of {pair.profile.profile} share memory over NVLink, and no set of theirs has the"
                " daemon for it in the driver's version",
                found=", ".join(f"{each.software}: imex {each.imex or 'absent'}" for each in sets),
                allowed=f"imex {region.drivers.nvidia}",
                remedy="complete the set in the catalogue",
            )


@rule("imex-owner", "drivers")
def imex_has_one_owner(region: Region) -> Iterator[Fault]:
    """IMEX has one owner: the DRA driver hands out the GPUs here and starts the daemons, so the host does not.

    Example: `imex: host`.
    """
    if region.drivers.imex == "host":
        yield Fault(
            at=("drivers", "imex"),
            message="two would start the IMEX daemons: the host, and the DRA driver with each workload",
            found="host",
            allowed="dra, while GPUs are handed out by the DRA driver, as in every region",
            remedy="write `imex: dra`, or leave it out",
        )


@rule("firmware-baseline", "racks", "catalogue")
def firmware_has_a_baseline(region: Region) -> Iterator[Fault]:
    """Every kind of rack has a firmware baseline, or its profile says under `unknown` why it has none.

    Example: a profile that neither names `firmware` nor lists it as unknown.
    """
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    said: set[str] = set()
    for r, rack in enumerate(region.racks):
        profile = profiles.get(rack.profile)
        if profile is None or profile.simulated or profile.profile in said:
            continue
        said.add(profile.profile)
        if profile.firmware is None and "firmware" not in profile.unknown:
            yield Fault(
                at=("racks", r, "profile"),
                message=f"nothing says which firmware a rack of {profile.profile} is brought to",
                found="no firmware",
                allowed=", ".join(baseline.baseline for baseline in region.catalogue.baselines),
                remedy="name the baseline in the profile, or say there under `unknown` why there is none",
            )


RULES = (
    images_run_on_the_trays,
    software_sets_exist,
    kubernetes_is_in_range,
    doca_is_of_the_set,
    nvlink_racks_have_imex,
    imex_has_one_owner,
    firmware_has_a_baseline,
)
