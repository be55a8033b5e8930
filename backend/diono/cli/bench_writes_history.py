"""What a bench of writes was told by the server, kept outside of it, and whether it is still true.

Contents follow from a seed, so the checker needs no copy of them.
"""

import hashlib
import random
from dataclasses import dataclass, field

CHUNK_SIZES = (1, 100, 1_000, 4_000, 20_000)


@dataclass
class Written:
    """One file on its way: ``acked`` bytes in ``acks`` answers were said to be kept for good."""

    upload_id: str
    project_id: str
    content: bytes
    ends: list[int]
    acked: int = 0
    acks: int = 0
    file_id: str = ""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def next_chunk(self) -> bytes:
        end = next(end for end in self.ends if end > self.acked)
        return self.content[self.acked : end]


@dataclass
class History:
    """All that was acknowledged; ``faults`` are broken promises, in words."""

    count: int
    files: list[Written] = field(default_factory=list["Written"])
    acks: int = 0
    unanswered: int = 0
    unanswered_but_kept: int = 0
    faults: list[str] = field(default_factory=list[str])

    @property
    def is_full(self) -> bool:
        return self.acks >= self.count

    def acknowledged(self, written: Written, offset: int) -> None:
        """An answer came: everything before ``offset`` is promised."""
        if offset < written.acked:
            self.faults.append(f"{written.upload_id}: {written.acked} bytes, then {offset}")
        written.acked = offset
        written.acks += 1
        self.acks += 1

    def found(self, written: Written, offset: int) -> None:
        """After an answer that never came: what the server says it has."""
        self.unanswered += 1
        if offset < written.acked:
            self.faults.append(
                f"{written.upload_id}: lost {written.acked - offset} acknowledged bytes"
            )
        if offset > written.acked:
            self.unanswered_but_kept += 1
        if offset not in {0, *written.ends}:
            self.faults.append(f"{written.upload_id}: {offset} is the end of no chunk")
        written.acked = offset


def plan(number: int, seed: int) -> tuple[bytes, list[int]]:
    """Return the content of a file and where its chunks end."""
    chance = random.Random(f"{seed}/{number}")  # noqa: S311  (reproducible, not secret)
    sizes = [chance.choice(CHUNK_SIZES) for _ in range(chance.randint(1, 40))]
    ends = [sum(sizes[: index + 1]) for index in range(len(sizes))]
    return chance.randbytes(ends[-1]), ends
