import { CircleHelp } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { toApiError } from '@/api/errors';
import type { AskAnswer } from '@/api/types';
import { usePicture } from '@/api/use-picture';
import { CellTable } from '@/components/cell-table';
import { CodeBox } from '@/components/code-box';
import { Badge, type Tone } from '@/components/ui/badge';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { LoadingNote } from '@/components/ui/spinner';
import { formatSeconds } from '@/lib/format';
import { useAsk } from './queries';

const certainties: Record<AskAnswer['certainty'], { tone: Tone; label: string }> = {
  matched: { tone: 'good', label: 'Every word was found in the table' },
  agreed: { tone: 'good', label: 'Several ways gave the same' },
  assumed: { tone: 'warn', label: 'Something was assumed' },
  disputed: { tone: 'warn', label: 'Ways differ: the likeliest is shown' },
};

function Chart({ projectId, answer }: { projectId: string; answer: AskAnswer }) {
  const path = `/api/projects/${projectId}/documents/answers/${answer.answer_id}/chart`;
  const { data, error, isPending } = usePicture(path, answer.has_chart);
  if (!answer.has_chart) return null;
  if (isPending) return <LoadingNote label="Drawing" />;
  if (error) return <ErrorNote title="The chart is missing" error={toApiError(error)} />;
  return (
    <img
      src={data}
      alt={`Chart: ${answer.interpretation.text}`}
      className="w-full max-w-2xl rounded-xl border border-line bg-white"
    />
  );
}

function Answer({ projectId, answer }: { projectId: string; answer: AskAnswer }) {
  const { tone, label } = certainties[answer.certainty];
  return (
    <article
      data-testid="answer"
      className="grid gap-4 rounded-xl border border-line-strong bg-surface p-4 sm:p-5"
    >
      <div>
        <p className="text-[0.87rem] text-ink-faint">{answer.question}</p>
        <p className="mt-1 text-[1.2rem] font-semibold break-words">{answer.answer}</p>
        <p className="mt-2 flex flex-wrap items-center gap-2">
          <Badge tone={tone}>{label}</Badge>
          <span className="text-[0.87rem] text-ink-faint">
            {[answer.agreement, formatSeconds(answer.seconds)].filter(Boolean).join(' · ')}
          </span>
        </p>
      </div>
      <p className="text-ink-soft">
        <span className="font-medium text-ink">Understood as:</span> {answer.interpretation.text}
      </p>
      {answer.warnings.map((warning) => (
        <p key={warning} className="text-[0.93rem] text-warn">
          {warning}
        </p>
      ))}
      <Chart projectId={projectId} answer={answer} />
      {answer.rows.length > 0 && (
        <CellTable label="The rows of the answer" columns={answer.columns} rows={answer.rows} />
      )}
      <CodeBox title="The query" text={answer.code} />
      <p className="text-[0.87rem] text-ink-faint">
        From{' '}
        {answer.citations.map((citation, at) => (
          <span key={`${citation.document_id} ${citation.place}`}>
            {at > 0 && ', '}
            <Link
              to={`/projects/${projectId}/documents/${citation.document_id}`}
              className="text-ink-soft underline"
            >
              {citation.document_name}
            </Link>{' '}
            {citation.place}
          </span>
        ))}
        {answer.origin === 'model' ? `; the query was written by ${answer.model}` : ''}
      </p>
    </article>
  );
}

interface AskBoxProps {
  projectId: string;
  documentId?: string;
}

/** A question over tables: a number, the query that made it, and where it comes from. */
export function AskBox({ projectId, documentId }: AskBoxProps) {
  const ask = useAsk(projectId);
  const [question, setQuestion] = useState('');
  return (
    <div className="grid gap-3">
      <form
        aria-label="Ask the tables"
        className="flex flex-wrap gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          ask.mutate({ question: question.trim(), documentId: documentId ?? null, model: null });
        }}
      >
        <input
          aria-label="A question about the tables"
          placeholder="Which region grew the most?"
          maxLength={500}
          className="h-9.5 min-w-0 grow rounded-lg border border-line-strong bg-surface px-3 placeholder:text-ink-faint"
          value={question}
          onChange={(event) => setQuestion(event.target.value)}
        />
        <Button
          type="submit"
          tone="primary"
          isBusy={ask.isPending}
          disabled={question.trim().length < 3}
        >
          {!ask.isPending && <CircleHelp aria-hidden />} Ask
        </Button>
      </form>
      {ask.isPending && <LoadingNote label="Looking at the tables" />}
      {ask.error && <ErrorNote title="There is no answer" error={toApiError(ask.error)} />}
      {ask.data && <Answer projectId={projectId} answer={ask.data} />}
    </div>
  );
}
