/** What is wrong where Redis says WRONGTYPE. */
export const NO_HASH = 'its key is no hash';

/** What Redis answers about a hash, or something else where the key holds no hash. */
export async function unlessNoHash<Reply, Instead>(reply: Promise<Reply>, instead: Instead): Promise<Reply | Instead> {
  try {
    return await reply;
  } catch (error) {
    if (/^WRONGTYPE\b/.test((error as Error).message)) return instead;
    throw error;
  }
}
