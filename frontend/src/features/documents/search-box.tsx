import { Search } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { toApiError } from '@/api/errors';
import type { SearchHit } from '@/api/types';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { LoadingNote } from '@/components/ui/spinner';
import { markedParts } from './marks';
import { useSearch } from './queries';

interface HitProps {
  projectId: string;
  hit: Omit<SearchHit, 'highlights'> & { highlights: readonly (readonly number[])[] };
}

function Hit({ projectId, hit }: HitProps) {
  const address = `/projects/${projectId}/documents/${hit.document_id}?at=${encodeURIComponent(hit.anchor)}`;
  return (
    <li data-testid="hit" className="px-4 py-3">
      <p className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5">
        <Link to={address} className="font-medium underline decoration-line-strong">
          {hit.document_name}
        </Link>
        <span className="text-[0.87rem] text-ink-faint">
          {[hit.title, hit.place || hit.anchor].filter(Boolean).join(' · ')}
        </span>
      </p>
      <p className="mt-1 text-[0.93rem] break-words text-ink-soft">
        {markedParts(hit.snippet, hit.highlights).map(({ text, isMarked, start }) =>
          isMarked ? (
            <mark key={start} className="rounded bg-accent-soft px-0.5 text-ink">
              {text}
            </mark>
          ) : (
            <span key={start}>{text}</span>
          ),
        )}
      </p>
    </li>
  );
}

export function SearchBox({ projectId }: { projectId: string }) {
  const [text, setText] = useState('');
  const [query, setQuery] = useState('');
  const { data, error, isFetching } = useSearch(projectId, query);
  return (
    <div className="grid gap-3">
      <form
        role="search"
        className="flex flex-wrap gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          setQuery(text.trim());
        }}
      >
        <input
          type="search"
          aria-label="Search the documents"
          placeholder="Words from a document"
          maxLength={1000}
          className="h-9.5 min-w-0 grow rounded-lg border border-line-strong bg-surface px-3 placeholder:text-ink-faint"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <Button type="submit" disabled={!text.trim()}>
          <Search aria-hidden /> Search
        </Button>
      </form>
      {error && <ErrorNote title="The search failed" error={toApiError(error)} />}
      {query && isFetching && !data && <LoadingNote label="Searching" />}
      {query && data && (
        <>
          {data.note && <p className="text-[0.87rem] text-ink-faint">{data.note}</p>}
          {data.hits.length === 0 ? (
            <p role="status" className="text-ink-soft">
              Nothing was found for “{data.query}”.
            </p>
          ) : (
            <ul className="divide-y divide-line rounded-xl border border-line bg-surface">
              {data.hits.map((hit) => (
                <Hit
                  key={`${hit.document_id} ${hit.anchor} ${hit.snippet}`}
                  projectId={projectId}
                  hit={hit}
                />
              ))}
            </ul>
          )}
        </>
      )}
    </div>
  );
}
