import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Fault } from '../protocol/errors.ts';
import type { LocalFigures } from './local-data.ts';
import { ScanAhead } from './scan-ahead.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A scan of which it shows how often it ran. */
function counted(outcome: () => Promise<LocalFigures>) {
  const scan = vi.fn(outcome);
  return { ahead: new ScanAhead(), scan };
}
const figures = {} as LocalFigures;

it('hands a scan to the one session of its query', async () => {
  const { ahead, scan } = counted(() => Promise.resolve(figures));
  ahead.begin('a', scan);
  expect(ahead.take('b')).toBeUndefined();
  expect(await ahead.take('a')).toBe(figures);
  expect(ahead.take('a')).toBeUndefined();
  expect(scan).toHaveBeenCalledOnce();
});

it('keeps one scan at a time, and takes the next when that one is gone', () => {
  const { ahead, scan } = counted(() => Promise.resolve(figures));
  ahead.begin('a', scan);
  ahead.begin('b', scan);
  expect(scan).toHaveBeenCalledOnce();
  expect(ahead.take('b')).toBeUndefined();
  void ahead.take('a');
  ahead.begin('b', scan);
  expect(ahead.take('b')).toBeDefined();
});

it('forgets figures that no session came for, since records change', async () => {
  const { ahead, scan } = counted(() => Promise.resolve(figures));
  ahead.begin('a', scan);
  await vi.advanceTimersByTimeAsync(29_000);
  ahead.begin('b', scan);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(ahead.take('a')).toBeUndefined();
  ahead.begin('b', scan);
  expect(ahead.take('b')).toBeDefined();
});

it('leaves a scan that failed to the session, which says why', async () => {
  const { ahead, scan } = counted(() => Promise.reject(new Fault('DATA', 'row 3')));
  ahead.begin('a', scan);
  await vi.advanceTimersByTimeAsync(0);
  expect(ahead.take('a')).toBeUndefined();
});

it('tells a session that waits for it of the failure', async () => {
  const { ahead, scan } = counted(() => Promise.reject(new Fault('DATA', 'row 3')));
  ahead.begin('a', scan);
  await expect(ahead.take('a')).rejects.toMatchObject({ code: 'DATA' });
});

it('keeps nothing after it was closed', () => {
  const { ahead, scan } = counted(() => Promise.resolve(figures));
  ahead.begin('a', scan);
  ahead.close();
  expect(ahead.take('a')).toBeUndefined();
  expect(vi.getTimerCount()).toBe(0);
});
