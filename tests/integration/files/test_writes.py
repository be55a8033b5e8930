"""Acknowledged writes outlive a server that is killed; the full number is `diono bench writes`."""

import pytest
from contract.blob_rigs import s3_server
from contract.database_rigs import postgres_cluster

from diono.cli.bench_writes import Plan, bench_writes


@pytest.mark.slow
async def test_acknowledged_writes_are_found_again_after_kills() -> None:
    result = await bench_writes(Plan(200, kill_seconds=(1.5, 3.0)))
    assert result["faults"] == []
    assert result["count"] >= 200
    assert result["kills"] >= 1


@pytest.mark.nightly
@pytest.mark.postgres
@pytest.mark.timeout(3_600)
async def test_acknowledged_writes_are_found_again_in_shared_stores() -> None:
    with postgres_cluster() as database_url, s3_server() as s3_url:
        result = await bench_writes(
            Plan(5_000, database_url=database_url, s3_url=s3_url, kill_seconds=(2.0, 10.0))
        )
    assert result["faults"] == []
    assert result["kills"] >= 2
