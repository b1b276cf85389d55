"""The prefix cache: which leading blocks of a prompt need no prefill.

Owns the set of known blocks. A block is 16 tokens together with everything before them, as in vLLM, so a hit is
always a prefix. Always true: at most `capacity` blocks are kept, the least recently used go first, and within one
prompt the last block goes before the first, because a block without the ones before it can never be hit.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence

BLOCK_TOKENS = 16


class PrefixCache:
    """Known blocks, by a hash of their content and of all before it."""

    __slots__ = ("_blocks", "capacity")

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._blocks: OrderedDict[int, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._blocks)

    def hit_tokens(self, tokens: Sequence[Hashable]) -> int:
        """Leading tokens that are known. At least the last token is always computed: its logits are needed."""
        return self.hit_blocks(block_hashes(tokens[: max(len(tokens) - 1, 0)])) * BLOCK_TOKENS

    def hit_blocks(self, blocks: Sequence[int]) -> int:
        """How many blocks are known before the first that is not."""
        return next((place for place, block in enumerate(blocks) if block not in self._blocks), len(blocks))

    def add(self, tokens: Sequence[Hashable]) -> None:
        """Remember the full blocks of a sequence as the most recently used."""
        self.add_blocks(block_hashes(tokens))

    def add_blocks(self, blocks: Sequence[int]) -> None:
        """The same of blocks that are known by their numbers."""
        if self.capacity == 0:
            return
        for block in reversed(blocks):
            self._blocks[block] = None
            self._blocks.move_to_end(block)
        while len(self._blocks) > self.capacity:
            self._blocks.popitem(last=False)


def block_hashes(tokens: Sequence[Hashable]) -> list[int]:
    """One number for each full block, which stands for the block and everything before it."""
    hashes: list[int] = []
    before = 0
    for start in range(0, len(tokens) - BLOCK_TOKENS + 1, BLOCK_TOKENS):
        before = hash((before, tuple(tokens[start : start + BLOCK_TOKENS])))
        hashes.append(before)
    return hashes
