"""Rules on models and prices: what arithmetic needs is there once, and says one thing."""

from __future__ import annotations

from collections.abc import Iterator

from components.spec.catalogue.catalogue import Catalogue
from components.spec.catalogue.check import check
from components.spec.catalogue.model import ModelProfile
from components.spec.fault import Fault, unknown


@check("model-cache", partial=True)
def the_cache_of_a_model_is_known(catalogue: Catalogue) -> Iterator[Fault]:
    """A model that keeps a cache says its form: heads with their dimension, or a latent with its position part."""
    for index, model in enumerate(catalogue.models):
        forms = _cache_forms(model)
        is_right = not forms if model.kind == "embedding" else forms in (["heads"], ["a latent"])
        if not is_right and not model.simulated:
            yield Fault(
                at=("catalogue", "models", index, "kind"),
                message=f"the memory that {model.model} needs for each token cannot be computed",
                found=" and ".join(forms) or "neither form",
                allowed="no cache"
                if model.kind == "embedding"
                else "`kv_heads` and `head_dim`, or `kv_latent_dim` and `kv_rope_dim`",
                remedy="take it from the model's own configuration file",
            )


@check("model-context", partial=True)
def the_context_served_is_one_that_the_model_has(catalogue: Catalogue) -> Iterator[Fault]:
    """A model is not served with a longer context than it was made for, nor than each of its forms allows."""
    for index, model in enumerate(catalogue.models):
        longest = max(p.max_context_tokens or model.context_tokens for p in model.precisions)
        most = min(longest, model.context_tokens)
        if model.serving.context_tokens > most:
            yield Fault(
                at=("catalogue", "models", index, "serving", "context_tokens"),
                message=f"{model.model} has no such context",
                found=f"{model.serving.context_tokens:,} tokens",
                allowed=f"at most {most:,} tokens",
                remedy="serve a shorter context",
            )


@check("model-simulator")
def simulators_play_a_model(catalogue: Catalogue) -> Iterator[Fault]:
    """A model that plays another is marked as simulated, and the other exists."""
    names = [model.model for model in catalogue.models]
    for index, model in enumerate(catalogue.models):
        if model.plays is None:
            continue
        at = ("catalogue", "models", index, "plays")
        if model.plays not in names:
            yield unknown(at, "model", model.plays, names, "models/")
        elif not model.simulated:
            yield Fault(
                at=at,
                message=f"{model.model} plays another model and is not marked as simulated",
                found="simulated: false",
                allowed="simulated: true",
                remedy="mark it, so that nobody takes its answers for a model's",
            )


@check("price-form", partial=True)
def prices_say_what_they_are_for(catalogue: Catalogue) -> Iterator[Fault]:
    """The price of a GPU-hour names the GPU, and no other price does."""
    for index, price in enumerate(catalogue.prices):
        if (price.unit == "gpu-hour") != (price.gpu_model is not None):
            yield Fault(
                at=("catalogue", "prices", index, "unit"),
                message="only the price of a GPU-hour is one of a GPU model, and it always is",
                found=f"{price.unit} of {price.gpu_model or 'no GPU model'}",
                allowed="gpu-hour with `gpu_model`, or another unit without",
                remedy="correct the unit, or name the GPU",
            )


@check("price-twice", partial=True)
def nothing_has_two_prices(catalogue: Catalogue) -> Iterator[Fault]:
    """One thing has one price."""
    seen: dict[tuple[str, str | None], str] = {}
    for index, price in enumerate(catalogue.prices):
        first = seen.setdefault((price.unit, price.gpu_model), price.price)
        if first != price.price:
            yield Fault(
                at=("catalogue", "prices", index, "unit"),
                message="the same thing has two prices",
                found=f"{first} and {price.price}, {price.unit} of {price.gpu_model or 'everything'}",
                allowed="one price",
                remedy="remove one of them",
            )


def _cache_forms(model: ModelProfile) -> list[str]:
    forms: list[str] = []
    if model.kv_heads is not None or model.head_dim is not None:
        forms.append("heads" if model.kv_heads is not None and model.head_dim is not None else "half of heads")
    if model.kv_latent_dim is not None or model.kv_rope_dim is not None:
        whole = model.kv_latent_dim is not None and model.kv_rope_dim is not None
        forms.append("a latent" if whole else "half of a latent")
    return forms


CHECKS = (
    the_cache_of_a_model_is_known,
    the_context_served_is_one_that_the_model_has,
    simulators_play_a_model,
    prices_say_what_they_are_for,
    nothing_has_two_prices,
)
