/** Writes all of it. A reader that has gone (`| head`) is no error. @throws Error of a full disk and the like */
export async function writeText(stream: NodeJS.WriteStream, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const settle = (error?: NodeJS.ErrnoException | null): void => {
      if (error && error.code !== 'EPIPE') reject(new Error(`cannot write: ${error.message}`));
      else resolve();
    };
    // The failure also comes as an event, perhaps later; without a listener that would end the process.
    if (stream.listenerCount('error') === 0) stream.on('error', () => undefined);
    stream.write(text, settle);
  });
}
