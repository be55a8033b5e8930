"""Rows of documents as clients see them."""

from diono.features.documents.schemas import (
    DocumentDetail,
    DocumentInfo,
    DocumentStatus,
    SectionInfo,
)
from diono.features.documents.tables import Document, Piece
from diono.parsing.models import DocumentKind, ParsedDocument


def info_of(row: Document) -> DocumentInfo:
    return DocumentInfo(
        document_id=row.document_id,
        project_id=row.project_id,
        file_id=row.file_id,
        name=row.name,
        size=row.size,
        media_type=row.media_type,
        kind=row.kind,
        title=row.title,
        status=DocumentStatus(row.status),
        progress=row.progress,
        progress_note=row.progress_note,
        error=row.error_code,
        reason=row.error_reason,
        section_count=row.piece_count,
        table_count=len(row.facts.get("tables", ())),
        vector_count=row.vector_count,
        has_thumbnail=bool(row.facts.get("thumbnail")),
        created_at=row.created_at,
        changed_at=row.changed_at,
    )


def parsed_of(row: Document) -> ParsedDocument:
    """Return what the parser told; of a document that is not ready: nothing in it."""
    if not row.facts:
        return ParsedDocument(kind=DocumentKind.TEXT, media_type=row.media_type)
    return ParsedDocument.model_validate(row.facts)


def detail_of(row: Document) -> DocumentDetail:
    parsed = parsed_of(row)
    return DocumentDetail(
        **info_of(row).model_dump(),
        metadata=dict(parsed.metadata),
        tables=list(parsed.tables),
        members=list(parsed.members),
        symbols=list(parsed.symbols),
        warnings=list(parsed.warnings),
        preview_text=parsed.preview_text,
    )


def section_of(piece: Piece) -> SectionInfo:
    return SectionInfo(
        anchor=piece.anchor,
        part=piece.part,
        number=piece.number,
        title=piece.title,
        text=piece.text,
        page=piece.page,
        table=piece.table_name,
        place=piece.place,
    )
