import { countText } from '../../contract/amount-text.js';

/** `+12`, `−3`, `0` */
export function change(value: number): string {
  return value === 0 ? '0' : `${value > 0 ? '+' : '−'}${countText(Math.abs(value))}`;
}

/** `14:05:09`, with the date when it is not today */
export function clock(at: number, now = Date.now()): string {
  const then = new Date(at);
  const time = then.toLocaleTimeString('en-GB');
  return then.toDateString() === new Date(now).toDateString() ? time : `${then.toLocaleDateString('en-CA')} ${time}`;
}
