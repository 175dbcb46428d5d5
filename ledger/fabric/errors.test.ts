import { describe, expect, it } from 'vitest';
import { fromGateway, mayPass } from './errors.ts';

/** What gateways of Fabric 3.1 and gRPC say. */
const SAID: readonly (readonly [string, string, RegExp, RegExp])[] = [
  [
    '14 UNAVAILABLE: failed to get config for channel [nowhere]: could not get last config for channel nowhere',
    'LEDGER_DOWN',
    /does not have the channel/,
    /ledger\.fabric\.channel/,
  ],
  [
    '9 FAILED_PRECONDITION: no peers available to evaluate chaincode other in channel consortium',
    'LEDGER_DOWN',
    /runs the chaincode/,
    /ledger\.fabric\.chaincode/,
  ],
  [
    '9 FAILED_PRECONDITION: no combination of peers can be derived which satisfy the endorsement policy',
    'LEDGER_DOWN',
    /runs the chaincode/,
    /definition is committed/,
  ],
  [
    '14 UNAVAILABLE: No connection established. Last error: Error: unable to verify the first certificate',
    'LEDGER_DOWN',
    /TLS certificate/,
    /tlsRootFile/,
  ],
  [
    '14 UNAVAILABLE: No connection established. Last error: Error: certificate has expired',
    'LEDGER_DOWN',
    /TLS certificate/,
    /peer’s certificate/,
  ],
  [
    '14 UNAVAILABLE: No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:7051',
    'LEDGER_DOWN',
    /did not answer/,
    /dial out/,
  ],
  ['7 PERMISSION_DENIED: access denied: channel [c] creator org [NorthMSP]', 'NOT_AUTHORIZED', /accept/, /mspId/],
  ['10 ABORTED: the creator certificate is not valid: identity expired', 'NOT_AUTHORIZED', /accept/, /expired/],
];

describe('what a gateway says', () => {
  it.each(SAID)('%s', (text, code, says, hints) => {
    const known = fromGateway(new Error(text), 'asking peer0:7051');
    expect(known).toMatchObject({ code, message: expect.stringMatching(says) as string });
    expect(known.message).toContain('peer0:7051');
    expect(known.hint).toMatch(hints);
    expect(mayPass(known)).toBe(code === 'LEDGER_DOWN');
  });
});
