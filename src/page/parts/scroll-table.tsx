import type { ComponentChildren } from 'preact';

/** A column; figures stand to the right. */
export interface TableColumn {
  title: string;
  isNumber?: true;
}

interface Props {
  /** Id of the heading that names it. */
  labelledBy: string;
  columns: readonly TableColumn[];
  /** The rows. */
  children: ComponentChildren;
}

/** A table that is scrolled by itself where the window is narrow; the keyboard can reach and scroll it. */
export function ScrollTable({ labelledBy, columns, children }: Props) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-labelledby={labelledBy}>
      <table>
        <thead>
          <tr>
            {columns.map(({ title, isNumber }) => (
              <th key={title} scope="col" class={isNumber ? 'number' : ''}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
