import { networkInterfaces } from 'node:os';

/** An address of this machine that is not loopback, to be a peer from elsewhere; undefined where there is no network. */
export const outsideAddress = Object.values(networkInterfaces())
  .flat()
  .find((address) => address !== undefined && !address.internal && address.family === 'IPv4')?.address;

if (outsideAddress === undefined) {
  console.warn('SKIPPED: this machine has no address besides loopback, so no peer from elsewhere can be played.');
}
