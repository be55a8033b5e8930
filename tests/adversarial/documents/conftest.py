"""All documents are read once, in one sandbox; each test looks at what became of some."""

import pytest
from adversarial.documents.cases import cases
from adversarial.documents.large import long_csv, long_workbook
from adversarial.documents.mutations import mutated_documents
from adversarial.documents.originals import ORIGINALS
from adversarial.documents.reading import Outcome, read_all

SMALL_ROWS = 20_000


@pytest.fixture(scope="session")
def outcomes() -> dict[str, Outcome]:
    files = {
        **cases(),
        **{name: make() for name, make in ORIGINALS.items()},
        **mutated_documents(60, seed=7),
        "a06-long.csv": b"".join(long_csv(SMALL_ROWS)),
        "a06-long.xlsx": long_workbook(SMALL_ROWS // 10),
    }
    return read_all(files)
