"""Sends requests to the running service and prints the answers, as JSON.

Standard input: {base, requests: [{method, path, body, raw}]}; a raw body is sent
as it is. "{id}" in a path is the id that the
last creating request returned. Standard output: [{status, text, json, error}].
"""

import json
import sys
import urllib.error
import urllib.request


def send(base, request, last_id):
    path = request["path"].replace("{id}", str(last_id))
    body = request.get("body")
    data = json.dumps(body).encode() if body is not None else None
    if request.get("raw") is not None:
        data = request["raw"].encode()
    headers = {"content-type": "application/json"} if data else {}
    message = urllib.request.Request(
        base + path, data=data, method=request["method"], headers=headers
    )
    try:
        with urllib.request.urlopen(message, timeout=10) as answer:
            status, text = answer.status, answer.read(200_000).decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read(20_000).decode("utf-8", "replace")
    except OSError as error:
        return {"status": 0, "text": "", "json": None, "error": str(error)}
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    return {"status": status, "text": text[:20_000], "json": value, "error": ""}


def main():
    task = json.load(sys.stdin)
    answers, last_id = [], ""
    for request in task["requests"]:
        answer = send(task["base"], request, last_id)
        if request["method"] == "POST" and isinstance(answer["json"], dict):
            last_id = answer["json"].get("id", last_id)
        answers.append(answer)
    print(json.dumps(answers))


main()
