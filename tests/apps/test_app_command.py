"""The command that runs one application: what it prints, and how it says no."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from alto_lg.apps import __main__ as command
from alto_lg.apps.tot import command as tot_command


def _command(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(arguments))


def _run(*arguments: str) -> int:
    return _command("factool", "--input", "How long is the Amazon?", *arguments)


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
def test_a_puzzle_is_solved_step_by_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert _command("tot", "--input", "4 5 6 10", "--version", "streaming", "--accelerate") == 0
    printed = capsys.readouterr().out
    assert "Solved: (10 + (4 * 5)) - 6 = 24" in printed
    assert "at step 4" in printed


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (("--input", "4 5 6"), 2, "give four whole numbers"),
        (("--input", "4 5 6 10", "--reference", "24"), 2, "tot takes no --reference"),
        (
            ("--input", "4 5 6 10", "--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--corpus", "x"),
            1,
            "x: Tree of Thoughts reads no corpus; leave --corpus out",
        ),
        (("--input", "4 5 6 10", "--base-url", "http://127.0.0.1:9/v1", "--model", "m"), 1, "no server answers there"),
    ],
)
def test_a_puzzle_that_cannot_be_run_is_refused(
    arguments: tuple[str, ...], status: int, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _command("tot", *arguments) == status
    assert reason in capsys.readouterr().err


def test_a_search_that_found_nothing_says_so() -> None:
    state = {"kept": [], "thoughts": [], "answer": "", "solved": False}
    assert tot_command.readable(state) == "\nNOT solved: nothing is the best that was found\nThoughts: none"


@pytest.mark.slow
def test_each_input_is_a_turn_of_one_conversation(capsys: pytest.CaptureFixture[str]) -> None:
    turns = ["--input", "Who was Einstein?", "--input", "And which prize did he get?"]
    assert _command("wikichat", *turns, "--version", "streaming", "--accelerate") == 0
    printed = capsys.readouterr().out
    assert printed.index("> Who was Einstein?") < printed.index("> And which prize did he get?")
    assert "law of the photoelectric effect" in " ".join(printed.partition("> And")[2].split())
    assert "[1] " in printed


@pytest.mark.slow
def test_a_question_is_reasoned_about_step_by_step(capsys: pytest.CaptureFixture[str]) -> None:
    question = "In which city was the composer of Don Giovanni born?"
    assert _command("ircot", "--input", question, "--version", "streaming", "--accelerate") == 0
    printed = capsys.readouterr().out
    assert "2. Wolfgang Amadeus Mozart was born in Salzburg" in printed
    assert "Answer: Salzburg" in printed


@pytest.mark.slow
def test_a_plan_is_printed_with_what_its_tasks_came_to(capsys: pytest.CaptureFixture[str]) -> None:
    question = "How many metres higher is Mount Fuji than Uluru?"
    assert _command("llmcompiler", "--input", question, "--version", "streaming", "--accelerate") == 0
    printed = capsys.readouterr().out
    assert '3. calculate("3776 - 348") = 3428' in printed
    assert "Answer: 3428" in printed


@pytest.mark.parametrize("application", ["ircot", "llmcompiler"])
def test_a_form_that_an_application_does_not_have_is_refused(
    application: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _command(application, "--input", "Who?", "--version", "subgraph") == 2
    assert f"{application} has no version 'subgraph': give flat or streaming" in capsys.readouterr().err


@pytest.mark.parametrize("application", ["ircot", "llmcompiler"])
def test_a_reference_is_refused_by_the_question_answerers(application: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _command(application, "--input", "Who?", "--reference", "Ada.") == 2
    assert f"{application} takes no --reference" in capsys.readouterr().err


def test_a_reference_is_refused_where_nothing_could_make_use_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert _command("wikichat", "--input", "Who?", "--reference", "Ada.") == 2
    assert "wikichat takes no --reference" in capsys.readouterr().err


def _of_its_own(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, which ends with the connections that langchain-openai keeps open."""
    return subprocess.run([sys.executable, "-m", "alto_lg", "app", *arguments], capture_output=True, text=True)


@pytest.mark.slow
def test_the_agent_shows_what_it_called_and_what_that_gave() -> None:
    ended = _of_its_own("agent", "--input", "Who wrote the Principia?", "--version", "react-early", "--accelerate")
    assert ended.returncode == 0
    assert "search_passages('Who wrote the Principia?')\n    [newton-2] The Principia:" in ended.stdout
    assert "Newton's Principia was published in Latin in 1687. [newton-2]" in ended.stdout


@pytest.mark.slow
def test_an_agent_whose_server_is_not_there_says_so() -> None:
    ended = _of_its_own("agent", "--input", "Who?", "--base-url", "http://127.0.0.1:9/v1", "--model", "none")
    assert ended.returncode == 1
    assert "the model server did not answer: " in ended.stderr


@pytest.mark.slow
def test_an_article_is_printed_with_its_references(capsys: pytest.CaptureFixture[str]) -> None:
    assert _command("storm", "--input", "Tea in Japan", "--version", "streaming", "--accelerate") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("# Tea in Japan\n\n")
    assert "\n## References\n\n1. " in printed
    assert "4 editors, " in printed


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--input", " "), "the topic is empty"),
        (("--input", "Tea", "--reference", "Hot."), "storm takes no --reference"),
    ],
)
def test_a_topic_that_makes_no_article_is_refused(
    arguments: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _command("storm", *arguments) == 2
    assert reason in capsys.readouterr().err
