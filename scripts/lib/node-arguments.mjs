/**
 * What commander is started with beside its NODE_OPTIONS, which refuse the second.
 * - `--enable-source-maps`: stacks in the log name TypeScript
 * - `--min-semi-space-size`, MiB: V8 shrinks the young generation of an idle process to 1 MiB and leaves it there; every
 *   hundredth command then met a collection (docs/adr/0031-young-generation-keeps-its-size.md)
 */
export const commanderNodeArguments = ['--enable-source-maps', '--min-semi-space-size=4'];
