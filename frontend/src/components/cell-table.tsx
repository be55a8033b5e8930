import { cn } from '@/lib/cn';
import { formatNumber } from '@/lib/format';

export type CellValue = string | number | boolean | null;

interface Placed<T> {
  key: string;
  value: T;
}

/** Rows and cells have no names of their own: their places are their keys. */
function placed<T>(values: readonly T[]): Placed<T>[] {
  return values.map((value, at) => ({ key: String(at), value }));
}

function shown(value: CellValue): string {
  if (value === null) return '';
  if (typeof value === 'number') return formatNumber(value);
  return String(value);
}

interface CellTableProps {
  label: string;
  columns: readonly string[];
  rows: readonly (readonly CellValue[])[];
}

/** Values as they are: text, never markup. */
export function CellTable({ label, columns, rows }: CellTableProps) {
  return (
    <div
      className="max-h-[32rem] overflow-auto rounded-xl border border-line bg-surface"
      role="region"
      aria-label={label}
      // A region that scrolls must be reachable by keyboard.
      tabIndex={0}
    >
      <table className="w-full border-collapse text-[0.87rem]">
        <thead>
          <tr>
            {placed(columns).map(({ key, value: column }) => (
              <th
                key={key}
                scope="col"
                className={cn(
                  'sticky top-0 border-b border-line bg-sunken px-3 py-2 text-left font-medium whitespace-nowrap',
                  typeof rows[0]?.[Number(key)] === 'number' && 'text-right',
                )}
              >
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {placed(rows).map(({ key, value: row }) => (
            <tr key={key} className="border-b border-line last:border-0">
              {placed(row).map(({ key: cell, value }) => (
                <td
                  key={cell}
                  className={
                    typeof value === 'number'
                      ? 'px-3 py-1.5 text-right tabular-nums'
                      : 'max-w-96 truncate px-3 py-1.5'
                  }
                >
                  {shown(value)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
