/**
 * Two sides find out what they know differently without saying all of it. Facts are dealt into parts by their key; of each
 * part a number is said. Only parts whose numbers differ are told in full. No check against an enemy: each side compares
 * what it knows with what is its own.
 */

/** Of how many conversations a buyer's client says at once what it has. */
export const MAX_KNOWN = 50;

/** Facts by what they are about; keys and texts have no line breaks. */
export type Facts = ReadonlyMap<string, string>;

/** The most parts there are. */
export const MAX_PARTS = 256;
/** Facts in a part, as long as there are not too many for it. */
const IN_A_PART = 8;

/** FNV-1a of the UTF-16 units of a text, 32 bits. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** The part, 0 to `parts` - 1, to which a key belongs. */
export const partOf = (key: string, parts: number) => hashOf(key) % parts;

/** Into how many parts this many facts are dealt. */
export const partsFor = (facts: number) => Math.min(MAX_PARTS, Math.ceil(facts / IN_A_PART));

/** A number for each part: the hash of its facts, each as `<key>=<text>`, sorted and joined by line breaks. */
export function digestsOf(facts: Facts, parts = partsFor(facts.size)): number[] {
  const dealt: string[][] = Array.from({ length: parts }, () => []);
  for (const [key, text] of facts) dealt[partOf(key, parts)]?.push(`${key}=${text}`);
  return dealt.map((lines) => hashOf(lines.sort().join('\n')));
}

/** What of a conversation has to be the same on both sides: its last message, its assignment, how far the buyer has seen it. */
export const heldFact = (held: { lastSeq: number; assignment?: string | undefined; seen: number }) =>
  `${held.lastSeq}:${held.assignment ?? ''}:${held.seen}`;

/** What of a buyer's chat has to be the same on both sides: who has it, and the place in the queue; not the estimate. */
export const chatDigest = (chat: {
  conversation: { id: string; state: string; agent?: string | undefined };
  queue?: { position: number } | undefined;
}) => hashOf([chat.conversation.id, chat.conversation.state, chat.conversation.agent, chat.queue?.position].join(':'));
