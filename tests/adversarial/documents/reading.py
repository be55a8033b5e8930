"""Reads many files at once in one real sandbox, as the backend would one by one."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from contract.sandbox_rigs import forget, prepare, sandboxes_of

from diono.parsing.models import Ending, ParsedDocument, Section
from diono.parsing.service import MEMORY_MB, TEMPLATE
from diono.parsing.workplace import Job, Workplace, seconds_for
from diono.sandbox.images.building import ImageBuilder
from diono.sandbox.port import ExecRequest, Limits, SandboxSpec

_TOGETHER = 100
_RESULT_BYTES = 24 * 1024 * 1024


@dataclass(frozen=True)
class Outcome:
    """``document`` is None if it was refused; then the ending says why."""

    ending: Ending
    document: ParsedDocument | None = None
    sections: tuple[Section, ...] = ()

    @property
    def text(self) -> str:
        return "\n".join(section.text for section in self.sections)


def read_all(files: Mapping[str, bytes], *, has_sections: bool = True) -> dict[str, Outcome]:
    """Return what became of each file, by its name."""
    return asyncio.run(_read_all(files, has_sections))


async def _read_all(files: Mapping[str, bytes], has_sections: bool) -> dict[str, Outcome]:
    config = prepare()
    ImageBuilder(config).ensure(TEMPLATE, lambda _: None)
    limits = Limits(memory_mb=MEMORY_MB, pids=64, disk_mb=1_024)
    spec = SandboxSpec(
        owner="owner", project="reading", template=TEMPLATE, limits=limits, is_disposable=True
    )
    found: dict[str, Outcome] = {}
    names = list(files)
    try:
        async with sandboxes_of("fleet", config) as sandboxes:
            sandbox = await sandboxes.open(spec)
            workplace = Workplace(sandbox)
            await workplace.prepare()
            for start in range(0, len(names), _TOGETHER):
                some = names[start : start + _TOGETHER]
                jobs = [_job(start + number, name, files[name]) for number, name in enumerate(some)]
                await sandbox.write_files(
                    {job.parts[0]: files[name] for job, name in zip(jobs, some, strict=True)}
                )
                endings = await workplace.run(jobs)
                told = await asyncio.gather(
                    *(
                        _outcome(workplace, job, ending, has_sections)
                        for job, ending in zip(jobs, endings, strict=True)
                    )
                )
                found |= dict(zip(some, told, strict=True))
                await sandbox.execute(ExecRequest(argv=("sh", "-c", "rm -rf doc-*")))
            await sandboxes.kill("owner", "reading")
    finally:
        forget(config)
    return found


def _job(number: int, name: str, content: bytes) -> Job:
    folder = f"doc-{number}"
    return Job(folder, (f"{folder}/part-000",), name, seconds_for(len(content)))


async def _outcome(workplace: Workplace, job: Job, ending: Ending, has_sections: bool) -> Outcome:
    if ending.code:
        return Outcome(ending)
    raw = await workplace.read(f"{job.folder}/out/result.json", _RESULT_BYTES)
    document = ParsedDocument.model_validate_json(raw)
    lines: list[bytes] = []
    if has_sections and document.section_count:
        text = await workplace.read(f"{job.folder}/out/sections.jsonl", _RESULT_BYTES)
        lines = text.splitlines()
    sections = tuple(Section.model_validate_json(line) for line in lines)
    return Outcome(ending, document, sections)
