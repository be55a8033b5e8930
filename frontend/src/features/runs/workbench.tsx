import { Play, Square } from 'lucide-react';
import type { ExecuteProgram } from '@/api/types';
import { Button } from '@/components/ui/button';
import { ErrorNote } from '@/components/ui/error-note';
import { InlineSelect, TextArea, TextField } from '@/components/ui/field';
import { Note } from '@/components/ui/note';
import { splitArguments } from './arguments';
import { CodeEditor } from './code-editor';
import { LanguagePicker } from './language-picker';
import { useLanguages } from './queries';
import { RunOutput } from './run-output';
import { isActive } from './run-state';
import { isStarter, starterFor } from './starters';
import { useDraft, type Draft } from './use-draft';
import { useRun } from './use-run';

const timeLimits = [30, 60, 300];
const USUAL_LIMIT_SECONDS = 10;

function programOf(draft: Draft): ExecuteProgram {
  return {
    language: draft.language,
    file_name: '',
    code: draft.code,
    stdin: draft.stdin,
    args: splitArguments(draft.argumentLine),
    timeout_seconds: draft.timeoutSeconds,
  };
}

/** Write a program, give it input, run it, and see what it prints. */
export function Workbench() {
  const languages = useLanguages();
  const { draft, change } = useDraft();
  const { state, start, stop } = useRun();
  const known = languages.data?.languages ?? [];
  const language = known.find((it) => it.name === draft.language);
  const ownLimit = language?.timeout_seconds ?? USUAL_LIMIT_SECONDS;
  const isRunning = isActive(state.phase);
  const isEmpty = draft.code.trim() === '';
  const run = () => {
    if (!isRunning && !isEmpty) start(programOf(draft));
  };
  const pick = (name: string) =>
    change({
      language: name,
      ...(isStarter(draft.code) ? { code: starterFor(name) } : {}),
    });

  return (
    <div className="grid grid-cols-1 gap-x-8 gap-y-6 xl:grid-cols-2">
      <form
        aria-label="Program"
        className="grid grid-cols-1 content-start gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          run();
        }}
      >
        {languages.error && (
          <ErrorNote
            title="Could not read the languages"
            error={languages.error}
            onRetry={() => void languages.refetch()}
          />
        )}
        {languages.data?.problem && (
          <Note tone="warn" title="Programs cannot run now">
            {languages.data.problem}
          </Note>
        )}
        <div className="flex flex-wrap items-center gap-x-5 gap-y-3">
          <LanguagePicker
            languages={known}
            value={draft.language}
            isLoading={languages.isPending}
            onChange={pick}
          />
          <InlineSelect
            id="time-limit"
            label="Time limit"
            value={draft.timeoutSeconds ?? ''}
            onChange={({ target }) =>
              change({ timeoutSeconds: target.value ? Number(target.value) : null })
            }
          >
            <option value="">{ownLimit} s</option>
            {timeLimits.map((seconds) => (
              <option key={seconds} value={seconds}>
                {seconds} s
              </option>
            ))}
          </InlineSelect>
          <div className="ml-auto">
            {isRunning ? (
              // Without keys, Stop would turn into Run within its own click and start it again.
              <Button key="stop" tone="danger" onClick={stop}>
                <Square aria-hidden /> Stop
              </Button>
            ) : (
              <Button key="run" type="submit" tone="primary" disabled={isEmpty}>
                <Play aria-hidden /> Run
              </Button>
            )}
          </div>
        </div>
        <CodeEditor
          id="code"
          label="Code"
          value={draft.code}
          onChange={(code) => change({ code })}
          onRun={run}
        />
        <div className="grid gap-4 sm:grid-cols-2">
          <TextArea
            id="stdin"
            label="Input"
            hint="What the program reads (stdin)."
            rows={3}
            spellCheck={false}
            className="font-mono text-[0.87rem]"
            value={draft.stdin}
            onChange={({ target }) => change({ stdin: target.value })}
          />
          <TextField
            id="arguments"
            label="Arguments"
            hint={'As in a shell: first "second one"'}
            spellCheck={false}
            autoCapitalize="none"
            autoComplete="off"
            className="font-mono text-[0.87rem]"
            value={draft.argumentLine}
            onChange={({ target }) => change({ argumentLine: target.value })}
          />
        </div>
      </form>
      <RunOutput state={state} limitSeconds={draft.timeoutSeconds ?? ownLimit} />
    </div>
  );
}
