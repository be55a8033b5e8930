"""Known answers for the ten requests, held against what was built; the team never sees them.

Each check returns what is wrong, or nothing. What a request leaves open (names, order, wording,
letter case) is left open here too: the commands are those that the program's own help lists.
"""

import csv
import json
import re
from collections.abc import Awaitable, Callable, Sequence

from diono.cli.bench_requests_pages import countdown, unit_converter
from diono.cli.bench_requests_program import (
    Command,
    Program,
    Way,
    has_number,
    has_word,
    numbers_in,
    put,
)
from diono.cli.bench_requests_web import notes, todo_list

StrangerCheck = Callable[[Program], Awaitable[str]]

_ROMAN = {3: "III", 14: "XIV", 40: "XL", 444: "CDXLIV", 1994: "MCMXCIV", 3999: "MMMCMXCIX"}
_WORDS = "the cat saw the dog\nand  the bird\tsaw  cat\ndog dog the\n"
_WORD_COUNTS = {"the": 4, "cat": 2, "saw": 2, "dog": 3, "and": 1, "bird": 1}
_UNITS = ("celsius", "fahrenheit", "kelvin")
_TEMPERATURES = (  # the same three temperatures in each unit
    (100.0, 212.0, 373.15),
    (-40.0, -40.0, 233.15),
    (37.5, 99.5, 310.65),
)
_FACTORS = {
    360: [2, 2, 2, 3, 3, 5],
    97: [97],
    1001: [7, 11, 13],
    64: [2] * 6,
    999983: [999983],
}
_ROWS = [
    {"name": "Ann", "age": 31, "city": "Oslo"},
    {"name": "Lee, Bo", "age": 5, "city": 'The "Hague"'},
    {"name": "Zoe", "age": 77, "city": "New York"},
]
_RUNS_BY_CHANCE = 6


async def _first(ways: Sequence[Way], judge: Callable[[Way], Awaitable[bool]]) -> bool:
    for way in ways:
        if await judge(way):
            return True
    return False


async def roman(program: Program) -> str:
    async def reads(way: Way) -> bool:
        for number, numeral in _ROMAN.items():
            found = numbers_in(await program.run(*way.argv([numeral])))
            if not found or found[-1] != number:
                return False
        return True

    async def writes(way: Way) -> bool:
        for number, numeral in _ROMAN.items():
            if not has_word(await program.run(*way.argv([str(number)])), numeral):
                return False
        return True

    ways = await program.ways(1)
    if not await _first(ways, reads):
        return "no command reads Roman numerals right"
    return "" if await _first(ways, writes) else "no command writes Roman numerals right"


async def word_counts(program: Program) -> str:
    path = await put(program, "words.txt", _WORDS)

    async def counts(way: Way) -> bool:
        printed = await program.run(*way.argv([path]))
        return all(
            re.search(rf"\b{word}\b\W+{count}\b|\b{count}\W+{word}\b", printed or "")
            for word, count in _WORD_COUNTS.items()
        )

    good = await _first(await program.ways(1), counts)
    return "" if good else "no command counts the words of a file right"


async def temperature(program: Program) -> str:
    ways = await program.ways(1, [*_UNITS, *(one[0].upper() for one in _UNITS)])
    for source, given in enumerate(_UNITS):
        for target, wanted in enumerate(_UNITS):
            if source == target:
                continue

            async def converts(way: Way, source: int = source, target: int = target) -> bool:
                for row in _TEMPERATURES:
                    value = format(row[source], "g")
                    printed = await program.run(*way.argv([value]))
                    if not has_number(printed, row[target], 0.011):
                        return False
                return True

            if not await _first(ways, converts):
                return f"nothing converts {given} to {wanted} right"
    return ""


async def password(program: Program) -> str:
    for command in await program.commands():
        found = [_named(command, words) for words in _PASSWORD_OPTIONS]
        if all(found):
            return await _password(program, command, found)
    return "no command has options for length, digits and symbols"


_PASSWORD_OPTIONS = (
    ("length", "size", "len", "characters"),
    ("digit", "number", "num"),
    ("symbol", "special", "punct"),
)


def _named(command: Command, words: Sequence[str]) -> str:
    names = [name for name, _ in command.positional] + list(command.options)
    return next((one for word in words for one in names if word in one.lower()), "")


async def _password(program: Program, command: Command, names: Sequence[str]) -> str:
    for length in (12, 30):
        for has_digits in (True, False):
            for has_symbols in (True, False):
                argv = _password_line(command, dict(zip(names, (length, has_digits, has_symbols),
                                                        strict=True)))  # fmt: skip
                made = [
                    (await program.again(*argv) or "").rstrip("\n") for _ in range(_RUNS_BY_CHANCE)
                ]
                wrong = _password_problem(made, length, has_digits, has_symbols)
                if wrong:
                    return f"{' '.join(argv)}: {wrong}"
    return ""


def _password_line(command: Command, values: dict[str, int | bool]) -> list[str]:
    argv = [command.name] if command.name else []
    for name, value in values.items():
        if name not in command.options:
            continue
        if command.options[name]:
            argv += [f"--{name}", str(value)]
        else:
            argv.append(f"--{name}" if value else f"--no-{name}")
    argv += [str(values.get(name, "")) for name, _ in command.positional]
    return argv


def _password_problem(made: list[str], length: int, has_digits: bool, has_symbols: bool) -> str:
    if any(len(one) != length for one in made):
        return f"{made[0]!r} has not {length} characters"
    if len(set(made)) < len(made):
        return "the same password comes twice"
    text = "".join(made)
    for name, pattern, is_wanted in (
        ("digits", r"[0-9]", has_digits),
        ("symbols", r"[^0-9A-Za-z\s]", has_symbols),
    ):
        if bool(re.search(pattern, text)) != is_wanted:
            return f"{name} are {'missing' if is_wanted else 'not left out'} in {made[0]!r}"
    return ""


async def json_to_csv(program: Program) -> str:
    path = await put(program, "rows.json", json.dumps(_ROWS))
    wanted = [{key: str(value) for key, value in row.items()} for row in _ROWS]

    async def converts(way: Way) -> bool:
        printed = await program.run(*way.argv([path]))
        lines = [line for line in (printed or "").splitlines() if line.strip()]
        return list(csv.DictReader(lines)) == wanted

    good = await _first(await program.ways(1), converts)
    return "" if good else "no command turns a list of objects into CSV"


async def prime_factors(program: Program) -> str:
    async def factors(way: Way, is_distinct: bool) -> bool:
        for number, wanted in _FACTORS.items():
            found = [int(one) for one in numbers_in(await program.run(*way.argv([str(number)])))]
            if found[:1] == [number] and wanted != [number]:
                found = found[1:]  # it says what it was asked, too
            if sorted(found) != (sorted(set(wanted)) if is_distinct else wanted):
                return False
        return True

    ways = await program.ways(1)
    for is_distinct in (False, True):
        for way in ways:
            if await factors(way, is_distinct):
                return ""
    return "no command prints the prime factors"


CHECKS: dict[str, StrangerCheck] = {
    "roman": roman,
    "word_counts": word_counts,
    "temperature": temperature,
    "password": password,
    "json_to_csv": json_to_csv,
    "prime_factors": prime_factors,
    "todo_list": todo_list,
    "notes": notes,
    "unit_converter": unit_converter,
    "countdown": countdown,
}
