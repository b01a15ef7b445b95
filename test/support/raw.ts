/** Connections that no client library would make: bytes as they go over the wire. */
import { once } from 'node:events';
import { connect, type Socket as TcpSocket } from 'node:net';
import { WebSocket } from 'ws';

export type RawConnection = {
  readonly socket: TcpSocket;
  /** What has come back so far. */
  heard(): string;
  /** Resolves when the other side has ended it, with everything that came back. */
  readonly ended: Promise<string>;
};

/** A connection over which `bytes` are sent, and nothing else. */
export function rawConnection(port: number, bytes: string | Buffer = ''): RawConnection {
  let heard = '';
  const socket = connect(port, '127.0.0.1');
  socket.on('data', (chunk) => {
    heard += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  const ended = once(socket, 'close').then(
    () => heard,
    () => heard,
  );
  // A side that is ended politely ends as well.
  socket.on('end', () => socket.destroy());
  if (bytes.length > 0) socket.write(bytes);
  return { socket, heard: () => heard, ended };
}

export type RawSocket = {
  readonly websocket: WebSocket;
  readonly heard: string[];
  /** Resolves when something was heard that begins with `start`, or nothing will be heard any more. */
  hears(start: string): Promise<string | undefined>;
  readonly ended: Promise<number>;
};

/** A websocket to socket.io that says nothing of itself but the answers to heartbeats, which `ws` does not give. */
export async function rawSocket(url: string, query = '', options: object = {}): Promise<RawSocket> {
  const address = `${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket${query}`;
  const websocket = new WebSocket(address, options);
  const heard: string[] = [];
  let closed = false;
  const waiting = new Set<() => void>();
  const look = () => {
    for (const one of waiting) one();
  };
  websocket.on('message', (data) => {
    const text = data.toString();
    if (text === '2') websocket.send('3');
    else heard.push(text);
    look();
  });
  const ended = new Promise<number>((resolve) => {
    websocket.once('close', (code) => {
      closed = true;
      look();
      resolve(code);
    });
  });
  websocket.on('error', () => {});
  const opened = once(websocket, 'open').catch(() => undefined);
  await Promise.race([opened, ended]);
  return {
    websocket,
    heard,
    ended,
    hears: (start) =>
      new Promise((resolve) => {
        const check = () => {
          const found = heard.find((text) => text.startsWith(start));
          if (found === undefined && !closed) return;
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
      }),
  };
}

/** A raw websocket that has joined a namespace with a good token. */
export async function joinedSocket(url: string, namespace: '/buyer' | '/agent', token: string): Promise<RawSocket> {
  const socket = await rawSocket(url);
  socket.websocket.send(`40${namespace},${JSON.stringify({ token })}`);
  const answer = await socket.hears(`4`);
  if (!answer?.startsWith(`40${namespace}`)) throw new Error(`joining ${namespace} was answered ${answer}`);
  return socket;
}
