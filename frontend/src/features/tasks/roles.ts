import {
  Bot,
  Compass,
  Cog,
  Hammer,
  ShieldCheck,
  SquarePen,
  UserRound,
  type LucideIcon,
} from 'lucide-react';
interface RoleLook {
  label: string;
  icon: LucideIcon;
}

const roles: Record<string, RoleLook> = {
  System: { label: 'Diono', icon: Cog },
  ProductManager: { label: 'Product manager', icon: SquarePen },
  Architect: { label: 'Architect', icon: Compass },
  Engineer: { label: 'Engineer', icon: Hammer },
  QA: { label: 'QA', icon: ShieldCheck },
  CodeAct: { label: 'Agent', icon: Bot },
};

/** How an agent looks; a second engineer is named `Engineer 2`, users' roles as they are. */
export function roleLook(role: string): RoleLook {
  const [, name = role, number = ''] = /^(.*?)( \d+)?$/.exec(role) ?? [];
  // Workflow files write `product_manager` where events say `ProductManager`.
  const plain = name.replaceAll('_', '').toLowerCase();
  const look = Object.entries(roles).find(([known]) => known.toLowerCase() === plain)?.[1];
  return look ? { ...look, label: look.label + number } : { label: role, icon: UserRound };
}

/** The name of an agent as the state reports it. */
export function agentLabel(name: string): string {
  return roleLook(name).label;
}
