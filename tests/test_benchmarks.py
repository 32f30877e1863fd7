"""reproduce.py hands its trainings to real Dask workers: one is killed, nothing is lost and nothing trained twice."""

import subprocess
import sys
import threading
import time

import pytest
from conftest import PROJECT, SHORT, environment

sys.path.insert(0, str(PROJECT / "benchmarks"))
import reproduce


@pytest.fixture
def cluster():
    """Start a scheduler and two workers on this machine's loopback; return the address and the workers."""
    pytest.importorskip("distributed")
    changed = environment(PYTHONPATH=str(PROJECT / "benchmarks"), COVERAGE_PROCESS_START=None, **SHORT)

    def start(*words):
        command = [sys.executable, "-m", "distributed.cli." + words[0], *words[1:]]
        return subprocess.Popen(command, cwd=PROJECT, env=changed, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    from distributed.utils import open_port

    address = f"tcp://127.0.0.1:{open_port()}"
    common = ("--no-dashboard",)
    scheduler = start("dask_scheduler", "--host", "127.0.0.1", "--port", address.rpartition(":")[2], *common)
    workers = [start("dask_worker", address, "--nthreads", "1", "--no-nanny", *common) for _ in range(2)]
    yield address, workers
    for process in [*workers, scheduler]:
        process.kill()
        process.wait()


def test_a_killed_worker_costs_nothing_but_time(cluster, tmp_path, capsys):
    address, workers = cluster
    trainings = [("script", "256 units", seed, reproduce.USUAL) for seed in (1, 2)]
    results = reproduce.Results(tmp_path)

    def kill_a_worker_in_its_training():
        import psutil  # Dask needs it

        worker = psutil.Process(workers[0].pid)
        while not any("ch6_1.py" in " ".join(child.cmdline()) for child in worker.children()):
            time.sleep(0.1)
        time.sleep(1)
        worker.kill()

    threading.Thread(target=kill_a_worker_in_its_training, daemon=True).start()
    reproduce.run_trainings(trainings, results, scheduler=address)
    assert workers[0].poll() is not None  # it was killed
    assert sorted(results.runs.seed) == [1, 2]
    assert len(results.epochs) == 2 and "2/2" in capsys.readouterr().out

    # What was written is what was trained, and a second run trains nothing.
    again = reproduce.Results(tmp_path)
    assert again.done() == set(trainings)
    reproduce.run_trainings(trainings, again, scheduler="tcp://127.0.0.1:1")
    row = reproduce.train(["ch6_1.py", "--seed", "2"], {**reproduce.ONE_THREAD, **SHORT})
    assert again.runs.set_index("seed").test_accuracy[2] == pytest.approx(row["test_accuracy"], abs=1e-9)
