const FACTORS: Record<string, number> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/**
 * A Kubernetes quantity as a number: '192Mi' → bytes, '100m' → cores.
 * @throws Error on anything else.
 */
export function quantity(text: string | number): number {
  const match = /^(\d+(?:\.\d+)?)([mkMGT]|[KMGT]i)?$/.exec(String(text));
  if (match === null) throw new Error(`not a quantity: ${String(text)}`);
  return Number(match[1]) * FACTORS[match[2] ?? '']!;
}
