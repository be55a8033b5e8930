import type { Role } from '@/api/types';

export const roleChoices: { role: Role; label: string }[] = [
  { role: 'developer', label: 'Developer' },
  { role: 'viewer', label: 'Viewer' },
  { role: 'admin', label: 'Admin' },
];

export function roleOf(text: string): Role {
  return roleChoices.find(({ role }) => role === text)?.role ?? 'viewer';
}
