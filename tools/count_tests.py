"""Counts test cases in Meson's testlog.json: every cmocka case by itself, any other program as one.

Prints "PASSED FAILED"; what failed is shown with its output. A program that ends badly counts as at least one failure, also
when all of its cases said OK (a sanitizer's report at exit). Usage: count_tests.py TESTLOG TEST.OUT FAILURES, to which what failed is
appended too.
"""
import json
import re
import sys

passed = failed = 0
try:
    lines = open(sys.argv[1], encoding="utf-8").read().splitlines()
except OSError:
    print(open(sys.argv[2], encoding="utf-8", errors="replace").read()[-4000:], file=sys.stderr)
    sys.exit("count_tests: Meson wrote no log")
for line in lines:
    test = json.loads(line)
    text = test.get("stdout", "") + test.get("stderr", "")
    ok = len(re.findall(r"^\[ +OK +\]", text, re.M))
    bad = len(re.findall(r"^\[ +FAILED +\] (?!tests|\d)", text, re.M))
    if test["result"] == "OK":
        passed += max(ok, 1)
    elif test["result"] == "SKIP":
        print("skipped:", test["name"], file=sys.stderr)
    else:
        passed += ok
        failed += max(bad, 1)
        what = f"-- {test['name']}: {test['result']}\n{text[-6000:]}"
        print(what, file=sys.stderr)
        with open(sys.argv[3], "a", encoding="utf-8") as failures:
            failures.write(what + "\n")
print(passed, failed)
