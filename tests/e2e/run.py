#!/usr/bin/env python3
"""End-to-end tests with the real programs.

    run.py [--bin DIR] [-jN] [-v] [PATTERN]...      PATTERN: part of FILE.CLASS.TEST

Each test runs in a process of its own, with a limit; whatever it leaves running is ended here. One line a test: ok,
FAIL or skip with the reason. Last line: e2e: N passed, N failed, N skipped.
"""
import argparse
import concurrent.futures
import glob
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT_S = 150
SKIPPED = 77
# Those that mostly wait, for a clock and not for the processor: they run beside the others, the longest first.
WAITING = ("sixteen_and_no_more", "Void.", "invisible_to_all", "Busy.", "over_there_goes_on_by_itself", "longer_than_a_session_lives",
           "both_move", "Slow.", "dead_after", "answers_nothing", "not_a_byte_after", "silence_for_ten", "written_by_hand", "begun_in_a_loop",
           "pings_come", "outlasts_the_hole", "silence_whom", "half_open_session", "for_a_moment", "only_when_on", "left_taken_and_heard", "goes_with_the_history")


def all_tests():
    sys.path.insert(0, HERE)
    names = []
    for path in sorted(glob.glob(os.path.join(HERE, "test_*.py"))):
        suite = unittest.defaultTestLoader.loadTestsFromName(os.path.basename(path)[:-3])
        stack = [suite]
        while stack:
            item = stack.pop()
            if isinstance(item, unittest.TestSuite):
                stack.extend(item)
            else:
                names.append(item.id())
    order = {n: next((i for i, part in enumerate(WAITING) if part in n), len(WAITING)) for n in names}
    return sorted(names, key=lambda n: (order[n], n))


def run_here(name):
    """In the test's own process: its exit code says how it went, its output why."""
    sys.path.insert(0, HERE)
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromName(name).run(result)
    for _, trace in result.errors + result.failures:
        print(trace)
    if result.errors or result.failures or not result.testsRun:
        return 1
    if result.skipped:
        print(result.skipped[0][1])
        return SKIPPED
    return 0


def run_one(name, environment):
    import psst
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="psst-e2e-", ignore_cleanup_errors=True) as root:
        os.chmod(root, 0o755)
        process = subprocess.Popen([sys.executable, os.path.abspath(__file__), "--one", name], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=HERE,
                                   env=dict(environment, PSST_E2E_TMP=root))
        try:
            out, _ = process.communicate(timeout=LIMIT_S * psst.PATIENCE)
            code = process.returncode
        except subprocess.TimeoutExpired:
            process.kill()
            out, code = process.communicate()[0] + b"\ntook too long", 1
        finally:
            psst.sweep(root)
    return name, code, out.decode("utf-8", "replace").strip(), time.monotonic() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", help="where psst, psstd, psst-key and psst-tar lie (default: PSST_BIN, else build/bin)")
    parser.add_argument("-j", type=int, default=3, help="how many at a time, and as many of those that mostly wait")
    parser.add_argument("-v", action="store_true", help="show also what passing tests print")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("pattern", nargs="*")
    options = parser.parse_args()
    if options.one:
        return run_here(options.one)

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it for what runs behind; tests interrupt programs
    where = options.bin or os.environ.get("PSST_BIN") or os.path.join(HERE, "..", "..", "build", "bin")
    os.environ["PSST_BIN"] = os.path.abspath(where)
    for name in ("psst", "psstd", "psst-key", "psst-tar"):
        if not os.access(os.path.join(where, name), os.X_OK):
            sys.exit("run.py: no %s in %s" % (name, where))
    with open(os.path.join(where, "psstd"), "rb") as file:
        if b"__asan_init" in file.read():
            os.environ.setdefault("PSST_E2E_PATIENCE", "4")
    names = [n for n in all_tests() if not options.pattern or any(p in n for p in options.pattern)]
    counts = {"ok": 0, "FAIL": 0, "skip": 0}
    with concurrent.futures.ThreadPoolExecutor(max(1, options.j)) as pool, \
            concurrent.futures.ThreadPoolExecutor(max(1, options.j)) as beside:
        jobs = [(beside if any(part in n for part in WAITING) else pool).submit(run_one, n, dict(os.environ)) for n in names]
        for job in concurrent.futures.as_completed(jobs):
            name, code, out, seconds = job.result()
            word = {0: "ok", SKIPPED: "skip"}.get(code, "FAIL")
            counts[word] += 1
            reason = ": " + out.splitlines()[-1] if word == "skip" and out else ""
            print("%-4s %s (%.1f s)%s" % (word, name, seconds, reason), flush=True)
            if out and (word == "FAIL" or options.v):
                print("\n".join("    " + line[:1000] for line in out.splitlines()), flush=True)
    print("e2e: %d passed, %d failed, %d skipped" % (counts["ok"], counts["FAIL"], counts["skip"]))
    return 1 if counts["FAIL"] or not counts["ok"] else 0


if __name__ == "__main__":
    sys.exit(main())
