import { z } from 'zod';

/**
 * For a process that checks each form of document a few times: zod would compile a function for each, which takes longer than
 * the checks. Must be imported before any module that describes a document.
 */
z.config({ jitless: true });
