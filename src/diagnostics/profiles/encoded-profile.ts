import { PprofBuilder } from './pprof-builder.js';
import type { ProfileData } from './profile.js';

/** The profile as a gzipped pprof file. */
export function encodedProfile(profile: ProfileData): Promise<Buffer> {
  const builder = new PprofBuilder(profile);
  const { entries } = profile;
  // Counted: there may be thousands, and none of this is compiled yet.
  for (let at = 0; at < entries.length; at++) {
    const { stack, values, labels } = entries[at]!;
    builder.add(stack, values, labels);
  }
  return builder.encode();
}
