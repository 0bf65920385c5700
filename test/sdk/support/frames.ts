import { StringDecoder } from 'node:string_decoder';

/** One frame as Nest writes it: length in UTF-16 code units, '#', JSON. */
export function frameOf(packet: unknown): string {
  const json = JSON.stringify(packet);
  return `${json.length}#${json}`;
}

/** Takes chunks of a TCP stream and gives back the packets that they complete. Written from the format, not from Nest's code. */
export class FrameReader {
  private readonly decoder = new StringDecoder('utf8');
  private text = '';

  read(chunk: Buffer): any[] {
    this.text += this.decoder.write(chunk);
    const packets: any[] = [];
    for (;;) {
      const hash = this.text.indexOf('#');
      if (hash === -1) return packets;
      const length = Number(this.text.slice(0, hash));
      if (this.text.length < hash + 1 + length) return packets;
      packets.push(JSON.parse(this.text.slice(hash + 1, hash + 1 + length)));
      this.text = this.text.slice(hash + 1 + length);
    }
  }
}
