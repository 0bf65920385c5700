import { checkLeaks } from './index.js';

// `setupFilesAfterEnv: ['mu-commander/jest/setup']`: every test file is checked.
checkLeaks();
