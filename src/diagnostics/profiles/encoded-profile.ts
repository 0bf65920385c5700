import { PprofBuilder } from './pprof-builder.js';
import type { ProfileData } from './profile.js';

/** The profile as a gzipped pprof file. */
export function encodedProfile(profile: ProfileData): Promise<Buffer> {
  const builder = new PprofBuilder(profile);
  for (const { stack, values, labels } of profile.entries) builder.add(stack, values, labels);
  return builder.encode();
}
