// What the modules say of their parts of the config file; the same for every command and for the running gateway.

import type { Validators } from '../config/schema.ts';
import { SallyportError } from '../errors.ts';
import { compileMasking } from '../mask/rules.ts';
import { policyMistakes } from '../policy/rules.ts';
import { checkScope } from '../policy/scope.ts';

export const validators: Validators = {
  scope: checkScope,
  policy: policyMistakes,
  masking: (masking) => {
    try {
      compileMasking(masking);
      return null;
    } catch (error) {
      if (error instanceof SallyportError) return error.message;
      throw error;
    }
  },
};
