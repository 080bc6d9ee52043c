"""Tasks over the cores: the same results whatever happens to the processes."""

import os
import random
import time
from collections.abc import Iterator

import pytest

from vmfdlint.run import FEW, Crash, Done, Pool, map_tasks, run_one, usable_cpus

_prepared = 0


def square(number: int) -> int:
    # The later ones end first.
    time.sleep(0.001 * (number % 3))
    return number * number


def fail_at_seven(number: int) -> int:
    if number == 7:
        raise ValueError("seven\nis wrong")
    return number


def die_at_seven(number: int) -> int:
    if number == 7:
        os._exit(1)
    return number


def unpicklable(number: int) -> object:
    return (lambda: number) if number == 7 else number


def prepare(offset: int) -> None:
    global _prepared
    _prepared += offset


def prepared(number: int) -> int:
    return _prepared + number


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(2) as workers:
        yield workers


def test_serial_and_processes_and_shuffled(pool: Pool) -> None:
    items = list(range(30))
    expected = [Done(number * number) for number in items]
    assert map_tasks(square, items, 1) == expected
    assert pool.map(square, items) == expected
    random.Random(3).shuffle(items)
    assert pool.map(square, items) == [Done(number * number) for number in items]


def test_few_items_start_no_process() -> None:
    assert map_tasks(lambda number: number, range(FEW - 1), 4) == [Done(number) for number in range(FEW - 1)]
    assert map_tasks(square, [], 4) == []


def test_a_task_that_raises(pool: Pool) -> None:
    serial = map_tasks(fail_at_seven, range(20), 1, "number {}".format)
    for results in (serial, pool.map(fail_at_seven, range(20))):
        crash = results[7]
        assert isinstance(crash, Crash) and crash.item in ("7", "number 7")
        assert crash.text.startswith("ValueError: seven is wrong at test_run.py:")
        assert "Traceback" in crash.trace
        assert [result for result in results if result is not crash] == [Done(n) for n in range(20) if n != 7]


def test_a_worker_that_dies_names_its_item() -> None:
    with Pool(2) as workers:
        results = workers.map(die_at_seven, range(20), "number {}".format)
        assert [n for n, result in enumerate(results) if isinstance(result, Crash)] == [7]
        crash = results[7]
        assert isinstance(crash, Crash) and crash.item == "number 7" and "abruptly" in crash.text
        assert [result for result in results if result is not crash] == [Done(n) for n in range(20) if n != 7]
        # The pool can be used again.
        assert workers.map(square, range(20)) == [Done(number * number) for number in range(20)]


def test_a_value_that_cannot_be_sent_back(pool: Pool) -> None:
    results = pool.map(unpicklable, range(20))
    assert isinstance(results[7], Crash) and results[0] == Done(0)


def test_workers_are_prepared() -> None:
    for jobs in (1, 2):
        with Pool(jobs, prepare, (100,)) as workers:
            assert workers.map(prepared, range(20)) == [Done(100 + number) for number in range(20)]


def test_without_processes_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*rest: object, **more: object) -> object:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("vmfdlint.run.pool.ProcessPoolExecutor", refuse)
    assert map_tasks(square, range(20), 2) == [Done(number * number) for number in range(20)]


def test_ctrl_c_is_not_a_crash() -> None:
    def interrupt(item: int) -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_one(interrupt, 1, "x")


def test_there_is_a_cpu() -> None:
    assert usable_cpus() >= 1
