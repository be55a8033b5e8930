"""Checks of the two pages among the ten requests: their forms are filled in and read."""

import html.parser
import re
from dataclasses import dataclass, field
from typing import Any

from diono.cli.bench_requests_program import Program, has_number

# In one base unit each: metres, grams, litres, seconds.
_FACTORS: tuple[dict[str, float], ...] = (
    {"m": 1, "km": 1000, "cm": 0.01, "mm": 0.001, "mi": 1609.344, "yd": 0.9144, "ft": 0.3048,
     "in": 0.0254},
    {"g": 1, "kg": 1000, "mg": 0.001, "lb": 453.59237, "oz": 28.349523, "t": 1_000_000},
    {"l": 1, "ml": 0.001, "gal": 3.785412},
    {"s": 1, "min": 60, "h": 3600, "day": 86_400, "week": 604_800},
)  # fmt: skip
_NAMES = {
    "m": "meter|metre|m", "km": "kilomet|km", "cm": "centimet|cm", "mm": "millimet|mm",
    "mi": "mile|mi", "yd": "yard|yd", "ft": "foot|feet|ft", "in": "inch|in", "g": "gram|g",
    "kg": "kilogram|kilo|kg", "mg": "milligram|mg", "lb": "pound|lb", "oz": "ounce|oz",
    "t": "ton|tonne", "l": "liter|litre|l", "ml": "milliliter|millilitre|ml", "gal": "gallon|gal",
    "s": "second|sec|s", "min": "minute|min", "h": "hour|h", "day": "day", "week": "week",
    "C": "celsius|c|°c", "F": "fahrenheit|f|°f", "K": "kelvin|k",
}  # fmt: skip
_GIVEN = (7.0, 120.0)
_LEAST_PAIRS = 4
_MOST_PAIRS = 40


@dataclass
class Form:
    """A form of a page: how to find it, its heading, inputs, selects with options, output."""

    selector: str
    title: str = ""
    numbers: list[str] = field(default_factory=list[str])
    selects: dict[str, list[str]] = field(default_factory=dict[str, list[str]])


@dataclass
class Page:
    forms: list[Form] = field(default_factory=list[Form])
    inputs: dict[str, str] = field(default_factory=dict[str, str])
    buttons: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    displays: list[str] = field(default_factory=list[str])


