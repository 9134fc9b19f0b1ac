"""Language models: what a region must know of one to find GPUs for it and to start it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from components.spec.base import Model
from components.spec.catalogue.evidence import CatalogueItem
from components.spec.catalogue.tray import GpuArchitecture
from components.spec.catalogue.types import Count
from components.spec.types import Name

Billions = Annotated[float, Field(gt=0, le=100_000)]
"""Parameters, 10^9."""

Tokens = Annotated[int, Field(ge=1, le=100_000_000)]


class Precision(Model):
    """One form in which the weights are published, and what it runs on."""

    name: Literal["fp32", "bf16", "fp8", "nvfp4"]
    """Number format of most weights."""
    checkpoint: Annotated[str, Field(min_length=1)]
    """Name under which the maker publishes it; the region's bucket holds it by digest."""
    bytes_per_parameter: Annotated[float, Field(gt=0, le=8)]
    """Mean over all weights, scales of a quantised format included."""
    architectures: tuple[GpuArchitecture, ...]
    """GPU generations that it is offered on; none for an engine that runs on CPUs."""
    max_context_tokens: Tokens | None = None
    """Longest context that the maker advises in this form, where it is shorter than the model's."""


class Serving(Model):
    """What one replica is built for unless the service says otherwise."""

    context_tokens: Tokens
    """Longest prompt with its answer."""
    concurrency: Annotated[int, Field(ge=1, le=4096)]
    """Requests that one replica answers at one time, each with room for a whole context."""


class Engine(Model):
    """The program that answers requests with the model."""

    kind: Literal["vllm", "lab-engine"]
    """How its arguments are named."""
    image: Name
    """Name in the artifact index."""
    args: tuple[str, ...] = ()
    """Beside those that the plan adds: weights, GPUs, context and concurrency."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    health: Annotated[str, Field(pattern=r"^/[^\s]*$")] = "/health"
    """Path that answers 2xx once the weights are loaded."""
    paths: tuple[str, ...] = ()
    """OpenAI-compatible paths that clients use."""


class ModelProfile(CatalogueItem):
    """A model that services name, such as `model: mistral-small`."""

    name_key: ClassVar[str] = "model"
    text_facts: ClassVar[frozenset[str]] = frozenset({"licence", "precisions.checkpoint", "engine.args"})

    model: Name
    """Name that services refer to; equal to the file's name."""
    title: Annotated[str, Field(min_length=1)]
    """As its maker calls it."""
    kind: Literal["chat", "vision", "embedding"]
    """Vision models take images beside text; embedding models answer vectors and keep no cache."""
    parameters_b: Billions
    """All of them, encoders included: what must be in memory."""
    active_parameters_b: Billions | None = None
    """Used for one token, where experts are chosen; all where none is given."""
    layers: Count
    """That keep something of each token for the next."""
    kv_heads: Count | None = None
    """Heads of keys and values in each layer; none where a latent is kept instead, or nothing."""
    head_dim: Count | None = None
    """Numbers of one key or value of one head."""
    kv_latent_dim: Count | None = None
    """Of multi-head latent attention: numbers of the compressed keys and values of a token in a layer."""
    kv_rope_dim: Count | None = None
    """Of multi-head latent attention: numbers of the key part with the position."""
    kv_bytes: Annotated[float, Field(gt=0, le=4)] = 2
    """Bytes of each number in the cache."""
    context_tokens: Tokens
    """The longest that it was made for."""
    gpu_counts: tuple[Annotated[int, Field(ge=1, le=64)], ...]
    """Numbers of GPUs that the weights can be divided over; none where it runs on CPUs."""
    precisions: Annotated[tuple[Precision, ...], Field(min_length=1)]
    """Best first: the first that fits at the lowest price is taken."""
    serving: Serving
    engine: Engine
    licence: Annotated[str, Field(min_length=1)]
    """SPDX identifier."""
    plays: Name | None = None
    """Of a simulator: the model whose load time and speed it imitates."""
    time_scale: Annotated[float, Field(gt=0, le=1)] | None = None
    """Of a simulator: part of that model's times that it takes."""
