"""A pass that stands still, fails again and again or never begins is named, in the log and in /healthz."""

from __future__ import annotations

import pytest
import structlog.testing

from service.runtime.stage_monitor import MAX_FAILURES, STALLED_SECONDS, UNSERVED_SECONDS, StageMonitor


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
def watch(seconds: Seconds) -> StageMonitor:
    return StageMonitor(seconds=seconds)


@pytest.mark.parametrize("stage", STALLED_SECONDS)
def test_a_pass_that_makes_no_progress_is_a_problem_until_it_goes_on(
    watch: StageMonitor, seconds: Seconds, stage: str
):
    with watch.track(stage) as step:
        seconds.now += STALLED_SECONDS[stage]
        assert watch.problems() == ()
        step("The Example", 1, 9)
        seconds.now += STALLED_SECONDS[stage] + 1
        [problem] = watch.problems()
        assert f"a pass of {stage} has made no progress" in problem
        step("The Example", 2, 9)
        assert watch.problems() == ()


def test_a_pass_that_waits_for_its_turn_is_no_problem_while_another_goes_on(
    watch: StageMonitor, seconds: Seconds
):
    with watch.track("deliver") as step, watch.track("deliver"):
        for number in range(9):
            seconds.now += STALLED_SECONDS["deliver"] / 2
            step("", number, 9)
            assert watch.problems() == ()


def test_a_stage_that_rests_is_no_problem(watch: StageMonitor, seconds: Seconds):
    with watch.track("gather"):
        pass
    seconds.now += 1_000_000
    assert watch.problems() == ()


def test_a_stage_that_fails_in_a_row_is_a_problem_until_a_pass_ends_well(watch: StageMonitor):
    for number in range(MAX_FAILURES):
        assert watch.problems() == (), number
        with pytest.raises(OSError, match="away"), watch.track("compose"):
            raise OSError("away")
    assert "passes of compose failed" in watch.problems()[0]
    with watch.track("compose"):
        pass
    assert watch.problems() == ()


def test_work_that_no_pass_takes_up_is_a_problem(watch: StageMonitor, seconds: Seconds):
    watch.note_waiting(["gather"])
    seconds.now += UNSERVED_SECONDS + 1
    watch.note_waiting(["gather"])
    assert "gather has work and no pass of it began" in watch.problems()[0]
    watch.note_waiting([])
    assert watch.problems() == ()
    watch.note_waiting(["gather"])
    with watch.track("gather"):
        pass
    seconds.now += UNSERVED_SECONDS + 1
    assert watch.problems() == ()


def test_a_problem_is_logged_when_it_begins_and_when_it_is_over():
    trouble = ["the pool stands still"]
    watch = StageMonitor(lambda: trouble[0])
    with structlog.testing.capture_logs() as logs:
        watch.log_changes()
        watch.log_changes()
        trouble[0] = ""
        watch.log_changes()
    said = [(log["event"], log["log_level"], log["reason"]) for log in logs]
    assert said == [
        ("unhealthy", "error", "the pool stands still"),
        ("healthy_again", "info", "the pool stands still"),
    ]
