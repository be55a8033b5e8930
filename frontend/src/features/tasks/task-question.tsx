import { QuestionCard } from '@/components/decision/question-card';
import type { TaskState } from '@/api/types';
import { useAnswerQuestion } from './queries';

/** The open question of a task, if there is one. */
export function TaskQuestion({ task }: { task: TaskState }) {
  const answer = useAnswerQuestion(task.task_id);
  const question = task.waiting_for;
  if (!question || task.status !== 'WAITING') return null;
  return (
    <QuestionCard
      question={question}
      isBusy={answer.isPending}
      error={answer.error}
      onAnswer={(given) => answer.mutate({ key: question.key, answer: given })}
    />
  );
}
