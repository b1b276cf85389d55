"""The pool's error as the openai client's users know it: whoever handles a lost connection handles this, too."""

from __future__ import annotations

from typing import Any

import openai

from alto_lg.errors import NoEndpoint


class NoEndpointForOpenAI(NoEndpoint, openai.APIConnectionError):
    """The same error, as one of the openai client's, which lets those through as they are."""

    def __init__(self, request: Any, *said: Any) -> None:
        NoEndpoint.__init__(self, *said)
        openai.APIConnectionError.__init__(self, message=str(self), request=request)
