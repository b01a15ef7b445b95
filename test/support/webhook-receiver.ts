/** A robot over HTTP on loopback: keeps what it was sent, and answers as a test has it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebhookAnswer, type WebhookEvent, webhookEvent } from '../../client-sdk/contract/index.ts';

export type Received = {
  /** As it came. */
  readonly body: string;
  /** Parsed by the contract, which must take it. */
  readonly event: WebhookEvent;
  readonly id: string;
  readonly timestamp: string;
  readonly signature: string;
};

/** What it answers: a status, or what a webhook may answer, with 200; '' for nothing. */
export type Reaction = (received: Received) => number | '' | Partial<WebhookAnswer>;

export type Receiver = {
  readonly url: string;
  readonly received: Received[];
  react: Reaction;
  close(): Promise<void>;
};

export async function startReceiver(react: Reaction = () => ''): Promise<Receiver> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const header = (name: string) => String(request.headers[name]);
    const item: Received = {
      body,
      event: webhookEvent.parse(JSON.parse(body)),
      id: header('fenliu-delivery'),
      timestamp: header('fenliu-timestamp'),
      signature: header('fenliu-signature'),
    };
    receiver.received.push(item);
    const answer = receiver.react(item);
    if (typeof answer === 'number') response.writeHead(answer).end('nobody reads this');
    else response.end(answer === '' ? '' : JSON.stringify(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/fenliu`,
    received: [],
    react,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return receiver;
}
