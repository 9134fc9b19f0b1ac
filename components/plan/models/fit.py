"""Whether a model fits on so many GPUs: arithmetic that anybody can do again.

For each GPU of a replica, in GiB:

    weights  = parameters x bytes a parameter / GPUs
    cache    = bytes a token x context x concurrency, of this GPU
    overhead = OVERHEAD_GIB
    weights + cache + overhead <= memory x USABLE

Bytes a token, for grouped-query attention: 2 (keys and values) x layers x heads of keys and values x dimension of
a head x bytes of a number; the heads are divided over the GPUs, and copied once there are fewer heads than GPUs
(vLLM, model_executor/models/deepseek_v2.py, DeepseekAttention). For multi-head latent attention: layers x (latent +
position part) x bytes of a number (vLLM, kv_connector/utils.py: the cache is [blocks, size, 1, kv_lora_rank +
qk_rope_head_dim]); there is one head of it, so every GPU keeps all. Embedding models keep nothing.

That every request has a whole context is the worst case: an engine takes more requests while they are shorter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, inf

from components.plan.fleet.need import Need, fits
from components.plan.fleet.pool import Fleet, Pool
from components.spec.catalogue.model import ModelProfile, Precision
from components.words import count

USABLE = 0.9
"""Part of a GPU's memory that the engine plans with: vLLM's own figure for years; 0.92 in its newest documents
(docs.vllm.ai, vllm.config.cache), so this is the careful one."""

OVERHEAD_GIB = 4.0
"""On each GPU, for activations, graphs and buffers of communication: a choice of this project. vLLM measures it at
its start; it grows with the tokens of a batch."""

GIB = 2**30


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A replica of a model, whatever GPU it runs on."""

    model: str
    precision: str
    checkpoint: str
    gpus: int
    context_tokens: int
    concurrency: int
    weights_gib: float
    """On each GPU, like the others."""
    cache_gib: float
    overhead_gib: float
    architectures: tuple[str, ...]

    @property
    def sum_gib(self) -> float:
        """Needed on each GPU."""
        return self.weights_gib + self.cache_gib + self.overhead_gib

    @property
    def memory_gib(self) -> int:
        """Memory that each GPU must have, so that its usable part holds it."""
        return ceil(self.sum_gib / USABLE)

    @property
    def need(self) -> Need:
        """As a fleet answers it."""
        return Need(
            count=self.gpus,
            memory_gib=self.memory_gib,
            architectures=self.architectures,
            together=self.gpus if self.gpus > 1 else 0,
        )

    @property
    def arithmetic(self) -> str:
        """On one line, to be checked by hand."""
        return (
            f"{self.precision} on {count(self.gpus, 'GPU')}:"
            f" weights {self.weights_gib:.1f} + cache {self.cache_gib:.1f} ({self.context_tokens:,} tokens x"
            f" {count(self.concurrency, 'request')}) + overhead {self.overhead_gib:.1f} = {self.sum_gib:.1f} GiB a GPU,"
            f" of {USABLE:.0%} of its memory: {self.memory_gib} GiB"
        )


def cache_bytes_per_token(model: ModelProfile, gpus: int = 1) -> float:
    """That one GPU of so many keeps of each token."""
    if model.kv_latent_dim is not None and model.kv_rope_dim is not None:
        return model.layers * (model.kv_latent_dim + model.kv_rope_dim) * model.kv_bytes
    if model.kv_heads is not None and model.head_dim is not None:
        return 2 * model.layers * ceil(model.kv_heads / gpus) * model.head_dim * model.kv_bytes
    return 0.0


def weights_gib(model: ModelProfile, precision: Precision) -> float:
    """Of all GPUs together; also about what is read from the cache of the rack at each start."""
    return model.parameters_b * 1e9 * precision.bytes_per_parameter / GIB


def shape(model: ModelProfile, precision: Precision, gpus: int, context_tokens: int, concurrency: int) -> Shape:
    """A replica on so many GPUs."""
    return Shape(
        model=model.model,
        precision=precision.name,
        checkpoint=precision.checkpoint,
        gpus=gpus,
        context_tokens=context_tokens,
        concurrency=concurrency,
        weights_gib=weights_gib(model, precision) / gpus,
        cache_gib=cache_bytes_per_token(model, gpus) * context_tokens * concurrency / GIB,
        overhead_gib=OVERHEAD_GIB,
        architectures=tuple(precision.architectures),
    )


def smallest(model: ModelProfile, pool: Pool, context_tokens: int, concurrency: int) -> tuple[Shape, ...]:
    """For each precision that fits into the pool, in the model's order: its smallest number of GPUs."""
    found: list[Shape] = []
    for precision in precisions(model, context_tokens):
        shapes = (shape(model, precision, gpus, context_tokens, concurrency) for gpus in sorted(model.gpu_counts))
        if fitting := next((each for each in shapes if fits(pool, each.need)), None):
            found.append(fitting)
    return tuple(found)


def best(model: ModelProfile, fleet: Fleet, context_tokens: int, concurrency: int) -> Shape | None:
    """The shape whose replica is cheapest in some pool; of equal ones, the model's better precision, then fewer GPUs.

    None where no pool holds the model on one host.
    """
    ranks = {precision.name: rank for rank, precision in enumerate(model.precisions)}
    found = [
        (inf if pool.eur_hour is None else pool.eur_hour * each.gpus, ranks[each.precision], each.gpus, each)
        for pool in fleet.pools
        for each in smallest(model, pool, context_tokens, concurrency)
    ]
    return min(found, key=lambda each: each[:3])[3] if found else None


def precisions(model: ModelProfile, context_tokens: int) -> Iterator[Precision]:
    """Those that such a context is advised in, in the model's order."""
    return (precision for precision in model.precisions if context_tokens <= context_limit(model, precision))


def context_limit(model: ModelProfile, precision: Precision) -> int:
    """Longest context that the maker advises in this form."""
    return min(precision.max_context_tokens or model.context_tokens, model.context_tokens)
