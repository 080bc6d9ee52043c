"""Tasks over the cores: the same results whatever happens to the processes."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from commands import Run

from vmfdlint.run import FEW, Apart, Crash, Done, Pool, map_tasks, run_one, usable_cpus

PROGRAM = str(Path(__file__).parent.parent / "fixtures" / "programs" / "minivmm")

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


def upwards(number: int) -> Iterator[int]:
    yield number
    if number == 7:
        raise ValueError("seven is wrong")
    yield number + 1


def last_words(number: int) -> Iterator[int]:
    yield os.getpid()
    if number == 7:
        os._exit(1)
    time.sleep(60)


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


def die_once(flag: str) -> str:
    if flag.endswith("7") and not Path(flag).exists():
        Path(flag).touch()
        os._exit(1)
    return flag


def test_a_worker_that_was_killed_loses_nothing(tmp_path: Path) -> None:
    flags = [str(tmp_path / str(number)) for number in range(10)]
    with Pool(2) as workers:
        assert workers.map(die_once, flags) == [Done(flag) for flag in flags]
    assert [path.name for path in tmp_path.iterdir()] == ["7"]


def test_workers_end_when_the_driver_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from vmfdlint.run import Pool; from test_run import tell_and_wait\n"
        "if __name__ == '__main__':\n"
        "    with Pool(2) as pool: pool.map(tell_and_wait, [sys.argv[1]] * 20)\n"
    )
    said = tmp_path / "pids"
    with subprocess.Popen([sys.executable, "-c", code, str(said)], cwd=Path(__file__).parent) as process:
        deadline = time.monotonic() + 30
        while not said.exists() or len(said.read_text().split()) < 2:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
        process.kill()
    while any(Path("/proc", pid).exists() for pid in said.read_text().split()):
        assert time.monotonic() < deadline, "workers are left"
        time.sleep(0.05)


def tell_and_wait(path: str) -> None:
    with Path(path).open("a") as stream:
        stream.write(f"{os.getpid()}\n")
    time.sleep(60)


def test_long_tasks_are_taken_when_there_is_room(pool: Pool) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(12):
            taken.append(number)
            yield number

    for serial in (True, False):
        taken.clear()
        ahead, got = [], []
        with Pool(1 if serial else 2) as workers:
            for item, result in workers.stream(square, items(), str, lambda number: 10, 15):
                got.append(item)
                ahead.append(len(taken) - len(got))
                assert result == Done(item * item)
        # Where two would be too heavy one runs at a time, and one more is ready.
        assert sorted(got) == list(range(12)) and max(ahead) <= 1, ahead
    heavy = [item for item, _ in pool.stream(square, range(12), str, lambda number: 99, 15)]
    assert sorted(heavy) == list(range(12))
    crashes = [result for _, result in pool.stream(die_at_seven, range(9), str, lambda number: 0, 15)
               if isinstance(result, Crash)]  # fmt: skip
    assert [crash.item for crash in crashes] == ["7"]


def test_an_executor_that_is_not_to_be_had(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("check", PROGRAM, "--executor", "mpi://somewhere:1")
    assert (result.code, result.out) == (2, "")
    assert "no executor 'mpi://somewhere:1': choose from dask, processes, serial, tcp" in result.err
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = run("check", PROGRAM, "--executor", "dask://somewhere:8786")
    assert (result.code, result.out) == (2, "")
    assert "dask://somewhere:8786 needs Dask" in result.err and "pip install 'vmfdlint[dask]'" in result.err


def test_a_tree_has_no_say_in_where_the_work_is_done(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vmfdlint.toml").write_text('executor = "dask://somewhere:8786"\n')
    monkeypatch.chdir(tmp_path)
    result = run("check", ".")
    assert result.code == 2 and "unknown key 'executor'" in result.err


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

    monkeypatch.setattr("vmfdlint.run.executors.processes.ProcessPoolExecutor", refuse)
    assert map_tasks(square, range(20), 2) == [Done(number * number) for number in range(20)]


def test_ctrl_c_is_not_a_crash() -> None:
    def interrupt(item: int) -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_one(interrupt, 1, "x")


def test_there_is_a_cpu() -> None:
    assert usable_cpus() >= 1


def test_a_task_apart_sends_value_by_value() -> None:
    assert list(Apart(upwards, 1, "one")) == [Done(1), Done(2)]
    first, crash = Apart(upwards, 7, "seven")
    assert first == Done(7)
    assert isinstance(crash, Crash) and crash.item == "seven" and "seven is wrong" in crash.text


def test_a_task_apart_that_dies() -> None:
    first, crash = Apart(last_words, 7, "seven")
    assert isinstance(first, Done) and isinstance(crash, Crash) and "ended abruptly" in crash.text


def test_a_task_apart_that_is_stopped() -> None:
    task = Apart(last_words, 1, "one")
    found = iter(task)
    first = next(found)
    assert isinstance(first, Done)
    task.stop()
    assert list(found) == []
    with pytest.raises(ProcessLookupError):
        os.kill(first.value, 0)
    before = Apart(last_words, 1, "one")
    before.stop()
    assert len(list(before)) <= 1


def test_a_task_apart_is_let_go_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that listens and the one that stops may end it in the same moment."""
    task = Apart(upwards, 1, "one")
    inside: list[int] = []

    def close() -> None:
        inside.append(len(inside))
        time.sleep(0.05)
        assert len(inside) == 1
        inside.pop()

    monkeypatch.setattr(task, "_lifeline", SimpleNamespace(close=close))
    with ThreadPoolExecutor(2) as threads:
        for ended in [threads.submit(task.stop) for _ in range(2)]:
            ended.result()


def test_a_task_apart_ends_with_its_driver() -> None:
    code = """if __name__ == "__main__":
    from test_run import Apart, last_words
    for one in Apart(last_words, 1, "one"):
        print(one.value, flush=True)
"""
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(here), str(here.parent)))}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) as driver:
        assert driver.stdout is not None
        task = int(driver.stdout.readline())
        os.kill(task, 0)
        driver.kill()
    end = time.monotonic() + 30
    with pytest.raises(ProcessLookupError):
        while time.monotonic() < end:
            os.kill(task, 0)
            time.sleep(0.02)
