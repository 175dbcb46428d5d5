import { z } from 'zod';
import { ORGANISATION_ATTRIBUTE } from '../chaincode/caller.ts';
import type { Certificate } from './blocks/certificate.ts';

/** 1.2.3.4.5.6.7.8.1, under which a Fabric CA writes attributes into certificates. */
const ATTRIBUTES = '2a03040506070801';
const document = z.object({ attrs: z.record(z.string(), z.string()).default({}) });

/** The organisation that a certificate of a shared MSP is enrolled for, if it names one. */
export function attributeOf(certificate: Certificate): string | undefined {
  const value = certificate.extension(ATTRIBUTES);
  if (value === undefined) return undefined;
  return document.parse(JSON.parse(Buffer.from(value).toString('utf8'))).attrs[ORGANISATION_ATTRIBUTE];
}
