/** The library that the installed test puts into its projects by hand. */
declare module 'ticker' {
  export class Ticker {
    readonly timer: object;
  }
}
