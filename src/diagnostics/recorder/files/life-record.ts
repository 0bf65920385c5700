import { z } from 'zod';
import { replyInstantSchema } from '../../../contract/common.schema.js';
import { historySampleSchema } from '../../../contract/recorder.schema.js';
import { verdictSchema } from '../../../contract/verdict.schema.js';

/** Whose file it is; the first line of each. */
export const lifeHeaderSchema = z.object({
  id: z.string(),
  instance: z.string(),
  pid: z.int(),
  startedAt: replyInstantSchema,
  /** Which process of which machine start; see process-identity.ts. */
  identity: z.string().nullable(),
});

/** A line of a life's file. */
export const lifeRecordSchema = z.union([
  z.object({ life: lifeHeaderSchema }),
  z.object({
    sample: historySampleSchema,
    /** The memory limit was close at that moment. */
    isNearLimit: z.boolean(),
    /** Those that were growing or leaking. */
    verdicts: z.array(verdictSchema),
  }),
  /** It shut down in an orderly way. */
  z.object({ stoppedAt: replyInstantSchema }),
  /** Node ended by itself, with this code. */
  z.object({ exitedAt: replyInstantSchema, exitCode: z.int() }),
]);

export type LifeHeader = z.output<typeof lifeHeaderSchema>;
export type LifeRecord = z.output<typeof lifeRecordSchema>;
