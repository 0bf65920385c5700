/** Folders whose suites fail when something they opened outlives them. They run the built service, so the check is built, too. */
const CHECKED = /[\\/]test[\\/](?:e2e|lifecycle|transport|sdk|agents|health)[\\/]/;

if (CHECKED.test(expect.getState().testPath ?? '')) jest.requireActual('mu-commander/jest/setup');
