"""Rules on models: what services name is in the catalogue, and can be served as asked."""

from __future__ import annotations

from collections.abc import Iterator

from components.spec.region import Region
from components.spec.rules.rule import Fault, rule, unknown
from components.spec.services import services_of


@rule("model-unknown", "tenants", "catalogue")
def models_are_in_the_catalogue(region: Region) -> Iterator[Fault]:
    """A model that a service names is in the catalogue.

    Example: `model: mistral-smal`.
    """
    names = [model.model for model in region.catalogue.models]
    for placed in services_of(region):
        if placed.service.model is not None and placed.service.model not in names:
            yield unknown((*placed.at, "model"), "model", placed.service.model, names, "the catalogue's models/")


@rule("model-context-asked", "tenants", "catalogue")
def contexts_are_of_models(region: Region) -> Iterator[Fault]:
    """A context is asked for of a model only, and no longer than it was made for.

    Example: `context_tokens: 200000` with `model: mistral-small`, which has 131,072.
    """
    for placed in services_of(region):
        asked = placed.service.context_tokens
        model = region.catalogue.model(placed.service.model) if placed.service.model else None
        if asked is None or (placed.service.model and model is None):
            continue
        if model is None or asked > model.context_tokens:
            yield Fault(
                at=(*placed.at, "context_tokens"),
                message=f"{model.model} has no such context" if model else "only a model has a context",
                found=f"{asked:,} tokens",
                allowed=f"at most {model.context_tokens:,} tokens" if model else "no `context_tokens` beside `image`",
                remedy="ask for less" if model else "remove it",
            )


RULES = (models_are_in_the_catalogue, contexts_are_of_models)
