"""A Dask cluster does the work: the same bytes, also where workers or the scheduler die."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from commands import Run

from vmfdlint.run import Crash, Done, Pool, Workers
from vmfdlint.run.executors import dask as kind

distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'vmfdlint[dask]'")

PROGRAMS = sorted(map(str, Path(__file__).parent.parent.glob("fixtures/programs/evidence/3*")))[:9]
PYTHONPATH = os.pathsep.join([str(Path(__file__).parent.parent), str(Path(__file__).parent)])


def slow(number: int) -> tuple[int, int]:
    time.sleep(0.05)
    return number * number, os.getpid()


def square(number: int) -> int:
    return number * number


def die_at_seven(number: int) -> int:
    if number == 7:
        os._exit(1)
    return number


class Cluster(NamedTuple):
    """A scheduler and workers, a process each, that speak TCP over the loopback."""

    address: str
    scheduler: "subprocess.Popen[str]"
    workers: "list[subprocess.Popen[str]]"

    def __str__(self) -> str:
        return self.address.replace("tcp://", "dask://")


def _started(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env=os.environ | {"PYTHONPATH": PYTHONPATH, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"},
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _worker(address: str) -> "subprocess.Popen[str]":
    return _started(
        "distributed.cli.dask_worker", address, "--no-nanny", "--no-dashboard", "--nthreads", "2",
        "--host", "127.0.0.1", "--death-timeout", "10",
    )  # fmt: skip


def started(folder: Path, workers: int = 2) -> Cluster:
    """A scheduler and workers that were started with the programs that come with Dask."""
    said = folder / "scheduler.json"
    scheduler = _started(
        "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
        "--no-show", "--scheduler-file", str(said),
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while not (said.exists() and said.read_text()):
        assert time.monotonic() < deadline and scheduler.poll() is None, "the scheduler does not start"
        time.sleep(0.05)
    address = json.loads(said.read_text())["address"]
    return Cluster(address, scheduler, [_worker(address) for _ in range(workers)])


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Two workers over TCP."""
    made = started(tmp_path)
    try:
        wait_for(made, 2)
        yield made
    finally:
        for process in (*made.workers, made.scheduler):
            process.kill()
            process.wait()


def prepared() -> int:
    """How many pools a worker has worked for."""
    return len(kind._prepared)


def asked(address: str) -> int:
    """How many pools the workers of a cluster have worked for."""
    return sum(kind._cluster(address).client.run(prepared).values())


def wait_for(made: Cluster, workers: int) -> None:
    with distributed.Client(made.address, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=30)


def test_a_local_cluster_gives_the_same_bytes(run: Run) -> None:
    check = ("check", *PROGRAMS, "--output-format", "concise", "--show-safe")
    kind._prepared.clear()
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=2, processes=False, dashboard_address=None, host="127.0.0.1",
        protocol="tcp",
    ) as local:  # fmt: skip
        there = run(*check, "--executor", local.scheduler_address)
        assert asked(local.scheduler_address)
    assert there.code == 1
    assert there == run(*check, "-j", "2") == run(*check, "--executor", "serial")


def test_two_workers_over_tcp_and_one_of_them_killed(cluster: Cluster, run: Run) -> None:
    with Pool(Workers(executor=str(cluster))) as pool:
        assert pool.jobs == 2
        killed: list[int] = []

        def kill(done: int) -> None:
            if not killed:
                os.kill(cluster.workers[0].pid, signal.SIGKILL)
            killed.append(done)

        results = pool.map(slow, range(60), watch=kill)
    values = [result.value for result in results if isinstance(result, Done)]
    assert [square for square, _ in values] == [number * number for number in range(60)]
    assert cluster.workers[1].pid in {pid for _, pid in values}
    assert os.getpid() not in {pid for _, pid in values}
    assert killed[-1] == 60 and cluster.workers[0].wait() == -signal.SIGKILL
    check = ("check", *PROGRAMS, "--output-format", "json", "--show-safe")
    before = asked(str(cluster))
    assert run(*check, "--executor", str(cluster)) == run(*check, "-j", "1")
    assert asked(str(cluster)) > before


def test_a_scheduler_that_dies(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind, "PATIENCE", 0.5)
    told: list[str] = []
    with Pool(Workers(2, str(cluster)), tell=told.append) as pool:

        def kill(_done: int) -> None:
            cluster.scheduler.kill()

        results = pool.map(slow, range(60), watch=kill)
        assert pool.map(square, range(20)) == [Done(number * number) for number in range(20)]
    values = [result.value for result in results if isinstance(result, Done)]
    assert [square for square, _ in values] == [number * number for number in range(60)]
    assert len(told) == 1 and "does not answer any more: the rest is done here" in told[0]


def test_a_task_that_kills_every_worker(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind, "PATIENCE", 0.5)
    with Pool(Workers(2, str(cluster))) as pool:
        results = pool.map(die_at_seven, range(20), "number {}".format)
    assert [n for n, result in enumerate(results) if isinstance(result, Crash)] == [7]
    crash = results[7]
    assert isinstance(crash, Crash) and crash.item == "number 7" and "abruptly" in crash.text
    assert [result for result in results if result is not crash] == [Done(n) for n in range(20) if n != 7]


def test_an_address_that_does_not_answer(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind, "ANSWER", 0.3)
    result = run("check", *PROGRAMS, "--executor", "dask://127.0.0.1:9")
    assert (result.code, result.out) == (2, "")
    assert "error: --executor: dask://127.0.0.1:9 does not answer" in result.err


def test_a_scheduler_without_workers(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    made = started(tmp_path, workers=0)
    monkeypatch.setattr(kind, "ANSWER", 1.0)
    try:
        result = run("check", *PROGRAMS, "--executor", str(made))
    finally:
        made.scheduler.kill()
        made.scheduler.wait()
    assert result.code == 2 and "has no workers" in result.err


def test_a_worker_of_another_version(cluster: Cluster, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind, "__version__", "99.0")
    result = run("check", *PROGRAMS, "--executor", str(cluster))
    assert result.code == 2 and "and this is 99.0: install the same version there" in result.err


def test_a_fleet(cluster: Cluster, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VMFDLINT_NO_CACHE", raising=False)
    (tmp_path / "own.toml").write_text('[[api]]\nnames = ["vendor_panic"]\neffects = [ { exit = {} } ]\n')
    for number, path in enumerate(PROGRAMS[:4]):
        tree = tmp_path / f"tree{number}"
        tree.mkdir()
        shutil.copy(path, tree)
    (tmp_path / "list").write_text("".join(f"tree{number}\n" for number in range(4)))
    fleet = ("fleet", "list", "-q", "--output-format", "concise", "--models", "own.toml")
    serial = run(*fleet, "-j", "1", "--no-cache")
    before = asked(str(cluster))
    assert serial.code == 1 and serial == run(*fleet, "--executor", str(cluster))
    assert asked(str(cluster)) > before
    # A tree's directory may be another's on the disk of a worker.
    assert not list(tmp_path.glob("tree*/.vmfdlint_cache"))
    # One worker fewer: its tree goes to the other.
    cluster.workers[0].kill()
    assert serial == run(*fleet, "--executor", str(cluster))
