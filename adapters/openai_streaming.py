"""The text of one answer of the openai client while it is written.

Always true: the deltas together are a whole answer, or an error is raised behind the last of them; the HTTP response is
closed at the end, at an error, and when the reader stops.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from openai import AsyncStream
from openai.types.chat import ChatCompletionChunk

from alto_lg.adapters.deltas.errors import StreamError
from alto_lg.adapters.deltas.reading import Reading


async def text_deltas(
    stream: AsyncStream[ChatCompletionChunk],
    count: Callable[[ChatCompletionChunk], None],
    explained: Callable[[StreamError], Exception],
) -> AsyncGenerator[str, None]:
    """The pieces of text in a stream.

    count: told of each chunk, as one of them says what was used. explained: what to raise for a stream that broke off.
    """
    reading = Reading(stream, "text", ())
    try:
        async for chunk in stream:
            count(chunk)
            if delta := reading.text_of(chunk):
                yield delta
        reading.finish()
    except StreamError as fault:
        raise explained(fault) from fault
    except Exception as fault:
        broken = reading.explained(fault)
        if not isinstance(broken, StreamError):
            raise
        raise explained(broken) from fault
    finally:
        await stream.close()