class _Reader(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._heading = ""
        self._open: list[str] = []
        self._select: list[str] | None = None
        self._button = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        self._open.append(tag)
        name = facts.get("name") or facts.get("id", "")
        form = self.page.forms[-1] if self.page.forms else None
        selector = _selector(tag, facts)
        if tag == "form":
            self.page.forms.append(Form(selector, self._heading))
        elif tag == "input":
            self.page.inputs[name.lower()] = selector
            if form and facts.get("type", "text") in ("number", "text"):
                form.numbers.append(f"{form.selector} {selector}")
        elif tag == "select" and form:
            self._select = form.selects.setdefault(f"{form.selector} {selector}", [])
        elif tag == "option" and self._select is not None:
            self._select.append(facts.get("value", ""))
        elif tag == "button":
            self._button = selector
        if re.search(r"display|time|clock|count|timer|output", f"{selector} {facts.get('role')}"):
            self.page.displays.append(selector)

    def handle_data(self, data: str) -> None:
        tag = self._open[-1] if self._open else ""
        if re.fullmatch(r"h[1-4]|legend", tag):
            self._heading = data
        elif tag == "button":
            self.page.buttons.append((data.strip().lower(), self._button))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass


def _selector(tag: str, facts: dict[str, str]) -> str:
    if facts.get("id"):
        return f"#{facts['id']}"
    if facts.get("name"):
        return f"[name={facts['name']}]"
    kinds = facts.get("class", "").split()
    return f".{kinds[-1]}" if kinds else tag


def read_page(text: str) -> Page:
    reader = _Reader()
    reader.feed(text)
    return reader.page


# --- units ---


def unit_of(text: str) -> str:
    """Return the unit that a word stands for; empty if it is none of those known."""
    word = re.sub(r"\(.*?\)", "", text).strip()
    plain = word.lower().replace("_", " ")
    for unit, names in _NAMES.items():
        if any(plain in (one, f"{one}s", f"{one}es", f"{one}er", f"{one}re", f"{one}ers",
                         f"{one}res") for one in names.split("|")):  # fmt: skip
            return unit
    return ""


def converted(value: float, source: str, target: str) -> float | None:
    """Return the right result; None if the two units do not measure the same."""
    for factors in _FACTORS:
        if source in factors and target in factors:
            return value * factors[source] / factors[target]
    kelvin = {"C": (1.0, 273.15), "F": (5 / 9, 459.67 * 5 / 9), "K": (1.0, 0.0)}
    if source in kelvin and target in kelvin:
        scale, zero = kelvin[source]
        return (value * scale + zero - kelvin[target][1]) / kelvin[target][0]
    return None


def _settings(form: Form) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """Return (from, to, actions that choose them) of every conversion that a form offers."""
    if len(form.selects) >= 2:
        (one, sources), (other, targets) = list(form.selects.items())[:2]
        return [
            (unit_of(a), unit_of(b), [{"set": one, "value": a}, {"set": other, "value": b}])
            for a in sources
            for b in targets
            if a != b and unit_of(a) and unit_of(b)
        ]
    words = re.findall(r"[a-z]+", f"{form.title} {form.selector}".lower())
    if "to" not in words:
        return []
    place = words.index("to")
    source, target = unit_of(words[place - 1]), unit_of(" ".join(words[place + 1 : place + 2]))
    return [(source, target, [])] if source and target else []


async def unit_converter(program: Program) -> str:
    page = read_page(await program.read("index.html"))
    tried: set[tuple[str, str]] = set()
    for form in page.forms:
        for source, target, chosen in _settings(form)[:_MOST_PAIRS]:
            if not form.numbers or converted(1.0, source, target) is None:
                continue
            for given in _GIVEN:
                expected = converted(given, source, target) or 0.0
                wrong = await _convert(program, form, chosen, given, expected)
                if wrong:
                    return f"{given:g} {source} to {target}: {wrong}"
            tried.add((source, target))
    enough = len(tried) >= _LEAST_PAIRS
    return "" if enough else f"it offers {len(tried)} conversions of known units"


async def _convert(
    program: Program, form: Form, chosen: list[dict[str, Any]], given: float, expected: float
) -> str:
    actions = [
        {"set": form.numbers[0], "value": format(given, "g")},
        *chosen,
        {"submit": form.selector},
        {"read": f"{form.selector} output"},
    ]
    error, reads = await program.play(actions)
    shown = str(reads[0]) if reads else ""
    # A page may round: to a hundredth, or to three digits.
    is_right = has_number(shown, expected, max(0.006, abs(expected) * 0.005))
    return "" if is_right and not error else error or f"shows {shown!r}, not {expected:g}"


# --- countdown ---


async def countdown(program: Program) -> str:
    page = read_page(await program.read("index.html"))
    start = next((selector for text, selector in page.buttons if "start" in text), "")
    if not start:
        return "there is no button to start it"
    fields = {unit: _field(page, unit) for unit in ("hour", "minute", "second")}
    if not fields["second"] and not fields["minute"]:
        return "there is no field for the time"
    actions: list[dict[str, Any]] = [
        {"set": selector, "value": {"hour": "0", "minute": "1", "second": "5"}[unit]}
        for unit, selector in fields.items()
        if selector
    ]
    total = 65 if fields["second"] and fields["minute"] else 5 if fields["second"] else 60
    for display in page.displays:
        reads = [{"click": start}, {"advance": 3}, {"read": display}, {"advance": total + 5},
                 {"read": display}]  # fmt: skip
        error, shown = await program.play([*actions, *reads])
        if not error and [_seconds(one) for one in shown] == [total - 3, 0]:
            return ""
    return f"no display counts {total} seconds down to zero"


def _field(page: Page, unit: str) -> str:
    return next((selector for name, selector in page.inputs.items() if unit in name), "")


def _seconds(shown: object) -> int | None:
    """Return the seconds that a text like 01:02 or "62 s" stands for."""
    parts = [int(one) for one in re.findall(r"\d+", str(shown))]
    if not parts:
        return None
    total = 0
    for part in parts[:3]:
        total = total * 60 + part
    return total
