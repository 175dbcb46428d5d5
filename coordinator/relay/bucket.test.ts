import { describe, expect, it } from 'vitest';
import { TokenBucket } from './bucket.ts';

describe('TokenBucket', () => {
  it('lets two seconds through at once, then says how long to wait', () => {
    const bucket = new TokenBucket(100, 0);
    expect(bucket.take(200, 0)).toBe(0);
    expect(bucket.take(1, 0)).toBe(10);
    expect(bucket.take(49, 0)).toBe(500);
    expect(bucket.take(0, 500)).toBe(0);
  });

  it('never holds more than two seconds', () => {
    const bucket = new TokenBucket(100, 0);
    expect(bucket.take(201, 1_000_000)).toBe(10);
  });

  it('is not confused by a clock that is set back', () => {
    const bucket = new TokenBucket(100, 1000);
    bucket.take(200, 1000);
    expect(bucket.take(0, 0)).toBe(0);
    expect(bucket.take(100, 1000)).toBe(0);
    expect(bucket.full(1000)).toBe(false);
    expect(bucket.full(3000)).toBe(true);
  });
});
