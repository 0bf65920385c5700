import { settings } from '../../src/config/settings';

/** Tests say what they set; what the shell that runs them happens to set must not reach the programs they start. */
export default function withoutSettings(): void {
  for (const { env } of Object.values(settings)) delete process.env[env];
}
