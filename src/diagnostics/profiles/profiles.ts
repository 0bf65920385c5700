import { uncounted } from '../../ledger/uncounted.js';
import type { HeapLease } from '../heap/heap-lease.js';
import type { EndpointAnswer } from '../http/endpoint.js';
import { cpuProfile } from './cpu.profile.js';
import { encodedProfile } from './encoded-profile.js';
import { handlesDelta, handlesFile, handlesProfile } from './handles.profile.js';
import { heapDelta, heapProfile } from './heap.profile.js';
import { profileText } from './profile-text.js';
import type { ProfileData } from './profile.js';
import type { WrittenGroups } from './written-groups.js';

/** How a profile is wanted. */
export interface ProfileWish {
  /** What changes within so many seconds, instead of what is there. */
  readonly seconds?: number | undefined;
  readonly asText?: boolean;
  readonly signal: AbortSignal;
}

/** Answers with profiles; behind our own paths and behind Go's. */
export class Profiles {
  constructor(
    private readonly lease: HeapLease,
    private readonly written: WrittenGroups,
  ) {}

  async handles({ seconds, asText, signal }: ProfileWish): Promise<EndpointAnswer> {
    if (seconds === undefined && asText !== true) return file('handles', await handlesFile(this.written));
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
  return file(profile.name, await encodedProfile(profile));
}

function file(name: string, body: Buffer): EndpointAnswer {
  return {
    type: 'application/octet-stream',
    body,
    headers: { 'Content-Disposition': `attachment; filename="${name}.pb.gz"` },
  };
}
