"""Cores and memory within the limits of a container or scheduler: folders as Linux shows its control groups."""

import os

import pytest

from izhires.running import resources

GB = 2**30


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Return a function that writes files of control groups, and the groups that this process is in."""

    def write(membership, files):
        (tmp_path / "membership").write_text(membership)
        for name, text in files.items():
            path = tmp_path / "groups" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    monkeypatch.setattr(resources, "CGROUPS", tmp_path / "groups")
    monkeypatch.setattr(resources, "MEMBERSHIP", tmp_path / "membership")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    for name in list(os.environ):
        if name.startswith("SLURM_") or name in resources.GRANTED:
            monkeypatch.delenv(name)
    return write


VERSION_1 = "4:memory:/slurm/job_7\n3:cpu,cpuacct:/slurm/job_7\n1:name=systemd:/x\n"


@pytest.mark.parametrize(
    ("membership", "files", "cores"),
    [
        ("0::/\n", {"cpu.max": "300000 100000\n"}, 3),
        ("0::/\n", {"cpu.max": "250000 100000\n"}, 3),  # two and a half
        ("0::/\n", {"cpu.max": "10000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 64),
        ("0::/\n", {"cpu.max": "rubbish\n"}, 64),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "200000 100000\n"}, 2),  # of the outer one
        ("0::/of/the/host\n", {"cpu.max": "400000 100000\n"}, 4),  # seen from inside a container
        (VERSION_1, {"cpu,cpuacct/slurm/job_7/cpu.cfs_quota_us": "500000\n",
                     "cpu,cpuacct/slurm/job_7/cpu.cfs_period_us": "100000\n"}, 5),
        (VERSION_1, {"cpu,cpuacct/slurm/cpu.cfs_quota_us": "-1\n", "cpu,cpuacct/slurm/cpu.cfs_period_us": "100000\n"},
         64),
        ("", {}, 64),
        ("rubbish\n", {}, 64),
    ],
)  # fmt: skip
def test_cores_of_control_groups(membership, files, cores, groups):
    groups(membership, files)
    assert resources.cores() == cores


@pytest.mark.parametrize(
    ("variables", "cores"),
    [
        ({"SLURM_CPUS_PER_TASK": "6"}, 6),
        ({"SLURM_CPUS_PER_TASK": "6", "SLURM_CPUS_ON_NODE": "12"}, 6),
        ({"NSLOTS": "3"}, 3),
        ({"PBS_NCPUS": "2"}, 2),
        ({"LSB_DJOB_NUMPROC": "5"}, 5),
        ({"SLURM_CPUS_PER_TASK": "1000"}, 64),
        ({"SLURM_CPUS_PER_TASK": ""}, 64),
        ({"SLURM_CPUS_PER_TASK": "0", "NSLOTS": "many"}, 64),
    ],
)
def test_cores_that_a_scheduler_grants(variables, cores, groups, monkeypatch):
    groups("0::/\n", {})
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert resources.cores() == cores


@pytest.mark.parametrize(
    ("membership", "files", "free"),
    [
        ("0::/\n", {"memory.max": f"{GB}", "memory.current": f"{GB // 4}"}, 0.75 * GB),
        # what is read from files and can be dropped is free
        ("0::/\n", {"memory.max": f"{GB}", "memory.current": f"{GB // 2}",
                    "memory.stat": f"anon 5\ninactive_file {GB // 4}\n"}, 0.75 * GB),
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/b/memory.current": "5", "a/memory.max": f"{GB}",
                       "a/memory.current": "0"}, GB),
        (VERSION_1, {"memory/slurm/job_7/memory.limit_in_bytes": f"{GB}",
                     "memory/slurm/job_7/memory.usage_in_bytes": f"{GB // 2}",
                     "memory/slurm/job_7/memory.stat": f"total_inactive_file {GB // 8}\n"}, 0.625 * GB),
        ("0::/\n", {"memory.max": "10", "memory.current": "20"}, 0),
    ],
)  # fmt: skip
def test_memory_of_control_groups(membership, files, free, groups):
    groups(membership, files)
    assert resources.available_memory() == pytest.approx(free)


def test_no_limit_is_what_is_free(groups):
    groups("0::/\n", {"memory.max": "max", "memory.current": "20"})
    free = resources.available_memory()
    assert free > 2**26
    groups(VERSION_1, {"memory/slurm/memory.limit_in_bytes": "9223372036854771712",
                       "memory/slurm/memory.usage_in_bytes": "20"})  # fmt: skip
    assert resources.available_memory() > 2**26


@pytest.mark.parametrize(
    ("variables", "free"),
    [({"SLURM_MEM_PER_NODE": "64"}, 2**26), ({"SLURM_MEM_PER_CPU": "16", "SLURM_CPUS_ON_NODE": "4"}, 2**26)],
)
def test_memory_that_slurm_grants(variables, free, groups, monkeypatch):
    groups("0::/\n", {})
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert resources.available_memory() == free
