import { describe, expect, it } from 'vitest';
import { writeProfile } from '../../server/store/buyers.ts';
import { convert } from '../../server/store/conversions.ts';
import { beginErasing, eraseNewest, eraseTraces, readErasure } from '../../server/store/erasing.ts';
import { noteOn } from '../../server/store/message.ts';
import { close, transfer } from '../../server/store/moves.ts';
import { finishEvents, followEvents, takeEvents } from '../../server/store/outbox.ts';
import { event, NOON, type Stage, useStages } from '../support/stage.ts';

const stageOf = useStages();

/** What is left in the stream, without presences and configurations. */
async function left(stage: Stage): Promise<string[]> {
  const { keys } = await stage.scope();
  return (await stage.redis.xrange(keys.events, '-', '+')).flatMap(([, fields]) => {
    const about = Object.fromEntries(fields.flatMap((name, i) => (i % 2 === 0 ? [[name, fields[i + 1]]] : [])));
    const { type, buyer = '', conversation = '' } = about;
    return type === 'presence' || type === 'configured' ? [] : [`${type} ${buyer} ${conversation}`.trimEnd()];
  });
}

/** x and y have done everything of which there is an event. */
async function busy(): Promise<Stage> {
  const stage = await stageOf({ agents: { A: {}, x: {} } });
  await stage.be('online', 'A', 'x'); // an agent who is called like the buyer
  const scope = await stage.scope();
  const windows = (await stage.config()).settings.contactWindows;
  for (const buyer of ['x', 'y']) {
    await writeProfile(scope, buyer, { crowds: ['vip'] }, NOON);
    const { conversation } = await stage.open(buyer);
    const place = { conversation: conversation.id, buyer };
    await stage.say('buyer', buyer);
    await stage.say('holder', buyer);
    const to = { kind: 'agent', id: conversation.agent === 'A' ? 'x' : 'A' } as const;
    await transfer(scope, { now: NOON, place, by: '', to, windows, request: 't' });
    await convert(scope, { buyer, order: `o-${buyer}`, warmMs: windows.warmMs, request: 'r' }, NOON);
    const rating = { what: 'rated', score: 5, comment: 'good' } as const;
    await noteOn(scope, { now: NOON, conversation: place.conversation, by: { kind: 'buyer', id: buyer }, ...rating });
    await close(scope, place, { kind: 'buyer', id: buyer }, NOON);
  }
  return stage;
}

async function erase(stage: Stage, request = 'one', conversations = ['c-x', '']): Promise<void> {
  const scope = await stage.scope();
  await beginErasing(scope, 'x', { by: { kind: 'admin' }, request }, NOON);
  for (const conversation of conversations) {
    await eraseNewest(scope, { conversation, buyer: 'x' }, { fingerprint: 'print' }, NOON);
  }
}

const ofY = [
  'profile y',
  'assigned y c-y',
  'message  c-y',
  'message  c-y',
  'transferred  c-y',
  'converted y',
  'rated  c-y',
];

describe('the traces of a buyer in the event stream', () => {
  it('are taken out, whatever happened; everybody else’s stay, and an agent’s of the same name', async () => {
    const stage = await busy();
    const agents = async () =>
      (await stage.redis.xrange((await stage.scope()).keys.events, '-', '+')).filter(([, f]) => f.includes('presence'));
    const before = await agents();
    await erase(stage);
    expect(await eraseTraces(await stage.scope(), 'x', 500)).toBe('done');
    expect(await left(stage)).toEqual([...ofY, 'closed  c-y', 'erased']);
    expect(await agents()).toEqual(before);
    expect((await readErasure(await stage.scope(), 'x'))?.events).toHaveLength(4); // assigned, two messages, transferred
  });

  it('go a page at a time, and whoever comes next goes on; done again there is nothing to do', async () => {
    const stage = await busy();
    await erase(stage);
    const scope = await stage.scope();
    let pages = 1;
    while ((await eraseTraces(scope, 'x', 3)) === 'more') pages++;
    expect(pages).toBeGreaterThan(4);
    expect(await left(stage)).toEqual([...ofY, 'closed  c-y', 'erased']);
    expect(await stage.unchanged(() => eraseTraces(scope, 'x', 3))).toBe('done');
  });

  it('of conversations that nothing else names any more are found by the event that began them', async () => {
    const stage = await busy();
    const { keys } = await stage.scope();
    await erase(stage);
    // As if an earlier release had removed it without a record.
    await stage.redis.hdel(`${keys.base}erasure:x`, 'c:c-x');
    await eraseTraces(await stage.scope(), 'x', 500);
    expect(await left(stage)).toEqual([...ofY, 'closed  c-y', 'erased']);
    expect((await readErasure(await stage.scope(), 'x'))?.conversations).toEqual(new Set(['c-x']));
  });

  it('that a reader is working on wait for it', async () => {
    const stage = await busy();
    await followEvents(await stage.scope(), true);
    await stage.open('x', { conversation: 'last' });
    await stage.open('y', { conversation: 'next' });
    const taken = await takeEvents(stage.redis, stage.shop, { count: 10, staleMs: 60_000 });
    await erase(stage, 'one', ['last', 'c-x', '']);
    const scope = await stage.scope();
    expect(await eraseTraces(scope, 'x', 500)).toBe('waits');
    expect(await left(stage)).toEqual([...ofY, 'closed  c-y', 'assigned x last', 'assigned y next', 'erased']);
    expect(await stage.unchanged(() => eraseTraces(scope, 'x', 500))).toBe('waits');
    await finishEvents(stage.redis, stage.shop, taken ?? []);
    expect(await eraseTraces(scope, 'x', 500)).toBe('done');
    expect(await left(stage)).toEqual([...ofY, 'closed  c-y', 'assigned y next', 'erased']);
  });

  it('of who has come back are somebody else’s', async () => {
    const stage = await busy();
    await erase(stage);
    await stage.open('x', { conversation: 'new' });
    expect(await eraseTraces(await stage.scope(), 'x', 500)).toBe('done');
    expect(await left(stage)).toEqual([...ofY, 'closed  c-y', 'erased', 'assigned x new']);
    expect(await stage.effect(() => stage.say('buyer', 'x'))).toMatchObject({
      events: [event('message', { conversation: 'new', seq: '1', from: 'buyer', by: 'x' })],
    });
    // … and erased once more, these go too.
    await erase(stage, 'two', ['new', '']);
    expect(await eraseTraces(await stage.scope(), 'x', 500)).toBe('done');
    expect(await left(stage)).toEqual([...ofY, 'closed  c-y', 'erased', 'erased']);
  });

  it('of who is still there, or is not being erased, stay', async () => {
    const stage = await busy();
    const scope = await stage.scope();
    expect(await stage.unchanged(() => eraseTraces(scope, 'x', 500))).toBe('done');
    await erase(stage, 'one', ['c-x']);
    expect(await stage.unchanged(() => eraseTraces(scope, 'x', 500))).toBe('done');
  });
});
