"""Lengths: how long the answers to prompts of one kind are, learned as they come.

Owns one running mean per template. Always true: at most `templates_max` are kept, the least recently used go first; one
answer, however long, moves a mean that is known by at most a bounded step; after enough answers of a new length the
mean is there.

The mean is over the last answers, roughly `memory` of them: it weighs the n-th answer by 1/n until 1/n is below
1/memory, and by that from then on, which is exponential decay without a cold start. From the `_TRUSTED`-th answer on,
an answer counts as at most `_CLIP` times the mean, as in Huber's clipped mean, because models sometimes write until
their limit. A mean, not a quantile: what balances endpoints is the sum of what they are to write.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence

_CLIP = 4.0
_TRUSTED = 8


class Lengths:
    """Expected output tokens by template.

    prior_tokens: what is expected before anything was seen.
    trust_after: a template with fewer answers says nothing yet, and the next, less specific one is asked.
    """

    def __init__(
        self, *, prior_tokens: int = 128, memory: int = 64, trust_after: int = 2, templates_max: int = 1024
    ) -> None:
        self.prior_tokens = prior_tokens
        self._memory = memory
        self._trust_after = trust_after
        self._templates_max = templates_max
        self._known: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()
        self._all = (0, float(prior_tokens))

    def __len__(self) -> int:
        return len(self._known)

    def expected(self, templates: Iterable[Hashable]) -> float:
        """Tokens that an answer is expected to have; the mean of all answers if nothing is known of its templates."""
        for template in templates:
            count, mean = self._known.get(template, (0, 0.0))
            if count >= self._trust_after:
                return mean
        return self._all[1]

    def observe(self, templates: Sequence[Hashable], tokens: int) -> None:
        """A whole answer had so many tokens."""
        self._all = self._moved(self._all, tokens)
        for template in templates:
            self._known[template] = self._moved(self._known.get(template, (0, 0.0)), tokens)
            self._known.move_to_end(template)
        while len(self._known) > self._templates_max:
            self._known.popitem(last=False)

    def _moved(self, known: tuple[int, float], tokens: float) -> tuple[int, float]:
        count, mean = known
        if count >= _TRUSTED:
            tokens = min(tokens, max(_CLIP * mean, 1.0))
        count += 1
        return count, mean + (tokens - mean) / min(count, self._memory)
