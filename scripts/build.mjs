// `npm run build`: always compiles, also when dist/ looks fresh.
import { build } from './lib/build.mjs';
import { runMain } from './lib/failure.mjs';
import { setUp } from './lib/set-up.mjs';

await runMain(() => setUp({ build }));
