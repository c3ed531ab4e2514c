// A login machine that is never slowed: where it asks to wait, it goes on.
import type { LoginMachine } from '../../src/wire/login.ts';

export function unthrottled<Step extends { readonly do: string }, Machine extends LoginMachine<Step>>(
  machine: Machine & LoginMachine<Step>,
): Machine {
  const on = (steps: Step[]): Step[] => steps.flatMap((step) => (step.do === 'wait' ? on(machine.proceed()) : [step]));
  return {
    ...machine,
    push: (bytes: Buffer) => on(machine.push(bytes)),
    tlsEstablished: (alpn: string | null, endPoint: Buffer | null) => on(machine.tlsEstablished(alpn, endPoint)),
  };
}
