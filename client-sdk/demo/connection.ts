/** How a panel shows that its connection has gone, and keeps its client speaking the language of the page. */

import type { ConnectionRefused, ConnectionStatus } from '../channel.ts';
import type { CommandError } from '../command-error.ts';
import type { Language } from '../contract/index.ts';
import { pageTexts } from '../texts.ts';
import { language, onLanguage } from './language.ts';
import type { Notice } from './notice.ts';

/** Options of a client of this page's server; it reads the language anew with every connection. */
export function clientOptions(getToken: (refused?: string) => Promise<string>) {
  return {
    url: location.origin,
    getToken,
    get language(): Language {
      return language();
    },
  };
}

type Connected = {
  connect(): Promise<void>;
  disconnect(): void;
  on(name: 'status', listener: (status: ConnectionStatus) => void): unknown;
  on(name: 'refused', listener: (refused: ConnectionRefused) => void): unknown;
};

export type ConnectionParts = {
  readonly notice: Notice;
  onStatus?(connected: boolean): void;
  /** The server does not take this token any more. */
  onEnded(error: CommandError): void;
};

/** Connects, says when the connection is lost and for how long, and answers how to end it. */
export function holdConnection(client: Connected, { notice, onStatus, onEnded }: ConnectionParts): () => void {
  let ending = false;
  client.on('status', ({ connected }) => {
    if (ending) return;
    if (connected) notice.clear();
    else notice.say(pageTexts.connectionLost);
    onStatus?.(connected);
  });
  client.on('refused', ({ error, final }) => {
    if (final && !ending) onEnded(error);
  });
  const begin = () => client.connect().catch(() => {}); // what refuses it has been told above
  void begin();
  const forget = onLanguage(() => {
    // Only a new handshake tells the server in which language to answer.
    ending = true;
    client.disconnect();
    ending = false;
    void begin();
  });
  return () => {
    ending = true;
    forget();
    client.disconnect();
  };
}
