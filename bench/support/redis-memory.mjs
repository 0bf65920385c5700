/**
 * Bytes of every key, all its elements counted, its name and its entry in the table of keys included.
 * @param {import('ioredis').Redis} client
 * @returns {Promise<Map<string, number>>}
 */
export async function bytesByKey(client) {
  const bytes = new Map();
  let cursor = '0';
  do {
    const [next, keys] = await client.scan(cursor, 'COUNT', 1_000);
    cursor = next;
    const sizes = await Promise.all(keys.map((key) => client.memory('USAGE', key, 'SAMPLES', 0)));
    keys.forEach((key, index) => bytes.set(key, sizes[index] ?? 0));
  } while (cursor !== '0');
  return bytes;
}
