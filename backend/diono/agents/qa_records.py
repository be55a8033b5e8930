"""Checks of an app that keeps records behind an API: the life of a row, and invalid input."""

import re
from dataclasses import replace

from diono.agents.generators import fastapi_app
from diono.agents.proof import Expectation, HttpRequest
from diono.agents.spec import EntitySpec

_MARKED = re.compile(r"[\"'&<>]")
_UNKNOWN_ID = 999_999_999
_TYPED = ("integer", "number", "date", "boolean")


def record_cases(
    entity: EntitySpec,
    title: str = "",
) -> tuple[tuple[HttpRequest, ...], tuple[Expectation, ...]]:
    """Return requests in their order, and what each must give."""
    requests, expectations = _life(entity, title)
    for request, expectation in _invalid(entity):
        requests.append(request)
        last = len(requests) - 1
        expectations.append(replace(expectation, index=last))
    return tuple(requests), tuple(expectations)


def _life(entity: EntitySpec, title: str) -> tuple[list[HttpRequest], list[Expectation]]:
    listing = f"/api/{entity.plural}"
    first, second = fastapi_app.sample(entity, 0), fastapi_app.sample(entity, 1)
    lead = entity.fields[0].name
    label = entity.name.replace("_", " ")
    asked = str(second[lead]).split()[0]
    requests = [
        HttpRequest("POST", listing, first),
        HttpRequest("GET", f"{listing}/{{id}}"),
        HttpRequest("GET", listing),
        HttpRequest("PUT", f"{listing}/{{id}}", second),
        HttpRequest("GET", f"{listing}?q={asked}"),
        HttpRequest("GET", f"{listing}?q=no-such-word"),
        HttpRequest("POST", listing, {}),
        HttpRequest("DELETE", f"{listing}/{{id}}"),
        HttpRequest("GET", f"{listing}/{{id}}"),
        HttpRequest("GET", "/"),
    ]
    # A part of the title that looks the same in HTML; the skeleton has one of its own.
    shown = _MARKED.split(title)[0].strip()
    names = (shown, *(f'name="{field.name}"' for field in entity.fields))
    expectations = [
        Expectation(f"a {label} is added", 0, 201, fields=first),
        Expectation(f"the {label} is read back", 1, 200, fields=first),
        Expectation(f"the {label} is listed", 2, 200, contains=(str(first[lead]),)),
        Expectation(f"the {label} is changed", 3, 200, fields=second),
        Expectation("search finds what matches", 4, 200, contains=(str(second[lead]),)),
        Expectation("search finds nothing else", 5, 200, rows=0),
        Expectation(f"a {label} without {lead} is refused", 6, 422, or_status=(400,)),
        Expectation(f"the {label} is deleted", 7, 204),
        # A service without the feature says 404 too: the answer must know what it looked for.
        Expectation(f"the deleted {label} is gone", 8, 404, contains=(label,)),
        Expectation("the page shows the title and every field", 9, 200, contains=names),
    ]
    return requests, expectations


def _invalid(entity: EntitySpec) -> list[tuple[HttpRequest, Expectation]]:
    """Invalid input is refused as such (4xx), never a fault of the server (5xx)."""
    listing = f"/api/{entity.plural}"
    sample = fastapi_app.sample(entity, 2)
    lead = entity.fields[0].name
    label = entity.name.replace("_", " ")
    address = f"{listing}/{_UNKNOWN_ID}"

    def refused(name: str) -> Expectation:
        return Expectation(name, 0, 422, or_status=(400,))

    def unknown(name: str) -> Expectation:
        return Expectation(name, 0, 404, contains=(label,))

    cases = [
        (HttpRequest("POST", listing, {**sample, lead: "   "}),
         refused(f"a blank {lead} is refused")),
        (HttpRequest("POST", listing, {**sample, lead: {"a": 1}}),
         refused(f"an object for {lead} is refused")),
        (HttpRequest("POST", listing, {**sample, "no_such_field": 1}),
         refused("an unknown field is refused")),
        (HttpRequest("POST", listing, raw='{"not": json'), refused("a broken body is refused")),
        (HttpRequest("GET", address), unknown(f"reading an unknown {label} says so")),
        (HttpRequest("PUT", address, sample), unknown(f"changing an unknown {label} says so")),
        (HttpRequest("DELETE", address), unknown(f"deleting an unknown {label} says so")),
        (HttpRequest("GET", f"{listing}/not-a-number"), refused("an id that is none is refused")),
    ]  # fmt: skip
    typed = next((one for one in entity.fields if one.type in _TYPED), None)
    if typed is not None:
        body = {**sample, typed.name: "not of this type"}
        cases.append(
            (
                HttpRequest("POST", listing, body),
                refused(f"a {typed.name} of a wrong type is refused"),
            )
        )
    return cases
