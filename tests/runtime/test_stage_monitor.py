"""Stages without progress, with repeated failures or without a pass are reported in log and /healthz."""

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
def test_a_pass_without_progress_is_a_problem_until_it_continues(
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


def test_a_waiting_pass_is_no_problem_while_another_makes_progress(watch: StageMonitor, seconds: Seconds):
    with watch.track("deliver") as step, watch.track("deliver"):
        for number in range(9):
            seconds.now += STALLED_SECONDS["deliver"] / 2
            step("", number, 9)
            assert watch.problems() == ()


def test_an_idle_stage_is_no_problem(watch: StageMonitor, seconds: Seconds):
    with watch.track("gather"):
        pass
    seconds.now += 1_000_000
    assert watch.problems() == ()


def test_repeated_failures_are_a_problem_until_a_pass_succeeds(watch: StageMonitor):
    for number in range(MAX_FAILURES):
        assert watch.problems() == (), number
        with pytest.raises(OSError, match="away"), watch.track("compose"):
            raise OSError("away")
    assert "passes of compose failed" in watch.problems()[0]
    with watch.track("compose"):
        pass
    assert watch.problems() == ()


def test_work_without_a_pass_is_a_problem(watch: StageMonitor, seconds: Seconds):
    watch.note_waiting(["gather"])
    seconds.now += UNSERVED_SECONDS + 1
    watch.note_waiting(["gather"])
    assert "gather has work but no pass of it started" in watch.problems()[0]
    watch.note_waiting([])
    assert watch.problems() == ()
    watch.note_waiting(["gather"])
    with watch.track("gather"):
        pass
    seconds.now += UNSERVED_SECONDS + 1
    assert watch.problems() == ()


def test_a_problem_is_logged_when_it_starts_and_when_it_ends():
    trouble = ["the pool is broken"]
    watch = StageMonitor(lambda: trouble[0])
    with structlog.testing.capture_logs() as logs:
        watch.log_changes()
        watch.log_changes()
        trouble[0] = ""
        watch.log_changes()
    said = [(log["event"], log["log_level"], log["reason"]) for log in logs]
    assert said == [
        ("unhealthy", "error", "the pool is broken"),
        ("healthy_again", "info", "the pool is broken"),
    ]
