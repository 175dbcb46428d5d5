import { randomBytes } from 'node:crypto';
import type { RandomSource } from '../mpc/transport.ts';

/** The platform's generator. */
export const platformRandom: RandomSource = (bytes) => new Uint8Array(randomBytes(bytes));
