"""The functions of `alto_lg.split`: each makes a splitter, and calls it if a source is given."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, Iterable, Sequence
from typing import Any, Literal, TypeVar, overload

from alto_lg.adapters.deltas.endings import Take
from alto_lg.split._bullets import Bullet, Bullets
from alto_lg.split._by import ByFunction, Split
from alto_lg.split._driver import AsyncItems, Items
from alto_lg.split._json_items import JsonItems
from alto_lg.split._lines import Lines
from alto_lg.split._regex import Regex
from alto_lg.split._sentences import Sentences
from alto_lg.split._splitter import MAX_ITEM_CHARS, Splitter
from alto_lg.split._words import Words

Item = TypeVar("Item")
Model = TypeVar("Model")
_Source = Iterable[Any] | AsyncIterable[Any] | None
_Result = Splitter[Item] | Items[Item] | AsyncItems[Item]


@overload
def lines(*, skip_blank: bool = ..., max_item_chars: int = ...) -> Splitter[str]: ...


@overload
def lines(
    source: Iterable[Any],
    *,
    skip_blank: bool = ...,
    max_item_chars: int = ...,
    take: Take = ...,
    accept: Iterable[str] = ...,
) -> Items[str]: ...


@overload
def lines(
    source: AsyncIterable[Any],
    *,
    skip_blank: bool = ...,
    max_item_chars: int = ...,
    take: Take = ...,
    accept: Iterable[str] = ...,
) -> AsyncItems[str]: ...
def lines(
    source: _Source = None,
    *,
    skip_blank: bool = False,
    max_item_chars: int = MAX_ITEM_CHARS,
    take: Take = "text",
    accept: Iterable[str] = (),
) -> _Result[str]:
    """Lines, without their line feeds."""
    return _applied(Lines(skip_blank=skip_blank, max_item_chars=max_item_chars), source, take, accept)


@overload
def words(*, max_item_chars: int = ...) -> Splitter[str]: ...


@overload
def words(
    source: Iterable[Any], *, max_item_chars: int = ..., take: Take = ..., accept: Iterable[str] = ...
) -> Items[str]: ...


@overload
def words(
    source: AsyncIterable[Any], *, max_item_chars: int = ..., take: Take = ..., accept: Iterable[str] = ...
) -> AsyncItems[str]: ...
def words(
    source: _Source = None, *, max_item_chars: int = MAX_ITEM_CHARS, take: Take = "text", accept: Iterable[str] = ()
) -> _Result[str]:
    """Words: what stands between white space."""
    return _applied(Words(max_item_chars=max_item_chars), source, take, accept)


@overload
def sentences(*, wrapped: bool = ..., max_item_chars: int = ...) -> Splitter[str]: ...


@overload
def sentences(
    source: Iterable[Any],
    *,
    wrapped: bool = ...,
    max_item_chars: int = ...,
    take: Take = ...,
    accept: Iterable[str] = ...,
) -> Items[str]: ...


@overload
def sentences(
    source: AsyncIterable[Any],
    *,
    wrapped: bool = ...,
    max_item_chars: int = ...,
    take: Take = ...,
    accept: Iterable[str] = ...,
) -> AsyncItems[str]: ...
def sentences(
    source: _Source = None,
    *,
    wrapped: bool = False,
    max_item_chars: int = MAX_ITEM_CHARS,
    take: Take = "text",
    accept: Iterable[str] = (),
) -> _Result[str]:
    """Sentences of English, Chinese and Japanese. wrapped: a single line feed does not end one."""
    return _applied(Sentences(wrapped=wrapped, max_item_chars=max_item_chars), source, take, accept)


@overload
def json_items(*, path: str | Sequence[str] = ..., max_item_chars: int = ...) -> Splitter[Any]: ...
@overload
def json_items(
    *, model: type[Model], path: str | Sequence[str] = ..., max_item_chars: int = ...
) -> Splitter[Model]: ...
@overload
def json_items(
    source: Iterable[Any],
    *,
    path: str | Sequence[str] = ...,
    max_item_chars: int = ...,
    take: Take = ...,
    accept: Iterable[str] = ...,
) -> Items[Any]: ...
@overload
def json_items(
    source: Iterable[Any],
    *,
    model: type[Model],
    path: str | Sequence[str] = ...,
    max_item_chars: int = ...,
    take: Take = ...,
    accept: Iterable[str] = ...,
) -> Items[Model]: ...
@overload
def json_items(
    source: AsyncIterable[Any],
    *,
    path: str | Sequence[str] = ...,
    max_item_chars: int = ...,
    take: Take = ...,
    accept: Iterable[str] = ...,
) -> AsyncItems[Any]: ...
@overload
def json_items(
    source: AsyncIterable[Any],
    *,
    model: type[Model],
    path: str | Sequence[str] = ...,
    max_item_chars: int = ...,
    take: Take = ...,
    accept: Iterable[str] = ...,
) -> AsyncItems[Model]: ...
def json_items(
    source: _Source = None,
    *,
    model: type[Any] | None = None,
    path: str | Sequence[str] = (),
    max_item_chars: int = MAX_ITEM_CHARS,
    take: Take = "text",
    accept: Iterable[str] = (),
) -> _Result[Any]:
    """Items of a JSON array, parsed. path: the keys to it. model: what Pydantic makes of each item."""
    validate = None
    if model is not None:
        from pydantic import TypeAdapter

        validate = TypeAdapter(model).validate_json
    return _applied(JsonItems(path=path, validate=validate, max_item_chars=max_item_chars), source, take, accept)


@overload
def bullets(*, nested: Literal[False] = ..., preamble: bool = ..., max_item_chars: int = ...) -> Splitter[str]: ...
@overload
def bullets(*, nested: Literal[True], preamble: bool = ..., max_item_chars: int = ...) -> Splitter[Bullet]: ...
@overload
def bullets(
    source: Iterable[Any],
    *,
    nested: Literal[False] = ...,
    preamble: bool = ...,
    max_item_chars: int = ...,
    take: Take = ...,
    accept: Iterable[str] = ...,
) -> Items[str]: ...
@overload
def bullets(
    source: Iterable[Any],
    *,
    nested: Literal[True],
    preamble: bool = ...,
    max_item_chars: int = ...,
    take: Take = ...,
    accept: Iterable[str] = ...,
) -> Items[Bullet]: ...
@overload
def bullets(
    source: AsyncIterable[Any],
    *,
    nested: Literal[False] = ...,
    preamble: bool = ...,
    max_item_chars: int = ...,
    take: Take = ...,
    accept: Iterable[str] = ...,
) -> AsyncItems[str]: ...
@overload
def bullets(
    source: AsyncIterable[Any],
    *,
    nested: Literal[True],
    preamble: bool = ...,
    max_item_chars: int = ...,
    take: Take = ...,
    accept: Iterable[str] = ...,
) -> AsyncItems[Bullet]: ...
def bullets(
    source: _Source = None,
    *,
    nested: bool = False,
    preamble: bool = False,
    max_item_chars: int = MAX_ITEM_CHARS,
    take: Take = "text",
    accept: Iterable[str] = (),
) -> _Result[Any]:
    """Items of a numbered or bulleted list. nested: each bullet of any level. preamble: the text before it, too."""
    splitter = Bullets(nested=nested, preamble=preamble, max_item_chars=max_item_chars)
    return _applied(splitter, source, take, accept)


@overload
def regex(*, pattern: str | re.Pattern[str], max_item_chars: int = ...) -> Splitter[str]: ...
@overload
def regex(
    source: Iterable[Any],
    pattern: str | re.Pattern[str],
    *,
    max_item_chars: int = ...,
    take: Take = ...,
    accept: Iterable[str] = ...,
) -> Items[str]: ...
@overload
def regex(
    source: AsyncIterable[Any],
    pattern: str | re.Pattern[str],
    *,
    max_item_chars: int = ...,
    take: Take = ...,
    accept: Iterable[str] = ...,
) -> AsyncItems[str]: ...
def regex(
    source: _Source = None,
    pattern: str | re.Pattern[str] | None = None,
    *,
    max_item_chars: int = MAX_ITEM_CHARS,
    take: Take = "text",
    accept: Iterable[str] = (),
) -> _Result[str]:
    """What stands between matches of a pattern, as `re.split` gives it, without empty pieces."""
    if pattern is None:
        raise TypeError("split.regex needs a pattern: split.regex(source, pattern), or split.regex(pattern=…).")
    return _applied(Regex(pattern, max_item_chars=max_item_chars), source, take, accept)


@overload
def by(*, function: Split[Item], max_item_chars: int = ...) -> Splitter[Item]: ...
@overload
def by(
    source: Iterable[Any],
    function: Split[Item],
    *,
    max_item_chars: int = ...,
    take: Take = ...,
    accept: Iterable[str] = ...,
) -> Items[Item]: ...
@overload
def by(
    source: AsyncIterable[Any],
    function: Split[Item],
    *,
    max_item_chars: int = ...,
    take: Take = ...,
    accept: Iterable[str] = ...,
) -> AsyncItems[Item]: ...
def by(
    source: _Source = None,
    function: Split[Item] | None = None,
    *,
    max_item_chars: int = MAX_ITEM_CHARS,
    take: Take = "text",
    accept: Iterable[str] = (),
) -> _Result[Item]:
    """Items by a function: (text not read yet, whether it is the end) -> (items, how many characters are read)."""
    if function is None:
        raise TypeError("split.by needs a function: split.by(source, function), or split.by(function=…).")
    return _applied(ByFunction(function, max_item_chars=max_item_chars), source, take, accept)


def _applied(splitter: Splitter[Item], source: _Source, take: Take, accept: Iterable[str]) -> _Result[Item]:
    if source is not None:
        return splitter(source, take=take, accept=accept)
    if take != "text" or accept:
        raise TypeError("take and accept are about a source: give them when the splitter is called with one.")
    return splitter
