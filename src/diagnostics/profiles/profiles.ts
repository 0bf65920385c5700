import { uncounted } from '../../ledger/uncounted.js';
import type { HeapLease } from '../heap/heap-lease.js';
import type { EndpointAnswer } from '../http/endpoint.js';
import { cpuProfile } from './cpu.profile.js';
import { encodedProfile } from './encoded-profile.js';
import { handlesDelta, handlesProfile } from './handles.profile.js';
import { heapDelta, heapProfile } from './heap.profile.js';
import { profileText } from './profile-text.js';
import type { ProfileData } from './profile.js';

/** How a profile is wanted. */
export interface ProfileWish {
  /** What changes within so many seconds, instead of what is there. */
  readonly seconds?: number | undefined;
  readonly asText?: boolean;
  readonly signal: AbortSignal;
}

/** Answers with profiles; behind our own paths and behind Go's. */
export class Profiles {
  constructor(private readonly lease: HeapLease) {}

  async handles({ seconds, asText, signal }: ProfileWish): Promise<EndpointAnswer> {
    const profile = await (seconds === undefined ? handlesProfile() : handlesDelta(() => pause(seconds, signal)));
    return answer(profile, asText);
  }

  async heap({ seconds, asText, signal }: ProfileWish): Promise<EndpointAnswer> {
    const { lease } = this;
    const profile = await (seconds === undefined ? heapProfile(lease) : heapDelta(lease, () => pause(seconds, signal)));
    return answer(profile, asText);
  }

  async cpu({ seconds, asText, signal }: ProfileWish & { readonly seconds: number }): Promise<EndpointAnswer> {
    return answer(await cpuProfile(() => pause(seconds, signal)), asText);
  }
}

function pause(seconds: number, signal: AbortSignal): Promise<void> {
  return uncounted.sleep(seconds * 1_000, signal);
}

async function answer(profile: ProfileData, asText = false): Promise<EndpointAnswer> {
  if (asText) return { type: 'text/plain; charset=utf-8', body: profileText(profile) };
  return {
    type: 'application/octet-stream',
    body: await encodedProfile(profile),
    headers: { 'Content-Disposition': `attachment; filename="${profile.name}.pb.gz"` },
  };
}
