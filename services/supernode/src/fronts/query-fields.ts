import { parse } from 'node:querystring';
import type { ParsedUrlQuery } from 'node:querystring';

import type { FastifyRequest } from 'fastify';

/** The query of a request, unescaped; a field that stands twice is an array. For a schema to look at. */
export function queryFields({ url }: FastifyRequest): ParsedUrlQuery {
  const mark = url.indexOf('?');
  return parse(mark < 0 ? '' : url.slice(mark + 1));
}
