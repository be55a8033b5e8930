import { PageHead, SectionHead } from '@/components/page-head';
import { ApiKeyList } from '@/features/keys/api-key-list';
import { OpenAiAccess } from '@/features/keys/openai-access';

export function KeysPage() {
  return (
    <div className="mx-auto max-w-4xl px-4 pt-8 pb-16 sm:px-8 sm:pt-10">
      <PageHead title="API keys">
        For programs: any OpenAI client, such as Open WebUI, can use this machine’s models and its
        agent.
      </PageHead>
      <div className="grid grid-cols-1 gap-10">
        <ApiKeyList />
        <section aria-labelledby="openai-access">
          <SectionHead id="openai-access" title="How a client connects">
            The agent is the model diono/codeact; all models that are here can be asked too.
          </SectionHead>
          <OpenAiAccess />
        </section>
      </div>
    </div>
  );
}
