import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { Toaster } from 'sonner';
import { toApiError } from '@/api/errors';
import { startRenewal } from '@/api/renewal';

const MOST_RETRIES = 2;

function createQueryClient(): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache(),
    defaultOptions: {
      queries: {
        staleTime: 5000,
        // A refusal stays a refusal; a hiccup deserves another try.
        retry: (failures, error) => failures < MOST_RETRIES && !toApiError(error).isRefusal,
      },
    },
  });
}

export function Providers({ children }: { children: ReactNode }) {
  const [client] = useState(createQueryClient);
  useEffect(startRenewal, []);
  return (
    <QueryClientProvider client={client}>
      {children}
      <Toaster
        position="bottom-right"
        toastOptions={{
          style: {
            background: 'var(--surface)',
            color: 'var(--ink)',
            border: '1px solid var(--line-strong)',
          },
          classNames: { description: 'text-ink-soft!' },
        }}
      />
    </QueryClientProvider>
  );
}
