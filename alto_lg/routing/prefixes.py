"""Prefixes: which endpoint has seen the beginning of a prompt, as far as one can tell from what was sent there.

Owns an approximate picture of the endpoints' prefix caches. A prompt is a chain of hashes, one for each full block of
characters together with everything before it, so that equal hashes mean equal beginnings, as in vLLM's own cache.
Always true:
  an endpoint that has a block has every block before it in the same chain: a match is always a prefix;
  at most `capacity` blocks are kept of an endpoint, and the least recently used go first.

The endpoints that have a block are the bits of one integer. So "who, among those with a free slot, has the longest
match?" is a binary search over the chain with one `&` a step, for four endpoints or a thousand.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

BLOCK_CHARACTERS = 256
"""Four of vLLM's blocks of 16 tokens, in English: shorter ones find little more, and cost a step each."""

BLOCKS_MAX = 1024
"""A prompt is told apart from others by so many blocks at most."""


def chain(parts: Iterable[str], *, block_characters: int = BLOCK_CHARACTERS, blocks_max: int = BLOCKS_MAX) -> list[int]:
    """The hashes of a prompt's full blocks. parts: its text, in any pieces."""
    text = "".join(parts)
    hashes: list[int] = []
    before = 0
    last = min(len(text) // block_characters, blocks_max) * block_characters
    for start in range(0, last, block_characters):
        before = hash((before, text[start : start + block_characters]))
        hashes.append(before)
    return hashes


class PrefixIndex:
    """What was sent where. Endpoints are numbers. capacity: blocks that an endpoint is taken to keep."""

    def __init__(self, capacity: int = 16_384) -> None:
        self.capacity = capacity
        self._holders: dict[int, int] = {}
        self._kept: dict[int, OrderedDict[int, None]] = {}

    def add(self, endpoint: int, blocks: Sequence[int], held: int) -> None:
        """A prompt was sent to an endpoint: its blocks are the most recently used there.

        held: how many it has of them already, which `match` says.
        """
        kept = self._kept.get(endpoint)
        if kept is None:
            kept = self._kept[endpoint] = OrderedDict()
        bit = 1 << endpoint
        holders, touch = self._holders, kept.move_to_end
        for block in reversed(blocks[held : self.capacity]):  # the first block of a prompt is the last to go
            kept[block] = None
            holders[block] = holders.get(block, 0) | bit
        for block in reversed(blocks[:held]):
            touch(block)
        while len(kept) > self.capacity:
            self._drop(kept.popitem(last=False)[0], bit)

    def forget(self, endpoint: int) -> None:
        """An endpoint has lost its cache."""
        for block in self._kept.pop(endpoint, ()):
            self._drop(block, 1 << endpoint)

    def holders(self, blocks: Sequence[int], among: int) -> tuple[int, int]:
        """The longest match of any endpoint in the set `among`, in blocks, and the set of those that have it.

        (0, among) if nobody has the first block.
        """
        held, found = 0, among
        low, high = 0, len(blocks)
        while low < high:
            middle = (low + high) // 2
            having = self._holders.get(blocks[middle], 0) & among
            if having:
                low = held = middle + 1
                found = having
            else:
                high = middle
        return held, found

    def match(self, blocks: Sequence[int], endpoint: int) -> int:
        """How many leading blocks an endpoint has."""
        return self.holders(blocks, 1 << endpoint)[0]

    def size(self, endpoint: int) -> int:
        """How many blocks are kept of an endpoint."""
        return len(self._kept.get(endpoint, ()))

    def _drop(self, block: int, bit: int) -> None:
        left = self._holders[block] & ~bit
        if left:
            self._holders[block] = left
        else:
            del self._holders[block]
