import type { z } from '@hono/zod-openapi';
import { errorBody } from './schemas.ts';

/** A JSON answer, for route definitions. */
export const json = <T extends z.ZodType>(description: string, schema: T) => ({
  description,
  content: { 'application/json': { schema } },
});

/** The errors that a route may answer with, each as an ErrorRecord. */
export const failure = json('Why not: kind, code, message and hint.', errorBody);
