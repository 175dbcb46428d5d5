import { destination, pino, type Logger } from 'pino';

/** Fields that must never reach a log, should one ever be handed to it: a second fence, not the first. */
const SECRET_FIELDS = [
  'key',
  'privateKey',
  'seed',
  'cells',
  'share',
  'rows',
  'parameters',
  'sql',
  'payload',
  'signature',
  'blinding',
  '*.key',
  '*.seed',
  '*.cells',
  '*.rows',
];

/** One JSON line per event on standard error. */
export function serviceLog(role: string, level: string): Logger {
  return pino(
    { level, base: { role }, redact: { paths: SECRET_FIELDS, censor: '[redacted]' } },
    destination({ fd: 2, sync: true }),
  );
}

/**
 * Keeps a service up until it is told to stop (SIGINT, SIGTERM, or the process that started it goes away), then closes
 * it in order. Tells a parent process where it listens.
 */
export async function serve(ready: Readonly<Record<string, string>>, close: () => Promise<void>): Promise<void> {
  process.send?.({ ready });
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
    if (process.send !== undefined) process.once('disconnect', () => resolve());
  });
  await close();
  if (process.connected) process.disconnect?.();
}
