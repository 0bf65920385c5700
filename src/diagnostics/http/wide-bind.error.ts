/** Refused: listening beyond loopback without a token shows the insides of the process to whoever can reach it. */
export class WideBindError extends Error {
  override readonly name = 'WideBindError';
  readonly code = 'INSECURE_BIND';

  /** @param address where it would have listened */
  constructor(address: string) {
    super(
      `diagnostics on ${address} would be open to other hosts: expected a loopback address, or a token, or insecure: true`,
    );
  }
}
