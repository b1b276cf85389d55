"""Settling which model server is meant, with servers that answer on loopback."""

from __future__ import annotations

import pytest

from alto_lg.comparisons.endpoint import reach
from alto_lg.comparisons.errors import ServerError, UsageError


def test_the_only_model_of_a_server_need_not_be_named(model_server: str) -> None:
    assert reach(model_server, None).model == "tiny-model"


def test_the_key_comes_from_the_environment_and_is_not_shown(
    model_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-that-must-not-show")
    endpoint = reach(model_server, None)
    assert endpoint.api_key == "a-key-that-must-not-show"
    assert "must-not-show" not in repr(endpoint)


def test_a_refused_key_is_told_without_the_servers_words(refusing_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-that-must-not-show")
    with pytest.raises(ServerError, match="set OPENAI_API_KEY") as caught:
        reach(refusing_server, None)
    assert "must-not-show" not in str(caught.value)


def test_an_address_without_v1_is_told_what_is_missing(model_server: str) -> None:
    with pytest.raises(ServerError, match=r"answered 404.*ending in /v1"):
        reach(model_server.removesuffix("/v1"), None)


def test_a_model_that_is_not_served_is_refused_with_those_that_are(model_server: str) -> None:
    with pytest.raises(UsageError, match=r"'other' is not served at .*, which has: tiny-model"):
        reach(model_server, "other")
