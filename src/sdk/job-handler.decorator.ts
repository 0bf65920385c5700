import { SetMetadata } from '@nestjs/common';
import { idSchema } from '../contract/common.schema.js';
import type { JobHandlerFunction } from './job-context.js';

/** Metadata key under which {@link JobHandler} keeps the job name. */
export const JOB_HANDLER = 'mu-commander:job-handler';

/**
 * Marks a provider method as the handler of a job name. It is called with `(payload, context: JobContext)`; the JSON
 * value that it returns is the run's result, what it throws is the failure of the attempt (see `JobFailure`).
 * @throws TypeError when the name is none that a job can have
 */
export function JobHandler(jobName: string) {
  if (!idSchema.safeParse(jobName).success) {
    throw new TypeError(
      `@JobHandler(${JSON.stringify(jobName)}): a job name has 1–128 letters, digits, ".", "_", "-" or "@" and starts with a letter or digit`,
    );
  }
  return <Handler extends JobHandlerFunction>(
    target: object,
    property: string | symbol,
    descriptor: TypedPropertyDescriptor<Handler>,
  ): void => {
    SetMetadata(JOB_HANDLER, jobName)(target, property, descriptor);
  };
}
