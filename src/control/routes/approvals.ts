// The statements that wait for a person. None does so far: a rule that asks for one refuses the statement.

import { SallyportError } from '../../errors.ts';
import * as schemas from '../schemas.ts';
import type { Api } from './route.ts';

export function approvalRoutes(app: Api): void {
  const unknown = (id: string) => new SallyportError('SP_NOT_FOUND', `there is no approval ${id}`);

  app.get(
    '/v1/approvals',
    {
      schema: {
        tags: ['approvals'],
        summary: 'The statements that wait for a person',
        response: { 200: schemas.approvalList },
      },
    },
    async () => ({ approvals: [], next: null }),
  );
  app.get(
    '/v1/approvals/:id',
    {
      config: { fails: [404] },
      schema: { tags: ['approvals'], summary: 'One waiting statement', params: schemas.withId },
    },
    async (request) => {
      throw unknown(request.params.id);
    },
  );
  for (const verb of ['approve', 'deny'] as const) {
    app.post(
      `/v1/approvals/:id/${verb}`,
      {
        config: { fails: [404] },
        schema: {
          tags: ['approvals'],
          summary: verb === 'approve' ? 'Let a waiting statement run' : 'Refuse a waiting statement',
          params: schemas.withId,
          body: schemas.maybeReason,
        },
      },
      async (request) => {
        throw unknown(request.params.id);
      },
    );
  }
}
