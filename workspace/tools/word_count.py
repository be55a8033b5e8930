"""An example of a tool of your own: one function with type hints and a docstring."""

from collections import Counter
from pathlib import Path


def word_count(path: Path, most: int = 5) -> dict[str, object]:
    """Count the lines, words and characters of a text file, and its most frequent words.

    Args:
        path: The text file, in the project.
        most: How many of the most frequent words to name.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    words = text.split()
    return {
        "lines": len(text.splitlines()),
        "words": len(words),
        "characters": len(text),
        "frequent": Counter(word.lower() for word in words).most_common(most),
    }
