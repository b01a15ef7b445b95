/** Which addresses a webhook may be at: those of the public internet, not those of our own network. */
import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** False for loopback, private, link-local, multicast and every other reserved address, also of IPv4 written as IPv6. */
export function isPublicAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast';
}

/** The host is, or resolves to, an address that webhooks may not be at. */
export class AddressRefused extends Error {
  constructor() {
    super('the host has an address that is not public');
    this.name = 'AddressRefused';
  }
}

/**
 * Resolves a host for a connection, and refuses it where one of its addresses is not public. What it answers is what is
 * connected to: a name that resolves to something else a moment later gains nothing.
 */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    const [first] = addresses ?? [];
    if (error || !first) callback(error ?? new Error('the host has no address'), '', 0);
    else if (!addresses.every(({ address }) => isPublicAddress(address))) callback(new AddressRefused(), '', 0);
    else if (options.all) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};
