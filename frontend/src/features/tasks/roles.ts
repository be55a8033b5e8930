import { Compass, Cog, Hammer, ShieldCheck, SquarePen, type LucideIcon } from 'lucide-react';
import type { AgentRole } from './task-view';

interface RoleLook {
  label: string;
  icon: LucideIcon;
}

const roles: Record<AgentRole, RoleLook> = {
  System: { label: 'Diono', icon: Cog },
  ProductManager: { label: 'Product manager', icon: SquarePen },
  Architect: { label: 'Architect', icon: Compass },
  Engineer: { label: 'Engineer', icon: Hammer },
  QA: { label: 'QA', icon: ShieldCheck },
};

export function roleLook(role: AgentRole): RoleLook {
  return Object.hasOwn(roles, role) ? roles[role] : { label: role, icon: Cog };
}

/** The name of an agent as the state reports it. */
export function agentLabel(name: string): string {
  const known = Object.entries(roles).find(([role]) => role === name);
  return known ? known[1].label : name;
}
