import type { Page } from '../config.ts';
import type { Api } from './context.ts';

/** Nothing but this server's own files runs, and nothing is sent but to this server. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** Registers files for browsers. */
export function addPages(api: Api, pages: readonly Page[]): void {
  for (const { path, type, body } of pages) {
    api.get(path, (c) =>
      c.body(body, 200, {
        'content-type': type,
        'content-security-policy': POLICY,
        'cache-control': 'no-cache',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'permissions-policy': 'camera=(), microphone=(), geolocation=()',
      }),
    );
  }
}
