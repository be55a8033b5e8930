import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.entities import ENTITY, TITLE  # noqa: E402
from app.main import LISTING, create_app  # noqa: E402

SAMPLES: dict[str, Any] = {
    "text": "alpha", "long_text": "alpha", "integer": 3, "number": 2.5,
    "boolean": True, "date": "2030-01-31",
}  # fmt: skip
BODY = {field.name: SAMPLES[field.type] for field in ENTITY.fields}


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    return TestClient(create_app(tmp_path / "test.db"))


def test_a_row_lives_from_creation_to_deletion(client: TestClient) -> None:
    created = client.post(LISTING, json=BODY)
    assert created.status_code == 201
    address = f"{LISTING}/{created.json()['id']}"
    assert {name: client.get(address).json()[name] for name in BODY} == BODY
    assert client.put(address, json=BODY).status_code == 200
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404


def test_search_finds_what_matches_and_nothing_else(client: TestClient) -> None:
    client.post(LISTING, json=BODY)
    assert len(client.get(LISTING, params={"q": "lph"}).json()) == 1
    assert client.get(LISTING, params={"q": "no such words"}).json() == []


def test_bad_bodies_are_refused(client: TestClient) -> None:
    assert client.post(LISTING, json={"no_such_field": 1}).status_code == 422
    assert client.get(f"{LISTING}/999").status_code == 404


def test_the_page_shows_the_form(client: TestClient) -> None:
    page = client.get("/").text
    assert TITLE in page
    assert all(f'name="{field.name}"' in page for field in ENTITY.fields)


def test_rows_of_an_older_version_are_kept(tmp_path: Path) -> None:
    first = ENTITY.fields[0]
    with closing(sqlite3.connect(tmp_path / "test.db")) as database:
        database.execute(
            f'CREATE TABLE "{ENTITY.plural}" '
            f'(id INTEGER PRIMARY KEY, "{first.former_name or first.name}", created_at TEXT)'
        )
        database.execute(f"INSERT INTO \"{ENTITY.plural}\" VALUES (1, 'old', '2030-01-01')")
        database.commit()
    rows = TestClient(create_app(tmp_path / "test.db")).get(LISTING).json()
    assert [row[first.name] for row in rows] == ["old"]
    assert set(rows[0]) == {"id", "created_at", *BODY}
