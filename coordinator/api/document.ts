import { z } from '@hono/zod-openapi';
import { signedAction } from '../../protocol/ledger.ts';
import { query } from '../../protocol/query.ts';
import type { Api } from './context.ts';

/** The OpenAPI 3.1 document of all registered routes, made from the schemas that check the requests. */
export function apiDocument(api: Api, publicUrl: string | undefined) {
  const document = api.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'healthchain coordinator',
      version: '1',
      description:
        'Forms sessions of hospitals and relays sealed frames between them. Open reads show the ledger; fetching an answer ' +
        'needs a request signed by the researcher who asked.',
      license: { name: 'Apache-2.0' },
    },
    ...(publicUrl === undefined ? {} : { servers: [{ url: publicUrl }] }),
  });
  const components = (document.components ??= {});
  components.schemas = {
    ...components.schemas,
    ...recursive('Query', query),
    ...recursive('SignedAction', signedAction),
  };
  return document;
}

type Schemas = NonNullable<NonNullable<ReturnType<Api['getOpenAPI31Document']>['components']>['schemas']>;

/** JSON Schema of a type that refers to itself; its parts become components of their own, as `QueryPart0`. */
function recursive(name: string, type: z.ZodType): Schemas {
  const text = JSON.stringify(z.toJSONSchema(type, { io: 'input' }));
  const schema = JSON.parse(
    text.replaceAll(/"#\/\$defs\/__schema(\d+)"/g, `"#/components/schemas/${name}Part$1"`),
  ) as Schemas[string] & { $defs?: Schemas; $schema?: string };
  const parts = Object.entries(schema.$defs ?? {}).map(([key, part]) => [key.replace('__schema', `${name}Part`), part]);
  delete schema.$defs;
  delete schema.$schema;
  return { [name]: schema, ...(Object.fromEntries(parts) as Schemas) };
}
