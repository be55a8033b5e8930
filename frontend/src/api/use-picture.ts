import { useQuery } from '@tanstack/react-query';
import { fetchPicture } from './client';
import { queryKeys } from './query-keys';

/** A picture behind the sign-in, fetched once. */
export function usePicture(path: string, isThere: boolean) {
  return useQuery({
    queryKey: queryKeys.picture(path),
    queryFn: ({ signal }) => fetchPicture(path, signal),
    enabled: isThere,
    staleTime: Infinity,
  });
}
