"""Search over a project's documents: by words, by meaning where there are vectors, merged."""

import asyncio
import re
from collections.abc import Sequence

from loguru import logger

from diono.features.documents.errors import BadSearch, SearchTooSlow
from diono.features.documents.schemas import SearchHit, SearchResult
from diono.features.documents.service.documents import Store
from diono.features.documents.store import pieces
from diono.features.documents.store.search import SearchIndex
from diono.features.documents.tables import Piece
from diono.kernel.errors import DionoError
from diono.llm.embedding import Embedder

QUERY_CHARACTERS = 400
MOST_WORDS = 16
SNIPPET_CHARACTERS = 320
EMBED_SECONDS = 10.0
_CANDIDATES = 50
# Reciprocal rank fusion: Cormack, Clarke, Buettcher, SIGIR 2009, which takes 60.
_RANK_OFFSET = 60
_WORD = re.compile(r"\w+")
_WORD_CHARACTERS = 60
_HIGHLIGHTS = 40
_NO_MODEL = (
    "Only words were searched: no model of embeddings is set (DIONO_EMBEDDINGS), so nothing is "
    "found by meaning."
)


class DocumentSearch:
    def __init__(self, store: Store, index: SearchIndex, embedder: Embedder | None) -> None:
        self._store = store
        self._index = index
        self._embedder = embedder

    async def search(self, project_id: str, query: str, limit: int = 10) -> SearchResult:
        """Find what the words or the meaning of a query is in. Raises BadSearch, SearchTooSlow."""
        words = words_of(query)
        if not words:
            raise BadSearch("The query has no word in it. Write one or more words to look for.")
        by_words, (by_meaning, note) = await asyncio.gather(
            self._index.by_words(project_id, words, _CANDIDATES),
            self._by_meaning(project_id, query[:QUERY_CHARACTERS]),
        )
        scores = merged(by_words, by_meaning)
        best = sorted(scores, key=lambda piece: (-scores[piece], piece))[:limit]
        async with self._store.database.read() as session:
            found = await pieces.named(session, project_id, best)
        hits = [
            _hit(
                *found[piece_id],
                words,
                scores[piece_id],
                piece_id in by_words,
                piece_id in by_meaning,
            )
            for piece_id in best
            if piece_id in found
        ]
        return SearchResult(query=query, hits=hits, by_meaning=not note, note=note)

    async def _by_meaning(self, project_id: str, query: str) -> tuple[list[int], str]:
        """Return what is near, and why nothing could be (empty: it could)."""
        if self._embedder is None:
            return [], _NO_MODEL
        try:
            async with asyncio.timeout(EMBED_SECONDS):
                (vector,) = await self._embedder.embed([query])
            model = self._embedder.name
            return await self._index.by_vector(project_id, model, vector, _CANDIDATES), ""
        except TimeoutError:
            return [], f"Only words were searched: {self._embedder.name} is too slow or busy now."
        except (DionoError, SearchTooSlow) as error:
            logger.warning("search by meaning failed: {}", error.detail)
            return [], f"Only words were searched: {error.detail}"


def words_of(query: str) -> list[str]:
    """Return the words of a query, each once; everything else in it means nothing."""
    found = (word[:_WORD_CHARACTERS].casefold() for word in _WORD.findall(query[:QUERY_CHARACTERS]))
    return [word for word in dict.fromkeys(found) if word.strip("_")][:MOST_WORDS]


def merged(*rankings: Sequence[int]) -> dict[int, float]:
    """Add up reciprocal ranks."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, piece_id in enumerate(ranking, 1):
            scores[piece_id] = scores.get(piece_id, 0.0) + 1.0 / (_RANK_OFFSET + rank)
    return scores


def snippet_of(text: str, words: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Return the part of a text with most of the words, and where they stand in it."""
    pattern = re.compile("|".join(re.escape(word) for word in words), re.IGNORECASE)
    starts = [match.start() for match in pattern.finditer(text)]
    best = max(
        starts[:200],
        key=lambda start: sum(
            start <= other < start + SNIPPET_CHARACTERS for other in starts[:200]
        ),
        default=0,
    )
    begin = max(0, best - 40)
    begin = text.rfind(" ", 0, begin) + 1 if begin else 0
    part = " ".join(text[begin : begin + SNIPPET_CHARACTERS].split())
    return part, [match.span() for match in pattern.finditer(part)][:_HIGHLIGHTS]


def _hit(
    piece: Piece, name: str, words: Sequence[str], score: float, has_words: bool, is_near: bool
) -> SearchHit:
    snippet, highlights = snippet_of(piece.text, words)
    return SearchHit(
        document_id=piece.document_id,
        document_name=name,
        anchor=piece.anchor,
        title=piece.title,
        page=piece.page,
        table=piece.table_name,
        place=piece.place,
        snippet=snippet,
        highlights=highlights,
        found_by=[*(["words"] if has_words else []), *(["meaning"] if is_near else [])],
        score=score,
    )
