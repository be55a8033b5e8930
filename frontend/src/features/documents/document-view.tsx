import { useState } from 'react';
import { toApiError } from '@/api/errors';
import type { DocumentDetail, DocumentTable } from '@/api/types';
import { usePicture } from '@/api/use-picture';
import { CellTable } from '@/components/cell-table';
import { SectionHead } from '@/components/page-head';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { Note } from '@/components/ui/note';
import { LoadingNote } from '@/components/ui/spinner';
import { formatBytes, formatNumber } from '@/lib/format';
import { AskBox } from './ask-box';
import { ColumnTable } from './column-table';
import { useDocument, useRows, useSections } from './queries';

function Rows({ document, table }: { document: DocumentDetail; table: DocumentTable }) {
  const list = useRows(document.project_id, document.document_id, table.name);
  if (list.isPending) return <LoadingNote label="Reading rows" />;
  if (!list.data) {
    return (
      <ErrorNote
        title="Could not read the rows"
        error={list.error}
        onRetry={() => void list.refetch()}
      />
    );
  }
  return (
    <>
      <CellTable
        label={`Rows of ${table.name}`}
        columns={list.data.pages[0]?.columns ?? []}
        rows={list.data.pages.flatMap((page) => page.rows)}
      />
      {list.hasNextPage && (
        <Button
          tone="ghost"
          className="mt-2"
          isBusy={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          Show more rows
        </Button>
      )}
    </>
  );
}

function TableSection({ document, table }: { document: DocumentDetail; table: DocumentTable }) {
  const [isOpen, setIsOpen] = useState(false);
  const id = `table-${table.file}`;
  return (
    <section aria-labelledby={id}>
      <SectionHead
        id={id}
        title={table.name}
        action={
          <Button size="small" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
            {isOpen ? 'Hide the rows' : 'Show the rows'}
          </Button>
        }
      >
        {table.place} · {formatNumber(table.row_count ?? 0)} rows
      </SectionHead>
      <div className="grid gap-3">
        <ColumnTable columns={table.columns ?? []} />
        {isOpen && <Rows document={document} table={table} />}
      </div>
    </section>
  );
}

function TextSection({ document, at }: { document: DocumentDetail; at: string }) {
  const list = useSections(document.project_id, document.document_id, at);
  const sections = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section aria-labelledby="text">
      <SectionHead id="text" title="Text">
        {at ? `From ${at} on.` : 'With the places that citations name.'}
      </SectionHead>
      {list.isPending && <LoadingNote label="Reading the text" />}
      {list.error && <ErrorNote title="Could not read the text" error={toApiError(list.error)} />}
      <ol className="grid gap-3">
        {sections.map((section) => (
          <li
            key={section.number}
            data-testid="section"
            className="rounded-xl border border-line bg-surface px-4 py-3"
          >
            <p className="mb-1 text-[0.87rem] text-ink-faint">
              {[section.title, section.place || section.anchor].filter(Boolean).join(' · ')}
            </p>
            <p className="text-[0.93rem] break-words whitespace-pre-wrap">{section.text}</p>
          </li>
        ))}
      </ol>
      {list.hasNextPage && (
        <Button
          tone="ghost"
          className="mt-2"
          isBusy={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          Read on
        </Button>
      )}
    </section>
  );
}

function Facts({ document }: { document: DocumentDetail }) {
  const path = `/api/projects/${document.project_id}/documents/${document.document_id}/thumbnail`;
  const picture = usePicture(path, document.has_thumbnail);
  const facts = Object.entries(document.metadata).filter(([, value]) => value !== null);
  return (
    <div className="flex flex-wrap gap-5">
      {picture.data && (
        <img
          src={picture.data}
          alt=""
          className="max-h-40 max-w-60 rounded-xl border border-line bg-white"
        />
      )}
      <dl className="grid min-w-0 grow grid-cols-[max-content_1fr] content-start gap-x-5 gap-y-1 text-[0.93rem]">
        <dt className="text-ink-faint">Kind</dt>
        <dd>
          {document.kind}, {formatBytes(document.size)}
        </dd>
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-ink-faint">{name.replaceAll('_', ' ')}</dt>
            <dd className="min-w-0 break-words">{String(value)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Members({ document }: { document: DocumentDetail }) {
  if (document.members.length === 0) return null;
  return (
    <section aria-labelledby="members">
      <SectionHead id="members" title="What it holds" />
      <CellTable
        label="Files inside"
        columns={['Name', 'Size', 'Kind', 'Note']}
        rows={document.members.map((member) => [
          member.path,
          formatBytes(member.size ?? 0),
          member.media_type ?? '',
          member.note ?? '',
        ])}
      />
    </section>
  );
}

/** Everything that was read of one document. */
export function DocumentView(props: { projectId: string; documentId: string; at: string }) {
  const { data, error, refetch } = useDocument(props.projectId, props.documentId);
  if (error) {
    return (
      <ErrorNote
        title="This document cannot be shown"
        error={error}
        onRetry={() => void refetch()}
      />
    );
  }
  if (!data) return <LoadingNote label="Reading the document" />;
  return (
    <>
      <header className="mb-7">
        <title>{`${data.name} · Diono`}</title>
        <h1 className="text-[1.6rem] leading-tight font-semibold tracking-tight break-words">
          {data.title || data.name}
        </h1>
        {data.title && <p className="mt-1 break-words text-ink-soft">{data.name}</p>}
      </header>
      <div className="grid grid-cols-1 gap-9">
        {data.warnings.length > 0 && (
          <Note tone="warn" title="Read with reservations">
            {data.warnings.join(' ')}
          </Note>
        )}
        <Facts document={data} />
        {data.tables.length > 0 && (
          <AskBox projectId={props.projectId} documentId={props.documentId} />
        )}
        {data.tables.map((table) => (
          <TableSection key={table.file} document={data} table={table} />
        ))}
        <Members document={data} />
        {data.section_count > 0 && <TextSection key={props.at} document={data} at={props.at} />}
      </div>
    </>
  );
}
