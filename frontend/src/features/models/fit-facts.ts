import type { ModelFit } from '@/api/types';
import { formatNumber } from '@/lib/format';

const protocols = {
  native: 'native tool calls',
  tags: 'calls between tags',
  fenced: 'code in a fence',
};
const edits = {
  whole: 'whole files',
  search_replace: 'search and replace',
  unified_diff: 'unified diffs',
};
const json = { enforced: 'enforced by the server', obeyed: 'obeyed', none: 'not reliable' };
const thinking = { none: 'none', switch: 'can be switched', always: 'always' };

/** What a reader wants to know of a fit, in words; what was not measured is not shown as if. */
export function fitFacts(fit: ModelFit): [string, string][] {
  const claimed =
    fit.window === fit.window_claimed ? '' : ` (${formatNumber(fit.window_claimed)} claimed)`;
  const told: [string, string][] = [
    ['Window', `${formatNumber(fit.window)} tokens${claimed}`],
    ['Prompts up to', `${formatNumber(fit.prompt_budget)} tokens`],
    ['Acts by', protocols[fit.protocol]],
    ['Candidates', `up to ${fit.tries}`],
    ['JSON', json[fit.json_answers]],
    ['Thinking', thinking[fit.thinking]],
  ];
  if (fit.is_assumed) return told;
  return [
    ...told,
    ['Tools', fit.tools_ok ? 'it calls them' : 'not reliable'],
    ['Changes files by', edits[fit.edit_format]],
    ['Writes', `${fit.tokens_per_second.toFixed(1)} tokens/s`],
    ['Reads', `${formatNumber(Math.round(fit.prompt_tokens_per_second))} tokens/s`],
    ['Probes passed', `${Math.round(fit.strength * 100)} %`],
  ];
}
