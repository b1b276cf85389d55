"""IRCoT's rules as a chat model in this process."""

from __future__ import annotations

from alto_lg.apps.ircot.rules import reply
from alto_lg.apps.rules_chat import RulesChat


class LocalChat(RulesChat):
    """Answers IRCoT's prompts by rules, at once."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(reply, seed)
