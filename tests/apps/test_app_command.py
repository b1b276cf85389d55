"""The command that runs one application: what it prints, and how it says no."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from alto_lg.apps import __main__ as command


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(["factool", "--input", "How long is the Amazon?", *arguments]))


def test_a_server_without_a_model_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--base-url", "http://127.0.0.1:9/v1") == 2
    assert "--base-url needs --model" in capsys.readouterr().err


def test_a_malformed_corpus_is_refused_before_any_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_text("{}", encoding="utf-8")
    assert _run("--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--corpus", str(path)) == 1
    assert f"{path}:1: key 'id' must be text" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("version", ["flat", "subgraph"])
def test_an_answer_is_printed_with_its_verdicts(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    reference = "The Teatro Amazonas opened in 1896. Manaus stands on the Rio Grande."
    assert _run("--version", version, "--reference", reference) == 0
    printed = capsys.readouterr().out
    assert "1. true   The Teatro Amazonas opened in 1896." in printed
    assert "2. FALSE  Manaus stands on the Rio Grande." in printed
    assert "NOT factual: 1 of 2 claims found to be false" in printed


@pytest.mark.slow
def test_each_input_is_a_turn_of_one_conversation(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    turns = ["--input", "Who was Einstein?", "--input", "And which prize did he get?"]
    assert command.run(parser.parse_args(["wikichat", *turns, "--version", "streaming", "--accelerate"])) == 0
    printed = capsys.readouterr().out
    assert printed.index("> Who was Einstein?") < printed.index("> And which prize did he get?")
    assert "law of the photoelectric effect" in " ".join(printed.partition("> And")[2].split())
    assert "[1] " in printed


def test_a_reference_is_refused_where_nothing_could_make_use_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert command.run(parser.parse_args(["wikichat", "--input", "Who?", "--reference", "Ada."])) == 2
    assert "wikichat takes no --reference" in capsys.readouterr().err
