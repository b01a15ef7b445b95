/** What is sent over sockets: commands that are nearly right, packets of socket.io and frames that are broken. */
import type { z } from 'zod';
import type { Luck } from './luck.ts';
import { anything, type Known, near } from './near.ts';

/** A frame: text, binary, or bytes that are written past the library. */
export type Frame = { readonly text: string } | { readonly binary: Buffer } | { readonly bytes: Buffer };
export type SocketInput = { readonly kind: string; readonly frame: Frame };

export type Place = {
  readonly namespace: '/buyer' | '/agent';
  readonly commands: Readonly<Record<string, { readonly data: z.ZodType }>>;
  readonly known: Known;
};

const text = (value: string): Frame => ({ text: value });

/** As the other side would write it; what JSON cannot say becomes `null`. */
const event = (place: Place, id: number | '', args: readonly unknown[]) =>
  text(`42${place.namespace},${id}${JSON.stringify(args)}`);

function brokenPacket({ namespace }: Place, luck: Luck): string {
  return luck.pick([
    `4${luck.int(0, 9)}`,
    `4${luck.int(0, 9)}${namespace},`,
    `42${namespace},${luck.pick(['1', '', '99999999999999999999', '-1', '1.5'])}${luck.pick(['[', '[]', '{}', '"x"', 'null', '[1', '["x",'])}`,
    `42${luck.pick(['/', '/nothing', '/buyer/x', '/%00', `/${'n'.repeat(500)}`, '/__proto__'])},1["chat:open",{}]`,
    `40${luck.pick(['/', '/nothing', '/agent', '/buyer', '/toString'])},${luck.pick(['', '{}', '{"token":1}', '{"token":"a.b.c"}', '[]', '{'])}`,
    `43${namespace},${luck.int(0, 1_000)}${luck.pick(['[]', '[{"ok":true}]', 'x', ''])}`,
    `44${namespace},{"message":"no"}`,
    `45${luck.pick(['1', '2', '0', '-1', '11', '9999999', 'x', ''])}-${namespace},["message:send",{"_placeholder":true,"num":${luck.pick(['0', '1', '-1', '1e9', '"x"'])}}]`,
    `46${luck.int(0, 3)}-${namespace},1[{"_placeholder":true,"num":0}]`,
    luck.pick(['', '0', '1', '2', '2probe', '3', '5', '6', '7', 'b', 'bAAAA', 'b////', '\u0000', '9'.repeat(1_000)]),
    `4${'2'.repeat(luck.int(1, 2_000))}`,
    `42${namespace},1["${luck.pick(['connect', 'disconnect', 'connect_error', 'newListener', 'error', '__proto__', 'constructor'])}",{}]`,
    `42${namespace},1[${luck.int(0, 9)},{}]`,
    `42${namespace},1["chat:open",${'['.repeat(luck.int(1, 5_000))}`,
    `42${namespace},1["message:list",{"conversation":"x","limit":${luck.pick(['1e400', '-0', '00', '1e2', '0x10'])}}]`,
  ]);
}

/** A websocket frame by hand, with the mask 0: opcode, flags and lengths that nobody should send. */
function brokenFrame(luck: Luck): Buffer {
  const payload = Buffer.from(
    luck.pick(['', '2', '42/buyer,1["chat:open",{}]', '\xff\xfe', 'x'.repeat(125)]),
    'latin1',
  );
  const first = luck.pick([0x81, 0xc1, 0xa1, 0x91, 0x83, 0x8b, 0x80, 0x01, 0x88, 0x89, 0x8a, 0x09, luck.int(0, 255)]);
  const length = luck.pick([payload.length, payload.length, 0, 125, luck.int(0, 125)]);
  const masked = luck.chance(0.9) ? 0x80 : 0;
  return Buffer.concat([Buffer.from([first, masked | length, 0, 0, 0, 0]), payload]);
}

/** One input; `id` is the number of its acknowledgement, where it has one. */
export function socketInput(place: Place, luck: Luck, id: number): SocketInput {
  const names = Object.keys(place.commands);
  const kind = luck.weighted({ command: 70, name: 4, arguments: 4, silent: 4, binary: 4, packet: 11, frame: 3 });
  const name = luck.pick(names);
  const schema = place.commands[name]?.data;
  const data = schema ? near(schema, luck, place.known) : {};
  const frame = ((): Frame => {
    switch (kind) {
      case 'command':
        return event(place, id, [name, data]);
      case 'name':
        return event(place, id, [
          luck.pick([...names.map((one) => `${one}x`), 'toString', '', 'x'.repeat(5_000)]),
          data,
        ]);
      case 'arguments':
        return event(place, id, [name, ...Array.from({ length: luck.pick([0, 2, 3, 50]) }, () => anything(luck))]);
      case 'silent':
        return event(place, '', [name, data]);
      case 'binary':
        return luck.chance(0.5)
          ? { binary: Buffer.alloc(luck.int(0, 2_000), 7) }
          : text(`451-${place.namespace},${id}${JSON.stringify([name, { _placeholder: true, num: 0 }])}`);
      case 'packet':
        return text(brokenPacket(place, luck));
      case 'frame':
        return { bytes: brokenFrame(luck) };
    }
  })();
  return { kind, frame };
}
