/**
 * How every process of a benchmark is started. V8 shrinks the young generation of a process that idles to 1 MiB; who has
 * idled while others were measured would begin with that, and what is seen of it, or what it sees, would tell that.
 * Commander keeps 4 MiB wherever it is started (docs/adr/0031-young-generation-keeps-its-size.md).
 */
export const benchNodeArguments = ['--min-semi-space-size=4'];
