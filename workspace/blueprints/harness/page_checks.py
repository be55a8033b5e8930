"""Opens index.html in a small document on QuickJS, runs its scripts, acts and reads, as JSON.

Standard input: {dom: source of dom.js, plays: [[action, ...], ...], changes: {path: text}}: a
fresh page for each play; changed files are read instead of those in the workspace. Actions: {set: selector, value},
{check: selector, value}, {click: selector}, {submit: selector}, {advance: seconds},
{read: selector}, {count: selector}. Standard output: [{error, reads: [text | number | null]}].
"""

import html.parser
import json
import pathlib
import sys

import quickjs

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source"}


class Tree(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.root = {"tag": "html", "attributes": {}, "text": "", "children": []}
        self.stack = [self.root]
        self.scripts = []

    def handle_starttag(self, tag, attributes):
        values = {name: value or "" for name, value in attributes}
        if tag == "html":
            self.root["attributes"].update(values)
            return
        node = {"tag": tag, "attributes": values, "text": "", "children": []}
        self.stack[-1]["children"].append(node)
        if tag == "script":
            self.scripts.append(node)
        if tag not in VOID:
            self.stack.append(node)

    def handle_endtag(self, tag):
        for depth in range(len(self.stack) - 1, 0, -1):
            if self.stack[depth]["tag"] == tag:
                del self.stack[depth:]
                return

    def handle_data(self, data):
        if self.stack[-1]["tag"] == "script" or data.strip():
            text = data if self.stack[-1]["tag"] == "script" else " ".join(data.split())
            self.stack[-1]["text"] += text


def read(path, changes):
    return changes.get(path) or pathlib.Path(path).read_text(encoding="utf-8")


def open_page(dom, changes):
    tree = Tree()
    tree.feed(read("index.html", changes))
    sources = []
    for script in tree.scripts:
        address = script["attributes"].get("src")
        if address:
            sources.append((address, read(address, changes)))
        elif script["attributes"].get("type", "") in ("", "text/javascript", "module"):
            sources.append(("inline script", script["text"]))
    context = quickjs.Context()
    context.set_time_limit(5)
    context.set_memory_limit(128_000_000)
    context.eval(dom)
    context.eval(f"open({json.dumps(tree.root)})")
    for name, source in sources:
        try:
            context.eval(source)
        except quickjs.JSException as error:
            raise RuntimeError(f"{name}: {str(error).strip().splitlines()[0]}") from error
    context.eval('fire(document, "DOMContentLoaded"); fire(document, "load");')
    return context


def script_of(action):
    if "advance" in action:
        return f"advance({action['advance'] * 1000}); null"
    kind = next(
        kind for kind in ("set", "check", "click", "submit", "read", "count") if kind in action
    )
    selector = json.dumps(action[kind])
    if kind == "count":
        return f"document.querySelectorAll({selector}).length"
    find = (
        f"(function () {{ var found = document.querySelector({selector});"
        f' if (!found) throw new Error("no element " + {selector}); return found; }})()'
    )
    value = json.dumps(action.get("value"))
    return {
        "set": f'(function (e) {{ e.value = {value}; fire(e, "input"); fire(e, "change"); }})({find}); null',
        "check": f'(function (e) {{ e.checked = {value}; fire(e, "change"); }})({find}); null',
        "click": f"{find}.click(); null",
        "submit": f'fire({find}, "submit"); null',
        "read": f'(function (e) {{ return e.tagName === "INPUT" ? e.value : e.textContent; }})({find})',
    }[kind]


def play(dom, changes, actions):
    reads = []
    try:
        context = open_page(dom, changes)
        for action in actions:
            value = context.eval(script_of(action))
            if "read" in action or "count" in action:
                reads.append(value)
        complaints = json.loads(context.eval("JSON.stringify(complaints)"))
    except (quickjs.JSException, RuntimeError, OSError) as error:
        return {"error": str(error).strip().splitlines()[0][:300], "reads": reads}
    return {"error": "; ".join(complaints)[:300], "reads": reads}


def main():
    task = json.load(sys.stdin)
    changes = task.get("changes", {})
    print(json.dumps([play(task["dom"], changes, actions) for actions in task["plays"]]))


main()
