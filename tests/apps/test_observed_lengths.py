"""The texts of the rules are as long as recorded ones, and vary as they do."""

from __future__ import annotations

import pytest

from alto_lg.apps.observed_lengths import APPLICATIONS, observe, recorded_of, table

# Of WikiChat's figures, the estimate for a list of passages is the farthest: a number in it is four tokens here.
_NEAR = {"tot": 0.2, "wikichat": 0.25, "factool": 0.2}
# Answers are those of the package's own questions; WikiChat's queries were counted without the marks around them.
_NOT_COMPARED = {
    "factool": {"answer", "extract", "make_queries"},
    "tot": set(),
    "wikichat": {"make_queries"},
}


@pytest.mark.parametrize("name", APPLICATIONS)
def test_the_rules_write_as_much_as_was_recorded(name: str) -> None:
    observed, recorded = observe(name, 10), recorded_of(name)
    assert set(observed) == set(recorded)
    for stage in set(recorded) - _NOT_COMPARED[name]:
        assert observed[stage].answer == pytest.approx(recorded[stage].tokens, rel=_NEAR[name]), stage
        variation = recorded[stage].variation
        assert variation is None or observed[stage].variation == pytest.approx(variation, abs=0.08), stage


def test_the_table_has_a_line_for_each_stage() -> None:
    observed = observe("tot", 1)
    lines = table("tot", observed).splitlines()
    assert len(lines) == 1 + len(observed)
    assert "CV 0.57" in lines[4]
