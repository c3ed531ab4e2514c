// What every tool goes through: who asks is taken from the request, and what goes wrong is answered, not thrown.

import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type {
  CallToolResult,
  ServerNotification,
  ServerRequest,
  ToolAnnotations,
} from '@modelcontextprotocol/sdk/types.js';
import type { z } from 'zod';
import { failure, failureOf } from './answers.ts';
import type { Asking, McpServices } from './services.ts';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

export interface Context extends Omit<Asking, 'gone'> {
  /** Aborted when the client cancels the call, or is gone. */
  readonly signal: AbortSignal;
  /** Tells a client that wants to know that the call goes on; what it cannot read is lost. */
  progress(message: string): void;
}

export interface Tool<Input extends z.ZodType, Output extends z.ZodType> {
  readonly title: string;
  readonly description: string;
  readonly annotations: ToolAnnotations;
  readonly input: Input;
  readonly output: Output;
  run(input: z.output<Input>, context: Context): Promise<CallToolResult> | CallToolResult;
}

/** Calls of one session at the same time: each may wait for minutes. */
const MAX_CALLS = 64;
const running = new WeakMap<McpServer, number>();

export function addTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  server: McpServer,
  { log }: Pick<McpServices, 'log'>,
  name: string,
  { title, description, annotations, input, output, run }: Tool<Input, Output>,
): void {
  const handle = async (given: unknown, extra: Extra): Promise<CallToolResult> => {
    const context = contextOf(extra);
    const calls = running.get(server) ?? 0;
    if (calls >= MAX_CALLS) {
      return failure(`${MAX_CALLS} calls of this session run already`, 'Wait for their answers.', { code: 'SP_LIMIT' });
    }
    running.set(server, calls + 1);
    try {
      return await run(given as z.output<Input>, context);
    } catch (error) {
      if (context.signal.aborted) return failure('cancelled', null, { code: 'cancelled' });
      const told = failureOf(error);
      if (told !== null) return told;
      log.error({ err: error, tool: name }, 'a tool has failed');
      return failure('the gateway failed', 'Try again; if it goes on, tell the user: its log says why.', {});
    } finally {
      running.set(server, (running.get(server) ?? 1) - 1);
    }
  };
  const config = { title, description, annotations, inputSchema: input, outputSchema: output };
  // The SDK's types of a handler follow its own copy of the schema's; the schema has checked what it is given.
  server.registerTool(name, config, handle as never);
}

/** As `endpoint.ts` puts it beside each message. */
export const ASKING = 'asking';

function contextOf(extra: Extra): Context {
  const { [ASKING]: asked } = extra.authInfo?.extra ?? {};
  const { gone, ...asking } = asked as Asking;
  const progressToken = extra._meta?.progressToken;
  let progress = 0;
  return {
    ...asking,
    signal: AbortSignal.any([gone, extra.signal]),
    progress(message) {
      if (progressToken === undefined) return;
      progress++;
      const params = { progressToken, progress, message };
      extra.sendNotification({ method: 'notifications/progress', params }).catch(() => {});
    },
  };
}
