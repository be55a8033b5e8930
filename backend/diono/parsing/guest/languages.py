"""Source code by the ending of its name."""

from collections.abc import Mapping

LANGUAGES: Mapping[str, str] = {
    ".py": "Python", ".js": "JavaScript", ".mjs": "JavaScript", ".jsx": "JavaScript",
    ".ts": "TypeScript", ".tsx": "TypeScript", ".java": "Java", ".go": "Go", ".rs": "Rust",
    ".c": "C", ".h": "C", ".cpp": "C++", ".cc": "C++", ".hpp": "C++", ".cs": "C#",
    ".rb": "Ruby", ".php": "PHP", ".kt": "Kotlin", ".swift": "Swift", ".r": "R",
    ".sql": "SQL", ".sh": "Shell", ".bash": "Shell", ".ps1": "PowerShell", ".lua": "Lua",
    ".css": "CSS", ".scss": "CSS", ".yaml": "YAML", ".yml": "YAML", ".toml": "TOML",
    ".ini": "INI", ".xml": "XML", ".svg": "XML", ".vue": "Vue", ".dart": "Dart",
    ".scala": "Scala", ".pl": "Perl", ".jl": "Julia", ".tex": "TeX", ".ipynb": "Notebook",
}  # fmt: skip
