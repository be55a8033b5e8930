"""Models that can everything, nothing, or cut what they read: for measurements of models."""

from diono.llm.adapters.scripted import Rule, Say, Script, ScriptedModels
from diono.llm.catalog import BoundModel, ChosenModel
from diono.llm.fit.window import CODE_WORD
from diono.llm.port import LanguageModels
from diono.llm.streaming import StreamLimits

FILE = '''def net_price(price, rate):
    """Return the price without tax."""
    return price / (1 + rate)


def discounted(price):
    """Return the price for regular customers."""
    share = 0.25
    return price * (1 - share)
'''
_HELLO = {"path": "hello.py", "content": "name = input()\nprint(name)"}
_CALLS = (
    ("notes.txt", {"name": "read_file", "arguments": {"path": "notes.txt"}}),
    ("folder src", {"name": "list_folder", "arguments": {"folder": "src"}}),
    ("hello.py", {"name": "write_file", "arguments": _HELLO}),
)
_BOOK = '{"title": "Momo", "pages": 304, "kind": "novel"}'
_SEARCH = "<<<<<<< SEARCH\n    share = 0.1\n=======\n    share = 0.25\n>>>>>>> REPLACE"
_DIFF = "```diff\n@@ -8 +8 @@\n-    share = 0.1\n+    share = 0.25\n```"
_PRINTS = (("banana", "6"), ("n \\* 2", "6"), ("a-b-c", "b"), ("n % 2", "4"), ("x", "5"))

TALK = (
    Rule(when="17 \\+ 26", reply="43"),
    Rule(when=CODE_WORD, reply=CODE_WORD),
    Rule(when="code word", reply="I do not know."),
)
CODE = (
    Rule(when="is_leap", reply="```python\ndef is_leap(year):\n    return year % 4 == 0\n```"),
    Rule(when="double\\(n\\)", reply="    return 2 * n\n```"),
    Rule(when="last\\(items\\)", reply="    return items[-1]\n```"),
    Rule(when="book|Momo", reply=_BOOK),
    *(Rule(when=word, reply=Say(calls=(call,))) for word, call in _CALLS),
    Rule(when="SEARCH", reply=_SEARCH),
    Rule(when="unified diff", reply=_DIFF),
    Rule(when="whole new file", reply=f"```python\n{FILE}```"),
    *(Rule(when=f"program print.*{word}", reply=printed) for word, printed in _PRINTS),
)
ELSE = (Rule(reply="OK."),)
ABLE = Script(rules=(*TALK, *CODE, *ELSE), context_tokens=3000, is_measurable=True)


async def bound_to(models: LanguageModels, model: str, **claims: object) -> BoundModel:
    """Bind a model; ``claims`` replace what its provider says of it."""
    profile = (await models.profile(model)).model_copy(update=claims)
    name = f"{models.provider}/{model}"
    chosen = ChosenModel(provider=models.provider, model=model, name=name, reason="")
    return BoundModel(models, chosen, profile)


def scripted(**scripts: Script) -> ScriptedModels:
    return ScriptedModels(scripts, StreamLimits(idle_seconds=5.0, attempts=1))
