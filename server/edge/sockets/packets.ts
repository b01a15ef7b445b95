/** How packets are written: as socket.io does, but what is larger than any command is answered without being read. */
import { Decoder, Encoder } from 'socket.io-parser';

/** Far more than any command of the contract needs; the SDK sends no more than 64 kB. In characters. */
const LARGEST = 256 * 1024;

/** Stands for the data of a packet that was not read. */
export const UNREAD = 'larger than 256 kB, and not read';

/** How an event begins: namespace, number of its acknowledgement, name. */
const event = /^2(\/[^,]{1,100},)?(\d{0,15})\[(?:"([\w:-]{1,64})")?/;

/** The same event with `UNREAD` for its data. Throws for any other packet: none of ours is that large. */
function shortened(packet: string): string {
  const found = event.exec(packet.slice(0, 300));
  if (!found) throw new Error('a packet that is too large');
  const [, namespace = '', acknowledgement = '', name = 'unread'] = found;
  return `2${namespace}${acknowledgement}${JSON.stringify([name, UNREAD])}`;
}

/**
 * To parse megabytes of JSON holds everybody up, and makes of each byte many: a packet that could not be right is answered
 * `invalid` unseen.
 */
class BoundedDecoder extends Decoder {
  override add(packet: unknown): void {
    super.add(typeof packet === 'string' && packet.length > LARGEST ? shortened(packet) : packet);
  }
}

export const packetParser = { Encoder, Decoder: BoundedDecoder };
