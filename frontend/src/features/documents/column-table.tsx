import type { ColumnProfile } from '@/api/types';
import { CellTable } from '@/components/cell-table';

/** What each column holds: its type, gaps and range. */
export function ColumnTable({ columns }: { columns: readonly ColumnProfile[] }) {
  return (
    <CellTable
      label="Columns"
      columns={['Column', 'Type', 'Missing', 'Distinct', 'From', 'To', 'Mean']}
      rows={columns.map((column) => [
        column.letter ? `${column.name} (${column.letter})` : column.name,
        column.unclean ? `${column.type}, ${column.unclean} not so` : column.type,
        column.missing ?? 0,
        column.distinct ?? 0,
        column.minimum ?? null,
        column.maximum ?? null,
        column.mean ?? null,
      ])}
    />
  );
}
