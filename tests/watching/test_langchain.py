"""What the watcher hears of LangChain's chat models, however they are called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.messages import AIMessage
from sim.loop import run

from alto_lg.adapters.watching import CallsInProgress, ModelCall, ModelWatcher, ToolCallDelta
from watching.scripted import Breaks, ScriptedModel, call, said


class Notes:
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.deltas: list[ToolCallDelta] = []
        self.text = ""
        self.message: AIMessage | None = None

    def began(self, call: ModelCall) -> None:
        self.events.append(f"began with {len(call.messages)}")

    def said(self, call: ModelCall, text: str) -> None:
        self.text += text

    def called(self, call: ModelCall, deltas: Sequence[ToolCallDelta]) -> None:
        self.deltas += deltas

    def ended(self, call: ModelCall, message: AIMessage | None) -> None:
        self.events.append("ended")
        self.message = message

    def failed(self, call: ModelCall, error: BaseException) -> None:
        self.events.append(f"failed: {error}")


TURN = [*said("Let me "), *said("see."), *call("search", {"q": "tides"}, 0), *call("add", {"a": 1, "b": [2]}, 1)]


def model(*script: Any, **fields: Any) -> ScriptedModel:
    return ScriptedModel(scripts=[[*script]], **fields)


async def _astreamed(model: ScriptedModel, config: Any) -> None:
    async for _ in model.astream("go", config):
        pass


def _streamed(model: ScriptedModel, config: Any) -> None:
    for _ in model.stream("go", config):
        pass


@pytest.mark.parametrize("how", ["ainvoke", "astream", "invoke", "stream", "v3"])
def test_all_pieces_are_heard_in_order(how: str) -> None:
    notes, watched = Notes(), model(*TURN)
    config: Any = {"callbacks": [ModelWatcher(notes)]}
    if how == "ainvoke":
        run(lambda: watched.ainvoke("go", config))
    elif how == "astream":
        run(lambda: _astreamed(watched, config))
    elif how == "invoke":
        watched.invoke("go", config)
    elif how == "v3":
        watched.stream_events("go", config, version="v3").output  # noqa: B018 -- runs it to its end
    else:
        _streamed(watched, config)
    assert watched.asked == ["stream"]
    assert notes.events == ["began with 1", "ended"]
    assert notes.text == "Let me see."
    progress = CallsInProgress()
    found = [complete for delta in notes.deltas for complete in progress.feed(delta)]
    assert [(one.id, one.name, one.arguments) for one in found] == [
        ("call_0", "search", {"q": "tides"}),
        ("call_1", "add", {"a": 1, "b": [2]}),
    ]
    assert notes.message is not None
    assert [(one["id"], one["name"], one["args"]) for one in notes.message.tool_calls] == [
        (one.id, one.name, one.arguments) for one in found
    ]


def test_a_model_that_cannot_stream_is_heard_at_its_end() -> None:
    notes, watched = Notes(), model(*TURN, streams=False)
    message = run(lambda: watched.ainvoke("go", {"callbacks": [ModelWatcher(notes)]})).result
    assert watched.asked == ["whole"]
    assert (notes.events, notes.text, notes.deltas) == (["began with 1", "ended"], "", [])
    assert notes.message == message


def test_a_stream_that_breaks_off_has_failed() -> None:
    notes, watched = Notes(), model(*TURN[:4], Breaks(ConnectionError("closed")))
    with pytest.raises(ConnectionError, match="closed"):
        run(lambda: watched.ainvoke("go", {"callbacks": [ModelWatcher(notes)]}))
    assert notes.events == ["began with 1", "failed: closed"]


def test_other_handlers_hear_what_they_heard() -> None:
    usage = UsageMetadataCallbackHandler()
    watched = model(*TURN)
    message = run(lambda: watched.ainvoke("go", {"callbacks": [ModelWatcher(Notes()), usage]})).result
    assert message.content == "Let me see."
    assert [one["name"] for one in message.tool_calls] == ["search", "add"]


def test_an_observer_that_raises_does_not_break_the_model(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Notes):
        def said(self, call: ModelCall, text: str) -> None:
            raise RuntimeError("observer")

    message = run(lambda: model(*TURN).ainvoke("go", {"callbacks": [ModelWatcher(Broken())]})).result
    assert message.content == "Let me see."
    assert "observer" in caplog.text
