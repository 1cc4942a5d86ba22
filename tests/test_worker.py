"""Processes that do tasks: outcomes, errors, deaths, and that several give what one gives."""

import os
import signal
from collections import deque
from contextlib import closing

import pytest

from izhires.errors import LostError, SimulationError
from izhires.running.worker import Task, results, run_tasks


def kill_yourself(path, say):
    """Die at first; return at the second time."""
    if not path.exists():
        path.write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    say("it", "run", 1.0)
    return os.getpid()


def raise_what(error, say):
    raise error


def test_tasks_whose_process_is_killed_can_be_done_again(tmp_path):
    waiting = deque(Task(str(k), kill_yourself, (tmp_path / str(k),)) for k in range(4))
    messages, found = [], []
    with closing(run_tasks(waiting, 2, lambda *message: messages.append(message))) as outcomes:
        for task, outcome in outcomes:
            found.append((task.name, outcome.error))
            if outcome.error is not None:
                assert isinstance(outcome.error, LostError)
                assert "its process was ended by SIGKILL" in str(outcome.error)
                waiting.append(task)
    assert sorted(name for name, error in found if error is None) == ["0", "1", "2", "3"]
    assert len(found) == 8
    assert messages.count(("it", "run", 1.0)) == 4


def test_an_error_of_a_task_is_its_outcome():
    waiting = deque([Task("a", raise_what, (SimulationError("of mine"),)), Task("b", raise_what, (ValueError("x"),))])
    with closing(run_tasks(waiting, 1, print)) as outcomes:
        found = {task.name: outcome.error for task, outcome in outcomes}
    assert str(found["a"]) == "of mine"
    assert str(found["b"]) == "b: stopped on an unexpected ValueError, see above"


def square(number, say):
    say(str(number), "run", 1.0)
    return number**2, os.getpid()


def test_results_are_in_the_order_of_the_tasks_and_made_while_others_run():
    def tasks():
        for number in range(6):
            yield Task(str(number), square, (number,))
        after.append("made")

    after = []
    alone, together = results(tasks()), results(tasks(), 2, ["decimal"])
    assert [value for value, _ in alone] == [value for value, _ in together] == [0, 1, 4, 9, 16, 25]
    assert {process for _, process in alone} == {os.getpid()}
    assert os.getpid() not in {process for _, process in together}
    assert len({process for _, process in together}) <= 2
    assert after == ["made", "made"]


def test_results_of_more_processes_than_tasks_and_of_none():
    assert [value for value, _ in results([Task("7", square, (7,))], 3)] == [49]
    assert results([], 2) == []


@pytest.mark.parametrize("processes", [1, 2])
def test_the_first_error_ends_all(processes):
    with pytest.raises(SimulationError, match="of mine"):
        results([Task("a", raise_what, (SimulationError("of mine"),)), Task("b", square, (2,))], processes)


def test_a_process_that_is_killed_is_said(tmp_path):
    with pytest.raises(LostError, match="its process was ended by SIGKILL"):
        results([Task("a", kill_yourself, (tmp_path / "it",))], 2)
