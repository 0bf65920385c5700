import { uncounted } from '../../ledger/uncounted.js';
import { bytesOf } from './protobuf-text.js';

/** So much text is put together before bytes are made of it: V8 keeps joined texts as trees, and a large one survives collections. */
const CHUNK_LENGTH = 4_096;

/** Bytes that come as texts, one character (0 … 255) for each. */
export class TextBytes {
  private readonly chunks: Buffer[] = [];
  private text = '';

  add(text: string): void {
    this.text += text;
    if (this.text.length >= CHUNK_LENGTH) this.settle();
  }

  /** All of them so far. */
  take(): readonly Buffer[] {
    if (this.text !== '') this.settle();
    return this.chunks;
  }

  private settle(): void {
    // Some are kept from profile to profile: they are ours, and no Buffers of the application.
    this.chunks.push(uncounted.quietly(() => bytesOf(this.text)));
    this.text = '';
  }
}
