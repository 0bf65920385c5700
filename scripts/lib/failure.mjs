/** Something the person at the keyboard can act on: shown as its message alone, without a stack. */
export class Failure extends Error {
  name = 'Failure';
}

/** Runs a script's main function; a {@link Failure} becomes one message and exit code 1. */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Failure ? `commander: ${error.message}` : error);
    process.exit(1);
  }
}

/** One line about what the script does now. */
export function say(line) {
  console.log(`commander: ${line}`);
}
