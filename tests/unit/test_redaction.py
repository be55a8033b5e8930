"""What must not be read in a log."""

import logging

import pytest
from loguru import logger

from diono.infra.logging import configure_logging
from diono.infra.redaction import HIDDEN, SecretValues
from diono.infra.sealing import FixedKeyring, MasterKey, Sealer


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("key sk-proj-abcdefghij1234567890 refused", "abcdefghij1234567890"),
        ("Authorization: Bearer abcdef.ghijkl", "abcdef.ghijkl"),
        ("{'x-api-key': 'value-of-it'}", "value-of-it"),
        ('{"refresh_token": "1//0gabcdefghijklmnopqrstuvw"}', "0gabcdefghijklmnopqrstuvw"),
        ("token ya29.a0AfH6SMBabcdefghijkl", "a0AfH6SMBabcdefghijkl"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJl", "eyJzdWIiOiIxMjM0NSJ9"),
        ("postgresql+asyncpg://diono:hunter22@db/diono", "hunter22"),
        ("-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----", "MIIabc"),
        ("password=opensesame&user=x", "opensesame"),
    ],
)
def test_shapes_of_secrets_are_hidden(text: str, secret: str) -> None:
    hidden = SecretValues().hide(text)
    assert secret not in hidden
    assert HIDDEN in hidden


@pytest.mark.parametrize(
    "text", ["the task tsk_01h455vb4pex took 3 s", "GET /api/tasks?limit=3 200", "skip-to-the-end"]
)
def test_ordinary_lines_stay_as_they_are(text: str) -> None:
    assert SecretValues().hide(text) == text


def test_known_values_are_hidden_the_longest_first() -> None:
    values = SecretValues()
    for value in ("correct horse", "correct horse battery", "short"):
        values.add(value)
    assert values.hide("a correct horse battery, short") == f"a {HIDDEN}, short"


def test_nothing_sealed_reaches_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("DEBUG")
    canary = "Canary value 4711"
    Sealer(FixedKeyring((MasterKey.new(),))).seal(canary, "here")
    logger.info("it is {}", canary)
    logging.getLogger("library").warning("it is %s", canary)
    try:
        int(canary)
    except ValueError:
        logger.exception("it failed")
    said = capsys.readouterr().err
    assert canary not in said
    assert said.count(HIDDEN) >= 3
    assert "ValueError" in said
