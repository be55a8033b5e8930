import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, fetchBody, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';
import { atTask } from '@/api/task-actions';

export function useInspection(taskId: string) {
  return useQuery({
    queryKey: queryKeys.inspection(taskId),
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/tasks/{task_id}/inspection', { ...atTask(taskId), signal })),
  });
}

/** Examines the files now, in a sandbox: takes seconds. */
export function useExamine(taskId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => unwrap(api.POST('/api/tasks/{task_id}/inspection', atTask(taskId))),
    onSuccess: (report) => client.setQueryData(queryKeys.inspection(taskId), report),
  });
}

/** Hands the browser the whole report as JSON. */
export function useSaveReport(taskId: string) {
  return useMutation({
    mutationFn: async () => {
      const path = `/api/tasks/${encodeURIComponent(taskId)}/inspection`;
      const url = URL.createObjectURL(await (await fetchBody(path)).blob());
      const link = document.createElement('a');
      link.href = url;
      link.download = `${taskId}-inspection.json`;
      link.click();
      // The browser reads the object after the click returned.
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    },
  });
}
