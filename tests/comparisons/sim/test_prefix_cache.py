from alto_lg.comparisons.sim.prefix_cache import BLOCK_TOKENS, PrefixCache


def words(count: int, name: str = "w") -> list[str]:
    return [f"{name}{index}" for index in range(count)]


def test_only_whole_blocks_hit_and_the_last_token_is_always_computed() -> None:
    cache = PrefixCache(100)
    cache.add(words(3 * BLOCK_TOKENS))
    assert cache.hit_tokens(words(3 * BLOCK_TOKENS)) == 2 * BLOCK_TOKENS
    assert cache.hit_tokens(words(3 * BLOCK_TOKENS + 1)) == 3 * BLOCK_TOKENS
    assert cache.hit_tokens(words(BLOCK_TOKENS)) == 0
    assert cache.hit_tokens([]) == 0


def test_a_block_is_not_hit_behind_another_beginning() -> None:
    cache = PrefixCache(100)
    cache.add([*words(16, "a"), *words(16, "b")])
    assert cache.hit_tokens([*words(16, "c"), *words(16, "b"), "end"]) == 0


def test_the_least_recently_used_prompt_goes_first_and_its_last_block_before_its_first() -> None:
    cache = PrefixCache(3)
    cache.add(words(32, "old"))
    cache.add(words(32, "new"))
    assert len(cache) == 3
    assert cache.hit_tokens([*words(32, "new"), "end"]) == 32
    assert cache.hit_tokens([*words(32, "old"), "end"]) == 16


def test_a_cache_without_room_holds_nothing() -> None:
    cache = PrefixCache(0)
    cache.add(words(64))
    assert cache.hit_tokens(words(64)) == len(cache) == 0
