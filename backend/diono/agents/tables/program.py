"""The program that runs queries inside the sandbox: text here, code only there.

It gets an order as JSON on its standard input and prints one line of JSON. DuckDB may read the
tables' own folder and nothing else; the walls of the sandbox are what holds if it does.
"""

QUERIES = r"""
import json, sys, threading, math, datetime, decimal
import duckdb
order = json.load(sys.stdin)
db = duckdb.connect(config={"threads": 1, "memory_limit": order["memory"]})
def quoted(name):
    return '"' + name.replace('"', '""') + '"'
for view, path in order["tables"].items():
    text = path.replace("'", "''")
    db.execute(f"CREATE VIEW {quoted(view)} AS SELECT * FROM read_parquet('{text}')")
db.execute("SET allowed_directories=['tables', '" + order["folder"] + "']")
db.execute("SET enable_external_access=false")
db.execute("SET lock_configuration=true")
def plain(value):
    if value is None or isinstance(value, (bool, int)):
        return value if not isinstance(value, int) or abs(value) < 2**53 else str(value)
    if isinstance(value, decimal.Decimal):
        value = float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value)[:1000]
def run(sql, limit):
    parts = duckdb.extract_statements(sql)
    if len(parts) != 1 or parts[0].type not in (
        duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN
    ):
        return {"error": "Only one SELECT is run at a time."}
    alarm = threading.Timer(order["seconds"], db.interrupt)
    alarm.start()
    try:
        cursor = db.execute(parts[0].query)
        names = [str(one[0])[:300] for one in cursor.description or []]
        rows = cursor.fetchmany(limit + 1)
    finally:
        alarm.cancel()
    told = [[plain(value) for value in row] for row in rows[:limit]]
    return {"columns": names, "rows": told, "is_cut": len(rows) > limit}
results = []
for one in order["queries"]:
    try:
        results.append(run(one["sql"], one["limit"]))
    except Exception as error:
        results.append({"error": str(error)[:600]})
print(json.dumps(results))
"""

CHART = r"""
import json, sys
import matplotlib
matplotlib.use("Agg")
from matplotlib import pyplot
order = json.load(sys.stdin)
pyplot.rcParams["text.parse_math"] = False
figure, axes = pyplot.subplots(figsize=(7, 4), dpi=110)
names = order["labels"]
bars = len(order["series"])
colours = ["#3b6fb5", "#e0873a", "#5aa36b", "#a05fb0"]
for index, series in enumerate(order["series"]):
    colour = colours[index % len(colours)]
    if order["kind"] == "line":
        axes.plot(names, series["values"], marker="o", label=series["name"], color=colour)
    else:
        width = 0.8 / bars
        at = [n - 0.4 + width * (index + 0.5) for n in range(len(names))]
        axes.bar(at, [value or 0 for value in series["values"]], width, label=series["name"],
                 color=colour)
if order["kind"] != "line":
    axes.set_xticks(range(len(names)), names)
turn = 45 if max((len(name) for name in names), default=0) * len(names) > 70 else 0
axes.tick_params(axis="x", labelrotation=turn)
for label in axes.get_xticklabels():
    label.set_horizontalalignment("right" if turn else "center")
axes.set_title(order["title"], fontsize=10)
axes.ticklabel_format(axis="y", style="plain", useOffset=False)
axes.grid(axis="y", alpha=0.3)
if bars > 1:
    axes.legend()
figure.tight_layout()
figure.savefig(order["path"])
print("ok")
"""
