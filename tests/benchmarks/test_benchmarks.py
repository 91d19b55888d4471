"""The benchmarks run and say what they found; how fast anything is, no test judges."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 120


def run(*arguments, text=""):
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        input=text,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_a_subject_is_measured_and_reported_with_its_spread():
    done = run("benchmarks", "inprocess", "--quick", "--json")
    assert 0 == done.returncode, done.stderr
    rows = json.loads(done.stdout)
    assert ["P15 share", "P15 transcript", "P17", "P18"] == [row["id"] for row in rows]
    for row in rows:
        found, more = row["measured"], row["better"] == "more"
        assert 0 < found["min"] <= found["median"] <= found["max"]
        assert (found["median"] >= row["bar"] if more else found["median"] <= row["bar"]) == (row["verdict"] == "holds")


def test_a_name_that_is_no_benchmark_is_refused_with_those_that_are():
    done = run("benchmarks", "P99")
    assert 1 == done.returncode
    assert done.stderr.startswith("There is no benchmark P99; choose from P1, P10, ")


def test_the_load_generator_counts_what_it_was_answered():
    program = (
        "from benchmarks import http1, load, servers\n"
        "good, bad = (http1.request('POST', path, b'{}').decode() for path in ('/echo', '/nothing'))\n"
        "with servers.python('benchmarks.echo') as echo:\n"
        "    made = load.run(echo.url, 'once', [[good] * 5] * 3, clients=3, seconds=30)\n"
        "    print(made.requests, made.failed, 0 < made.p50_ms <= made.p99_ms, made.rate > 0)\n"
        "    try:\n"
        "        load.run(echo.url, 'once', [[good, bad]], clients=1, seconds=30)\n"
        "    except RuntimeError as error:\n"
        "        print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert ["15 0 True True", "1 of 2 requests failed; the benchmark is wrong"] == done.stdout.splitlines(), done.stderr
