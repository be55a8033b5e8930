"""Three small projects: a good one, a bad one, and one made against the analysers."""

KEY = "AKIA" + "IOSFODNN7QWERTYU"

GOOD = {
    "README.md": b"# Adder\n\nAdds two numbers.\n",
    "main.py": b'"""Adds."""\n\nimport sys\n\n'
    b"from core.add import add\n\nprint(add(int(sys.argv[1]), int(sys.argv[2])))\n",
    "core/__init__.py": b'"""What the program can do."""\n',
    "core/add.py": b'"""Adding."""\n\n\ndef add(a: int, b: int) -> int:\n'
    b'    """Return the sum."""\n    return a + b\n',
    "tests/test_add.py": b"from core.add import add\n\n\n"
    b"def test_add():\n    assert add(1, 2) == 3\n",
}

BAD = {
    "main.py": b"import os\nimport subprocess\nimport leftpadd\n\n\n"
    b"def run(text):\n    subprocess.call(text, shell=True)\n    return eval(text) + missing\n\n\n"
    b'KEY = "' + KEY.encode() + b'"\n',
    "page/index.html": b"<h1>Hi</h1>\n<script>\nlet a = 1;\neval(a);\nnobodyKnowsMe();\n"
    b"</script>\n",
    "page/app.js": b"function show(text) {\n  document.body.innerHTML = text;\n}\n"
    b"show(shared());\n",
    "page/shared.js": b"function shared() {\n  return location.hash;\n}\n",
    "requirements.txt": b"flask\nrequests>=2\nhttpx==0.28.1\n",
    "program.go": b"package main\n",
}

_OFF = b"# ruff: noqa\n# flake8: noqa\n"
_PLANT = b'open("/work/planted", "w").write("x")\n'
HOSTILE = {
    "core/evil.py": _OFF + b"def run(text):\n    eval(text)  # nosec\n    return gone  # noqa\n",
    "core/page.js": b"/* eslint-disable */\neval(location.hash); // eslint-disable-line\n",
    "ruff.toml": b'[lint]\nselect = []\nignore = ["ALL"]\n',
    "pyproject.toml": b'[tool.ruff.lint]\nignore = ["ALL"]\n[tool.bandit]\nskips = ["B307"]\n',
    ".bandit": b"[bandit]\nskips: B307\nexclude: /\n",
    ".eslintrc.js": b'require("fs").writeFileSync("/work/planted", "x"); module.exports = {};\n',
    "eslint.config.mjs": b'import fs from "fs";\nfs.writeFileSync("/work/planted", "x");\n'
    b'export default [{ignores: ["**/*"]}];\n',
    "sitecustomize.py": _PLANT,
    "bandit.py": _PLANT,
    "json.py": _PLANT,
    "conftest.py": _PLANT,
    "minus.py": b"a = " + b"-" * 300_000 + b"1\n",
    "deep.py": b"(" * 100_000,
    "deep.js": b"(" * 50_000,
    "bytes.py": b"\xff\xfe\x00bad",
    "big.py": b"a = 1\n" * 100_000,
    "core/we\nird\u202e.py": b"x = 1\n",
    "node_modules/x/index.js": b"eval(1)\n",
}
