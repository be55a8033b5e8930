import { Plus } from 'lucide-react';
import { type ComponentType, type ReactNode, useState } from 'react';
import { SectionHead } from '@/components/page-head';
import { Button } from '@/components/ui/button';

interface KeySectionProps<Issued> {
  id: string;
  title: string;
  lead?: ReactNode;
  form: ComponentType<{ onIssued: (key: Issued) => void; onCancel: () => void }>;
  shown: ComponentType<{ issued: Issued; onClose: () => void }>;
  children: ReactNode;
}

/** Keys of one kind: the list, and before it a form for a new one, or the key just made. */
export function KeySection<Issued>({
  id,
  title,
  lead,
  form: Form,
  shown: Shown,
  children,
}: KeySectionProps<Issued>) {
  const [isAsking, setIsAsking] = useState(false);
  const [issued, setIssued] = useState<Issued | null>(null);
  const show = (key: Issued | null) => {
    setIssued(key);
    setIsAsking(key === null);
  };
  return (
    <section aria-labelledby={id}>
      <SectionHead
        id={id}
        title={title}
        action={
          !isAsking && (
            <Button onClick={() => show(null)}>
              <Plus aria-hidden /> New key
            </Button>
          )
        }
      >
        {lead}
      </SectionHead>
      {isAsking && <Form onIssued={show} onCancel={() => setIsAsking(false)} />}
      {issued !== null && <Shown issued={issued} onClose={() => setIssued(null)} />}
      {children}
    </section>
  );
}
