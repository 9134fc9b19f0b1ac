"""What is refused of a catalogue: one row for each rule, with the exact words that the operator gets."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.errors import Problem, SpecError
from components.spec.catalogue import CHECKS, load_catalogue
from tests.regions import REGIONS, Edit

CATALOGUE = "stacks/regions/_catalogue"
MADE_BY_THE_READER = {"catalogue-file-name", "catalogue-stray"}


@dataclass(frozen=True)
class Row:
    """One wrong file of the catalogue, and what is said about it, word by word."""

    rule: str
    edit: Edit
    line: str
    """Text of the line that the problem points at, after the edit; the first that has it."""
    path: str
    message: str
    found: str | None
    allowed: str | None
    remedy: str


def row(rule: str, file: str, old: str, new: str, line: str, path: str, says: str) -> Row:
    """A row; `says` is message, found, allowed and remedy, split at `|`; an empty one is absent."""
    message, found, allowed, remedy = says.split("|")
    return Row(rule, Edit(file, old, new), line, path, message, found or None, allowed or None, remedy)


_GB200 = "racks/gb200-nvl72.yaml"
_SHELF = "power/power-shelf-33kw.yaml"
_BRING_UP = "bring_up/gb200-nvl72.yaml"

# One row, a few lines: a table, which the formatter would stretch to a scroll.
# fmt: off
ROWS = [
    row("evidence-missing", _GB200, "  weight_kg: {confidence: V, sources: [S15], note: a secondary source}\n", "",
        "weight_kg: 1360", "catalogue.racks[3].weight_kg",
        "nothing says why this value of gb200-nvl72 is believed|1360.0|an entry of `evidence` for the field, or for one"
        " above it|add `weight_kg: {confidence: V, sources: [S1]}` to its evidence, or leave the value out and say why"
        " under `unknown`"),
    row("evidence-missing", "firmware/dgx-gb300-1-0-6.yaml", "  tools: {confidence: V, sources: [S19]}\n", "",
        "mft: 4.34.1", "catalogue.baselines[2].tools.mft",
        "nothing says why this value of dgx-gb300-1-0-6 is believed|4.34.1|an entry of `evidence` for the field, or for"
        " one above it|add `tools.mft: {confidence: V, sources: [S1]}` to its evidence, or leave the value out and say"
        " why under `unknown`"),
    row("firmware-part", "firmware/dgx-gb200.yaml", "NVOS: nvos", "NVOS: nvoss",
        "NVOS: nvoss", "catalogue.baselines[1].inventory.nvlink_switch.NVOS",
        "there is no such firmware part|nvoss|bf3_bmc, bf3_erot, bf3_nic, bf3_uefi, bmc, cx7, delta_pmc, delta_psu, fpga,"
        " gpu, hmc, hmc_cpld, hmc_erot, liteon_pmc, liteon_psu, nvlink_bmc, nvlink_bmc_erot, nvlink_cpld1, nvlink_cpld2,"
        " nvlink_cpld3, nvlink_cpld4, nvlink_fpga, nvlink_sbios, nvos, sbios|did you mean nvos?"),
    row("evidence-dangling", _SHELF, "  supply_kw: {confidence", "  suply_kw: {confidence",
        "  suply_kw:", "catalogue.power_units[1].evidence.suply_kw",
        "there is no such value of power-shelf-33kw|suply_kw|is_managed, kind, kw, makers, power_unit, supplies,"
        " supply_kw|did you mean supply_kw?"),
    row("evidence-source", _SHELF, "  kw: {confidence: V, sources: [S4]}", "  kw: {confidence: V}",
        "  kw: {conf", "catalogue.power_units[1].evidence.kw",
        "a value that was read has no source|confidence V|V with `sources`, D or K with a `note`|name the source, or say K"),
    row("evidence-note", _SHELF, "  kw: {confidence: V, sources: [S4]}", "  kw: {confidence: D, sources: [S4]}",
        "  kw: {conf", "catalogue.power_units[1].evidence.kw",
        "a value that was not read has no note|confidence D|a note: the derivation for D, what to check for K|add `note`"),
    row("source-unused", "sources.yaml", "", "S99: {title: A rumour, where: somewhere}\n",
        "S99:", "catalogue.sources.S99",
        "no fact comes from this source|S99||remove it, or name it where it was read"),
    row("unknown-known", _GB200, "unknown:\n", "unknown:\n  weight_kg: not read\n",
        "  weight_kg: not read", "catalogue.racks[3].unknown.weight_kg",
        "gb200-nvl72 has a value that it calls unknown|weight_kg||remove one of them; doubt about a value goes into its"
        " evidence"),
    row("catalogue-reference", _GB200, "{model: power-shelf-33kw,", "{model: power-shelf-33,",
        "power_shelves: {model", "catalogue.racks[3].power_shelves.model",
        "there is no such power shelf|power-shelf-33|power-shelf-33kw|did you mean power-shelf-33kw?"),
    row("catalogue-reference", _GB200, "firmware: dgx-gb200", "firmware: rubbish",
        "firmware: rubbish", "catalogue.racks[3].firmware",
        "there is no such firmware baseline|rubbish|dgx-b200, dgx-gb200, dgx-gb300-1-0-6, dgx-h200|declare it in the"
        " catalogue's firmware/, or name another"),
    row("port-rail", _GB200, "role: compute, rail: 3,", "role: compute, rail: 2,",
        "  ports:", "catalogue.racks[3].tray.ports",
        "the rails of a tray of gb200-nvl72 are not numbered one by one|0, 1, 2, 2|0 to 3, each once|number them in the"
        " order of the ports"),
    row("port-duplicate", _GB200, 'pci: "0012:03:00.0"', 'pci: "0010:03:00.0"',
        "name: right-p4", "catalogue.racks[3].tray.ports[3].pci",
        "two ports of a tray have the same pci|0010:03:00.0||copy it from a tray again"),
    row("port-not-nic", "racks/l4-edge-server.yaml", "interface: ens1f1np1}", "interface: ens1f2}",
        "  ports:", "catalogue.racks[5].tray.ports",
        "in-band ports of l4-edge-server are other interfaces than its uplinks|ens1f0np0, ens1f2|ens1f0np0, ens1f1np1|"
        "correct `nics`, or the ports' interfaces"),
    row("gpu-facts", _GB200, "  gpu_architecture: blackwell\n", "",
        "  gpus: 4", "catalogue.racks[3].tray.gpus",
        "gb200-nvl72 has 4 GPUs and no architecture of them||`gpu_architecture` exactly where there are GPUs|correct one"
        " of them"),
    row("nvlink-domain-size", _GB200, "gpus_per_domain: 72", "gpus_per_domain: 36",
        "nvlink: {", "catalogue.racks[3].nvlink.gpus_per_domain",
        "the NVLink domain of gb200-nvl72 is not its 18 trays x 4 GPUs|36|72|correct the slots, the GPUs or the domain"),
    row("rack-power-order", _GB200, "planned_kw: 132,", "planned_kw: 151,",
        "power: {", "catalogue.racks[3].power.planned_kw",
        "planned_kw of gb200-nvl72 is more than its nameplate_kw|151 kW|at most 150 kW|correct one of them"),
    row("shelf-capacity", "racks/gb300-nvl72.yaml", "nameplate_kw: 142,", "nameplate_kw: 232,",
        "power_shelves: {", "catalogue.racks[4].power_shelves.count",
        "gb300-nvl72 may draw 232 kW, and with one shelf lost 7 x 33 kW = 231 kW are left|8||correct the shelves or the"
        " rack's power"),
    row("oob-switch-ports", "racks/vera-rubin-nvl72.yaml", "{model: sn2201, count: 2}", "{model: sn2201, count: 1}",
        "oob_switches:", "catalogue.racks[8].oob_switches",
        "a rack of vera-rubin-nvl72 has 63 management ports to plug in|1 x 48 = 48|at least 63|add a switch"),
    row("elevation-overlap", _GB200, "{unit: 17, what: nvlink", "{unit: 16, what: nvlink",
        "elevation:", "catalogue.racks[3].elevation",
        "two things of gb200-nvl72 stand in rack unit 16|compute 8 and nvlink 1||move one of them"),
    row("elevation-count", "racks/dgx-h200.yaml", "number: 1, count: 4, height_u: 8}", "number: 1, count: 3, height_u: 8}",
        "elevation:", "catalogue.racks[2].elevation",
        "the drawing of dgx-h200 does not show what the rack has: compute|3|4|correct the drawing"),
    row("switch-port-names", "switches/qm9700.yaml", 'port_name: "IB1/{cage}/{lane}"', 'port_name: "IB1/{cage}"',
        "port_name:", "catalogue.switches[2].port_name",
        "two ports of qm9700 would have the same name|IB1/{cage}|{port}, or {cage} with {lane}|write the name as the"
        " switch's system does"),
    row("breakout-speed", "switches/sn5600.yaml", "{lanes: 2, speed_gbps: 400}", "{lanes: 4, speed_gbps: 400}",
        "breakouts:", "catalogue.switches[4].breakouts[0]",
        "the parts of a split port of sn5600 are faster than the port|4 x 400 Gbit/s|800 Gbit/s together|correct the"
        " split"),
    row("supply-sum", _SHELF, "supplies: 6", "supplies: 5",
        "kw: 33", "catalogue.power_units[1].kw",
        "power-shelf-33kw does not give what its supplies give|33 kW|5 x 5.5 kW = 27.5 kW|correct one of them"),
    row("imex-version", "software/grace-ubuntu-2404.yaml", "imex: 580.126.20", "imex: 580.105.08",
        "imex:", "catalogue.software[1].imex",
        "imex of grace-ubuntu-2404 is not of the driver's version|580.105.08|580.126.20|take both from one driver"
        " release"),
    row("driver-modules", "software/grace-ubuntu-2404.yaml", "driver_modules: open", "driver_modules: proprietary",
        "driver_modules:", "catalogue.software[1].driver_modules",
        "proprietary kernel modules do not drive blackwell, blackwell-ultra|proprietary|open|install the open modules,"
        " or leave these GPUs out of the set"),
    row("kubernetes-range", "software/l4-ubuntu-2404.yaml", 'oldest: "1.34"', 'oldest: "1.37"',
        "kubernetes:", "catalogue.software[3].kubernetes",
        "the range of l4-ubuntu-2404 is empty|1.37 to 1.36|oldest before newest|exchange them"),
    row("latency-pair", "latency.yaml", "between: [sweden, tokyo]", "between: [tokyo, paris]",
        "  - between: [tokyo, paris]", "catalogue.latencies[9]",
        "two sites have one latency between them|tokyo and paris|each pair of different sites once|remove it"),
    row("latency-floor", "latency.yaml", "planning_ms: 170", "planning_ms: 50",
        "    planning_ms: 50", "catalogue.latencies[3].planning_ms",
        "light in fibre takes longer between paris and singapore|50 ms|at least 105 ms|correct it"),
    row("latency-country", "latency.yaml", "between: [sweden, tokyo]", "between: [sweden, osaka]",
        "  - between: [sweden, osaka]", "catalogue.latencies[9].between[1]",
        "there is no such site|osaka|essonne, paris, singapore, sweden, tokyo|declare it in sites, or name another"),
    row("bring-up-order", _BRING_UP, "          - HGX_FW_GPU_3\n    steps:\n",
        "          - HGX_FW_GPU_3\n    steps: # here\n      - {step: hand-over, limit_s: 9}\n",
        "# here", "catalogue.bring_ups[0].kinds.compute_tray.steps",
        "steps stand twice or in an order in which they cannot be done|hand-over, find, credentials, match, flash,"
        " activate, verify, configure, boot, power-off, hand-over|find, credentials, match, flash, activate, verify,"
        " configure, boot, power-off, hand-over|order them"),
    row("bring-up-reset", _BRING_UP, "activations:\n      - {by: bmc-reset, components: [bmc_active",
        "activations:\n      - {by: aux-cycle, components: [bmc_active", "{by: aux-cycle",
        "catalogue.bring_ups[0].kinds.power_shelf.activations[0]",
        "this kind has no action that cycles auxiliary power|aux-cycle|bmc-reset, host-reset|give `aux_cycle`, or another"
        " reset"),
    row("bring-up-cycle", _BRING_UP, "[DPU_UEFI, DPU_NIC]}\n    steps:\n      - {step: find, limit_s: 900}\n",
        "[DPU_UEFI, DPU_NIC]}\n    steps: # here\n      - {step: find, limit_s: 900, after: [{kind: dpu, within: rack}]}\n",
        "# here", "catalogue.bring_ups[0].kinds.dpu.steps",
        "these endpoints would wait for themselves for ever|dpu, nvlink_switch, power_shelf||take one `after` of the"
        " circle away"),
    row("bring-up-firmware", _BRING_UP, "activations:\n      - {by: bmc-reset, components: [bmc_active, psu_firmware]}",
        "activations: # here\n      - {by: bmc-reset, components: [bmc_active]}", "# here",
        "catalogue.bring_ups[0].kinds.power_shelf.activations",
        "nothing activates these components of a power_shelf that dgx-gb200 brings|psu_firmware|bmc_active|name them in"
        " `kinds.power_shelf.activations`"),
    row("catalogue-file-name", "switches/q3400.yaml", "switch: q3400", "switch: q3200",
        "switch: q3200", "catalogue.switches[1].switch",
        "an item of the catalogue and its file have different names|q3200|q3400|rename one of them"),
    row("catalogue-stray", "gb400.yaml", "", "profile: gb400\n",
        "profile: gb400", f"{CATALOGUE}/gb400.yaml",
        "this is no part of a catalogue, and nothing would read it||racks/, switches/, power/, firmware/, software/,"
        " bring_up/, models/, prices/, sources.yaml, latency.yaml|move it into the folder of its kind"),
    row("key-unknown", "switches/q3400.yaml", "ports: 144", "port: 144\nports: 144",
        "port: 144", "catalogue.switches[1].port",
        "nothing has this key||simulated, provisional, evidence, unknown, switch, kind, ports, speed_gbps,"
        " ports_per_cage, uplinks, breakouts, port_name, lane_name, os, units_u, power_kw, typical_kw, weight_kg|did you mean"
        " `ports`?"),
    row("key-missing", "switches/q3400.yaml", "kind: infiniband\n", "",
        "# Quantum-X800", "catalogue.switches[1].kind", "a key is missing|||add `kind`"),
    row("value-choice", _GB200, "  gpu_architecture: blackwell\n", "  gpu_architecture: volta\n",
        "gpu_architecture: volta", "catalogue.racks[3].tray.gpu_architecture",
        "the value is none of the known ones|volta|'ada', 'hopper', 'blackwell', 'blackwell-ultra', 'rubin' or"
        " 'simulated'|correct the value"),
    row("value-form", _GB200, 'pci: "0012:03:00.0"', "pci: 12:03:00.0",
        "name: right-p4", "catalogue.racks[3].tray.ports[3].pci",
        "the value does not have the right form|12:03:00.0|the pattern ^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]$|"
        "correct the value"),
    row("value-range", _GB200, "slots: 18\n", "slots: 0\n",
        "slots: 0", "catalogue.racks[3].slots", "the value is too small|0|at least 1|correct the value"),
    row("value-type", _SHELF, "kw: 33\n", "kw: lots\n",
        "kw: lots", "catalogue.power_units[1].kw", "the value has the wrong type|lots||correct the value"),
    row("value-choice", _SHELF, "  kw: {confidence: V, sources: [S4]}", "  kw: {confidence: C, sources: [S4]}",
        "  kw: {conf", "catalogue.power_units[1].evidence.kw.confidence",
        "the value is none of the known ones|C|'V', 'D' or 'K'|correct the value"),
    row("model-cache", "models/mistral-small.yaml", "head_dim: 128\n", "",
        "kind: vision", "catalogue.models[3].kind",
        "the memory that mistral-small needs for each token cannot be computed|half of heads|`kv_heads`"
        " and `head_dim`, or `kv_latent_dim` and `kv_rope_dim`|take it from the model's own configuration file"),
    row("model-context", "models/pixtral-12b.yaml", "serving: {context_tokens: 16384,", "serving: {context_tokens: 200000,",
        "serving: {", "catalogue.models[4].serving.context_tokens",
        "pixtral-12b has no such context|200,000 tokens|at most 131,072 tokens|serve a shorter context"),
    row("model-simulator", "models/lab-echo.yaml", "plays: mistral-small", "plays: mistral-smal",
        "plays:", "catalogue.models[1].plays",
        "there is no such model|mistral-smal|bge-m3, lab-echo, mistral-large-3, mistral-small, pixtral-12b|did you mean"
        " mistral-small?"),
    row("price-form", "prices/core.yaml", "unit: core-hour", "unit: gpu-hour",
        "unit: gpu-hour", "catalogue.prices[0].unit",
        "only the price of a GPU-hour is one of a GPU model, and it always is|gpu-hour of no GPU model|gpu-hour with"
        " `gpu_model`, or another unit without|correct the unit, or name the GPU"),
    row("price-twice", "prices/gpu-h200.yaml", "gpu_model: NVIDIA H200", "gpu_model: NVIDIA GB200",
        "unit: gpu-hour", "catalogue.prices[5].unit",
        "the same thing has two prices|gpu-gb200 and gpu-h200, gpu-hour of NVIDIA GB200|one price|remove one of them"),
]
# fmt: on


def load_edited(folder: Path, edit: Edit) -> None:
    """A copy of the catalogue with one edit, loaded."""
    catalogue = folder / CATALOGUE
    shutil.copytree(REGIONS / "_catalogue", catalogue)
    path = catalogue / edit.file
    text = path.read_text() if path.is_file() else ""
    assert not edit.old or text.count(edit.old) == 1, f"{edit.old!r} stands {text.count(edit.old)} times"
    path.write_text(text.replace(edit.old, edit.new) if edit.old else text + edit.new)
    load_catalogue(catalogue, root=folder)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.rule)
def test_a_wrong_catalogue_is_refused_with_its_place_and_remedy(row: Row, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load_edited(tmp_path, row.edit)
    (problem,) = [p for p in caught.value.problems if p.rule == row.rule]
    lines = (tmp_path / CATALOGUE / row.edit.file).read_text().splitlines()
    assert problem == Problem(
        path=row.path,
        message=row.message,
        found=row.found,
        allowed=row.allowed,
        remedy=row.remedy,
        file=f"{CATALOGUE}/{row.edit.file}",
        line=1 + next(number for number, line in enumerate(lines) if row.line in line),
        rule=row.rule,
    )


def test_every_rule_of_the_catalogue_has_a_row() -> None:
    assert {row.rule for row in ROWS} >= {check.id for check in CHECKS} | MADE_BY_THE_READER


def test_every_rule_of_the_catalogue_says_in_a_sentence_what_must_hold() -> None:
    for check in CHECKS:
        assert check.about.endswith("."), check.id


def test_all_problems_of_a_catalogue_are_told_at_once(tmp_path: Path) -> None:
    catalogue = tmp_path / CATALOGUE
    shutil.copytree(REGIONS / "_catalogue", catalogue)
    for file, old, new in (
        ("racks/gb200-nvl72.yaml", "slots: 18\n", "slots: 0\n"),
        ("switches/q3400.yaml", "ports: 144", "ports: many"),
        ("latency.yaml", "planning_ms: 240", "planning_ms: 0"),
    ):
        path = catalogue / file
        path.write_text(path.read_text().replace(old, new))
    with pytest.raises(SpecError) as caught:
        load_catalogue(catalogue, root=tmp_path)
    assert [Path(p.file or "").name for p in caught.value.problems] == [
        "latency.yaml",
        "gb200-nvl72.yaml",
        "q3400.yaml",
    ]


def test_a_source_that_is_not_listed_is_named_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load_edited(
            tmp_path, Edit(_SHELF, "  kw: {confidence: V, sources: [S4]}", "  kw: {confidence: V, sources: [S5]}")
        )
    (problem,) = caught.value.problems
    assert (problem.rule, problem.path) == ("evidence-source", "catalogue.power_units[1].evidence.kw.sources[0]")
    assert problem.message == "there is no such source"


def test_a_folder_without_rack_profiles_is_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load_catalogue(tmp_path / "none", root=tmp_path)
    (problem,) = caught.value.problems
    assert (problem.rule, problem.message) == ("folder-empty", "the catalogue holds no rack profile")
