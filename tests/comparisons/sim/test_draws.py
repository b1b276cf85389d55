import statistics

from alto_lg.comparisons.sim.batching import Job
from alto_lg.comparisons.sim.draws import make_job, prompt_digest
from alto_lg.comparisons.sim.profiles import PROFILES


def drawn(profile: str = "h100-8b", *, key: str = "0/prompt/0", jitter: float = 0.3, output: int = 4_001) -> Job:
    return make_job(PROFILES[profile], prompt=("a",), output=("x",) * output, jitter=jitter, key=key)


def test_the_same_key_draws_the_same_job_and_another_key_another() -> None:
    assert drawn() == drawn()
    assert drawn() != drawn(key="1/prompt/0")


def test_token_work_has_mean_one_and_the_spread_that_was_asked_for() -> None:
    work = drawn().token_work
    assert len(work) == 4_000
    assert abs(statistics.fmean(work) - 1) < 0.02
    assert abs(statistics.stdev(work) - 0.3) < 0.03
    assert min(work) > 0


def test_without_jitter_every_token_takes_the_same() -> None:
    job = drawn(jitter=0.0)
    assert set(job.token_work) == {1.0}
    assert job.prefill_factor == 1.0


def test_first_tokens_of_a_hosted_model_are_drawn_around_its_median() -> None:
    times = [drawn("api-mini", key=str(index), output=1).first_token_s for index in range(2_000)]
    assert 0.55 < statistics.median(time for time in times if time is not None) < 0.65


def test_the_digest_depends_on_roles_and_content_and_not_on_the_order_of_fields() -> None:
    one = prompt_digest([{"role": "user", "content": "a"}])
    assert one == prompt_digest([{"content": "a", "role": "user"}])
    assert one != prompt_digest([{"role": "system", "content": "a"}])
