import pytest

from alto_lg.comparisons.sim.profiles import PROFILES


@pytest.mark.parametrize(
    ("name", "running", "multiplier"),
    [
        ("h100-8b", 1, 1.0),
        ("h100-8b", 25, 1.2),
        ("h100-8b", 100, 1.65),
        ("h100-8b", 250, 3.5),
        ("a100-8b", 8, 1.2),
        ("a100-8b", 20, 1.6),
        ("a100-8b", 200, 3.5),
        ("api-mini", 500, 1.0),
    ],
)
def test_the_load_curve_passes_through_its_points_in_straight_lines(name: str, running: int, multiplier: float) -> None:
    assert PROFILES[name].multiplier(running, PROFILES[name].slots) == pytest.approx(multiplier)


@pytest.mark.parametrize("slots", [1, 2, 16, 64])
def test_llm_d_reaches_its_factor_when_every_slot_is_busy(slots: int) -> None:
    profile = PROFILES["llm-d"]
    assert profile.multiplier(1, slots) == 1.0
    assert profile.multiplier(slots, slots) == pytest.approx(1.0 if slots == 1 else 2.0)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_multiplier_never_falls_as_streams_are_added(profile) -> None:
    multipliers = [profile.multiplier(count, profile.slots) for count in range(1, profile.slots + 1)]
    assert multipliers == sorted(multipliers)
    assert multipliers[0] == 1.0


def test_the_first_token_of_a_hosted_model_has_the_published_median_and_p95() -> None:
    first_token = PROFILES["api-mini"].first_token
    assert first_token is not None
    assert first_token.at(0.0) == pytest.approx(0.6)
    assert first_token.at(1.6448536) == pytest.approx(2.0)
