"""Usage: bench_table.py ROWS.jsonl TABLE.json      what benches printed, as one list and as a table for people."""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    rows = [json.loads(line) for line in file if line.strip()]
with open(sys.argv[2], "w", encoding="utf-8") as file:
    json.dump(rows, file, indent=1)
for r in rows:
    ratio = "" if r["ratio"] is None else f"{r['ratio']:.3g} times "
    ref = "" if r["reference"] is None else f"{ratio}{r['reference']} ({r['reference_value'] or 0:.4g})"
    met = {True: "met", False: "NOT MET", None: ""}[r["met"]]
    print(f"{r['name']}\n    {r['value']:.4g} {r['unit']:6} {ref}\n    goal: {r['goal'] or '-'}   {met}")
