"""A pass that stands still, fails again and again or never begins is named, in the log and in /healthz."""

from __future__ import annotations

import pytest
import structlog.testing

from service.runtime.pass_watch import FAILURES, STALLED_SECONDS, UNSERVED_SECONDS, PassWatch


class Seconds:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def watch(seconds: Seconds) -> PassWatch:
    return PassWatch(seconds=seconds)


@pytest.mark.parametrize("stage", STALLED_SECONDS)
def test_a_pass_that_makes_no_progress_is_a_problem_until_it_goes_on(
    watch: PassWatch, seconds: Seconds, stage: str
):
    with watch.passing(stage) as step:
        seconds.now += STALLED_SECONDS[stage]
        assert watch.problems() == ()
        step("The Example", 1, 9)
        seconds.now += STALLED_SECONDS[stage] + 1
        [problem] = watch.problems()
        assert f"a pass of {stage} has made no progress" in problem
        step("The Example", 2, 9)
        assert watch.problems() == ()


def test_a_pass_that_waits_for_its_turn_is_no_problem_while_another_goes_on(
    watch: PassWatch, seconds: Seconds
):
    with watch.passing("deliver") as step, watch.passing("deliver"):
        for number in range(9):
            seconds.now += STALLED_SECONDS["deliver"] / 2
            step("", number, 9)
            assert watch.problems() == ()


def test_a_stage_that_rests_is_no_problem(watch: PassWatch, seconds: Seconds):
    with watch.passing("gather"):
        pass
    seconds.now += 1_000_000
    assert watch.problems() == ()


def test_a_stage_that_fails_in_a_row_is_a_problem_until_a_pass_ends_well(watch: PassWatch):
    for number in range(FAILURES):
        assert watch.problems() == (), number
        with pytest.raises(OSError, match="away"), watch.passing("compose"):
            raise OSError("away")
    assert "passes of compose failed" in watch.problems()[0]
    with watch.passing("compose"):
        pass
    assert watch.problems() == ()


def test_work_that_no_pass_takes_up_is_a_problem(watch: PassWatch, seconds: Seconds):
    watch.waiting(["gather"])
    seconds.now += UNSERVED_SECONDS + 1
    watch.waiting(["gather"])
    assert "gather has work and no pass of it began" in watch.problems()[0]
    watch.waiting([])
    assert watch.problems() == ()
    watch.waiting(["gather"])
    with watch.passing("gather"):
        pass
    seconds.now += UNSERVED_SECONDS + 1
    assert watch.problems() == ()


def test_a_problem_is_logged_when_it_begins_and_when_it_is_over():
    trouble = ["the pool stands still"]
    watch = PassWatch(lambda: trouble[0])
    with structlog.testing.capture_logs() as logs:
        watch.look()
        watch.look()
        trouble[0] = ""
        watch.look()
    said = [(log["event"], log["log_level"], log["reason"]) for log in logs]
    assert said == [
        ("unhealthy", "error", "the pool stands still"),
        ("healthy_again", "info", "the pool stands still"),
    ]
