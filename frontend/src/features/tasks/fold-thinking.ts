import type { TaskEvent } from '@/api/types';
import { PayloadReader } from '@/lib/payload';
import type { TaskView } from './task-view';

const THINKING_TAIL_CHARACTERS = 6000;

/** Adds a piece of the answer that is being written; another answer begins anew. */
export function foldThinking(view: TaskView, event: TaskEvent): TaskView {
  const payload = new PayloadReader(event.payload);
  const file = payload.text('file');
  const tokens = payload.number('tokens') ?? 0;
  const before = view.thinking;
  const isSameAnswer =
    before !== null &&
    before.role === event.agent_role &&
    before.file === file &&
    tokens >= before.tokens;
  const text = (isSameAnswer ? before.text : '') + payload.text('text');
  return {
    ...view,
    thinking: {
      role: event.agent_role,
      file,
      text: text.slice(-THINKING_TAIL_CHARACTERS),
      tokens,
      tokensPerSecond: payload.number('tokens_per_second'),
    },
  };
}
