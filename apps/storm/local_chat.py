"""STORM's rules as a chat model in this process."""

from __future__ import annotations

from alto_lg.apps.rules_chat import RulesChat
from alto_lg.apps.storm.rules import reply


class LocalChat(RulesChat):
    """Answers STORM's prompts by rules, at once."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(reply, seed)
