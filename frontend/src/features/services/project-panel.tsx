import { SectionHead } from '@/components/page-head';
import { PlanList } from './plan-list';
import { ServiceList } from './service-list';
import { ShareBox } from './share-box';

/** What was built as a running program: run, watch, show to others. */
export function ProjectPanel({ projectId }: { projectId: string }) {
  return (
    <div className="mx-auto grid max-w-3xl grid-cols-1 gap-9 p-4 pt-6 pb-12 sm:p-6">
      <section aria-labelledby="project-plans">
        <SectionHead id="project-plans" title="Run it">
          Told from its files; packages are installed first.
        </SectionHead>
        <PlanList projectId={projectId} />
      </section>
      <section aria-labelledby="project-services">
        <SectionHead id="project-services" title="Services" />
        <ServiceList projectId={projectId} />
      </section>
      <section aria-labelledby="project-share">
        <SectionHead id="project-share" title="Share the preview">
          A link for people without an account, until it ends or you revoke it.
        </SectionHead>
        <ShareBox projectId={projectId} />
      </section>
    </div>
  );
}
