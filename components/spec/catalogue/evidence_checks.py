"""Rules that keep the catalogue honest: no number without a reason to believe it."""

from __future__ import annotations

from collections.abc import Iterator

from components.spec.catalogue.catalogue import Catalogue
from components.spec.catalogue.check import check
from components.spec.catalogue.facts import covers, evidence_for, facts, has_field, values
from components.spec.fault import Fault, unknown


@check("evidence-missing", partial=True)
def every_fact_has_evidence(catalogue: Catalogue) -> Iterator[Fault]:
    """Every number, and every version, of hardware that is not simulated has evidence."""
    for kind, index, item in catalogue.items():
        if item.simulated:
            continue
        said: set[str] = set()
        for fact in facts(item):
            if fact.path not in said and evidence_for(item, fact.path) is None:
                said.add(fact.path)
                yield Fault(
                    at=("catalogue", kind, index, *fact.place),
                    message=f"nothing says why this value of {item.name} is believed",
                    found=str(fact.value),
                    allowed="an entry of `evidence` for the field, or for one above it",
                    remedy=f"add `{fact.path}: {{confidence: V, sources: [S1]}}` to its evidence, or leave the value out"
                    " and say why under `unknown`",
                )


@check("evidence-dangling", partial=True)
def evidence_is_of_values(catalogue: Catalogue) -> Iterator[Fault]:
    """Every entry of `evidence` stands for a value that the item has."""
    for kind, index, item in catalogue.items():
        paths = {value.path for value in values(item)}
        for entry in item.evidence:
            if not any(covers(entry, path) for path in paths):
                yield unknown(
                    ("catalogue", kind, index, "evidence", entry),
                    f"value of {item.name}",
                    entry,
                    paths,
                    "the item",
                )


@check("evidence-source")
def sources_exist(catalogue: Catalogue) -> Iterator[Fault]:
    """Every source that evidence names is in sources.yaml, and what was read names one."""
    for kind, index, item in catalogue.items():
        for path, evidence in item.evidence.items():
            at = ("catalogue", kind, index, "evidence", path)
            if evidence.confidence == "V" and not evidence.sources:
                yield Fault(
                    at=at,
                    message="a value that was read has no source",
                    found="confidence V",
                    allowed="V with `sources`, D or K with a `note`",
                    remedy="name the source, or say K",
                )
            for place, source in enumerate(evidence.sources):
                if source not in catalogue.sources:
                    yield unknown((*at, "sources", place), "source", source, catalogue.sources, "sources.yaml")


@check("evidence-note", partial=True)
def reasons_are_written(catalogue: Catalogue) -> Iterator[Fault]:
    """What was derived, or only remembered, has a note that says how or what to check."""
    for kind, index, item in catalogue.items():
        for path, evidence in item.evidence.items():
            if evidence.confidence != "V" and not evidence.note:
                yield Fault(
                    at=("catalogue", kind, index, "evidence", path),
                    message="a value that was not read has no note",
                    found=f"confidence {evidence.confidence}",
                    allowed="a note: the derivation for D, what to check for K",
                    remedy="add `note`",
                )


@check("source-unused")
def sources_are_used(catalogue: Catalogue) -> Iterator[Fault]:
    """Every source stands behind a fact."""
    used = {s for _, _, item in catalogue.items() for evidence in item.evidence.values() for s in evidence.sources}
    for source in catalogue.sources:
        if source not in used:
            yield Fault(
                at=("catalogue", "sources", source),
                message="no fact comes from this source",
                found=source,
                remedy="remove it, or name it where it was read",
            )


@check("unknown-known", partial=True)
def unknown_fields_are_absent(catalogue: Catalogue) -> Iterator[Fault]:
    """What is listed as unknown is a field of its kind, and has no value."""
    for kind, index, item in catalogue.items():
        paths = {value.path for value in values(item) if value.value is not None}
        for path in item.unknown:
            at = ("catalogue", kind, index, "unknown", path)
            if not has_field(type(item), path):
                yield unknown(at, f"field of {item.name}", path, type(item).model_fields, "the model")
            elif any(covers(path, known) for known in paths):
                yield Fault(
                    at=at,
                    message=f"{item.name} has a value that it calls unknown",
                    found=path,
                    remedy="remove one of them; doubt about a value goes into its evidence",
                )


CHECKS = (
    every_fact_has_evidence,
    evidence_is_of_values,
    sources_exist,
    reasons_are_written,
    sources_are_used,
    unknown_fields_are_absent,
)
