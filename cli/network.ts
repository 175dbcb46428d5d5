import { readFileSync } from 'node:fs';
import { setGlobalProxyFromEnv } from 'node:http';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { Misuse } from '../protocol/errors.ts';

export interface NetworkSettings {
  /** PEM file of a private certificate authority, trusted beside the public ones. */
  readonly caFile?: string | undefined;
  /** http://host:port of the proxy between this machine and the world. */
  readonly proxy?: string | undefined;
}

/** Makes every connection of this process use the configured authority and proxy; loopback stays direct. */
export function useNetwork({ caFile, proxy }: NetworkSettings): void {
  if (caFile !== undefined) {
    try {
      setDefaultCACertificates([...getCACertificates('default'), readFileSync(caFile, 'utf8')]);
    } catch (cause) {
      throw new Misuse('BAD_FILE', `caFile: ${caFile} is not a readable PEM certificate`, {
        hint: 'Give the certificate of the authority that signed the servers’ certificates.',
        cause,
      });
    }
  }
  if (proxy !== undefined)
    setGlobalProxyFromEnv({ HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY: 'localhost,127.0.0.1,::1' });
}
